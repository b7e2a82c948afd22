"""What lessons and notebooks of the course draw with, beside the lessons themselves."""
