"""Decides where tests of connections run: in worker processes that a scheduler starts."""
