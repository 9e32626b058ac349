"""Tests of how metrics leave."""
