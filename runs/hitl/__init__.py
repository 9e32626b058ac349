"""Decides what happens around the questions that tasks ask people."""
