"""Decides nothing: the folder of this app's commands."""
