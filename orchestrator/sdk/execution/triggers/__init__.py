"""Decides how the waits of deferred tasks run: many in one event loop, in a process without database and Django."""
