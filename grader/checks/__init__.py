"""Checks, one pytest module an assignment, one class an exercise."""
