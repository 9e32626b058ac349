"""Runs whole DAGs in this process: the scheduler's own decisions, carried out on a store in memory."""
