"""Decides nothing: the package of bulk actions, orders for many task instances or runs that are carried out in parts."""
