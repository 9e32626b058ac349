"""Tests of what the pages share: lists, preferences, live changes."""
