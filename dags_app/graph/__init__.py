"""Decides how a DAG is drawn: nodes, edges, groups, what starts it and what it starts; pure, from its document alone."""
