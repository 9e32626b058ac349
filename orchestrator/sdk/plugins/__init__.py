"""Decides what plugins add to DAG files and tasks: found in a folder and in packages, loaded where user code may run."""
