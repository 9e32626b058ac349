"""Decides what is counted of runs, tasks and the platform's parts, under Airflow's names."""
