"""Decides what of the history goes, when, and in which steps (C18)."""
