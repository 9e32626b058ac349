"""Deliveries: callbacks of authors and alerts, from the row that was written with their cause to their end."""
