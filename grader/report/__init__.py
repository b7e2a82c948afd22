"""Pages and lines for people, made from results."""
