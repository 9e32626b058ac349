"""Decides what becomes of the events of assets."""
