"""Decides the pages about connections and variables."""
