"""Decides what the pages about runs show: one file of queries for each page, used by the view of the same name."""
