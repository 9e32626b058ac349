"""A file that cannot be read, for the page of import errors."""

from warehouse_client import connect

connect()
