"""Decides what the pages of one run show."""
