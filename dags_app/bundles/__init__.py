"""Decides how bundles that are not plain folders are brought to this machine."""
