"""Runs in memory."""
