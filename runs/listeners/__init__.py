"""Decides how listeners of plugins hear of runs: written beside the change, told in a parse process, never in the scheduler."""
