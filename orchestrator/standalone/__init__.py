"""Decides how all parts run on one machine: `manage.py standalone`."""
