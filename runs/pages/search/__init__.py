"""Decides what the search over everything finds."""
