"""Decides how functions of plugins hear of what happens to tasks, runs, assets and files."""
