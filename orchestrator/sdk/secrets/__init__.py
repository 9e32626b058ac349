"""Decides what a secrets backend is, and which ones come with the platform."""
