"""Decides how deferred tasks wait."""
