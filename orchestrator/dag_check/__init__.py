"""Checks DAG files before they are deployed: what breaks them, and what makes them slow or unsteady."""
