"""Plays a file of scenarios: ``python -m tests.run_scenarios FILE.json``."""

from __future__ import annotations

import sys

from tests.scenarios.command import main

if __name__ == "__main__":
    sys.exit(main())
