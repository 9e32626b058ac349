"""A DAG file that cannot be read, for the page of import errors."""

from airflow.sdk import dag
from warehouse_client import connect

connect(dag)
