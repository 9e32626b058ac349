"""Tests of what of the history goes."""
