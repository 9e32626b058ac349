"""Decides where DAG files come from and how one version of them becomes a folder on this machine."""
