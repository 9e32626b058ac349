"""Decides how partition keys of assets become partition keys of DAG runs: mappers, windows and wait policies; pure."""
