"""Decides what the pages over all DAGs know of them: their newest runs, how they fail, what they do now."""
