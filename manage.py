#!/usr/bin/env python
"""Decides nothing: Django's usual door to the commands, which ``orchestrator.command`` opens."""

import sys

from orchestrator.command import main

if __name__ == "__main__":
    sys.exit(main())
