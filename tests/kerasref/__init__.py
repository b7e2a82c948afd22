"""Tests of the references: against outside implementations, and of what every reference promises."""
