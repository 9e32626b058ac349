"""The process that runs attempts for an executor; see `core`."""
