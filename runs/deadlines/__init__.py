"""Deadlines of runs, tasks, groups and map indexes (C27)."""
