"""Decides which pages there are about runs: one file for each page."""
