"""The command line: ``omnistock``."""

from omnistock.cli.app import main, run

__all__ = ["main", "run"]
