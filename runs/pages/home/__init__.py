"""Decides what the home page shows: what needs a person, what runs, what comes, and whether the platform is well."""
