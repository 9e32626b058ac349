"""Decides what the doctor looks at; each module has the checks of one matter, and a check never changes anything."""
