"""Decides why something waits: one sentence, the blockers with their links, since when and until when (C26)."""
