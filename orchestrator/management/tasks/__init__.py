"""Decides nothing: the folder of the actions of ``tasks``."""
