"""The processes that import DAG files and become task processes."""
