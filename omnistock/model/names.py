"""Names of SKUs, nodes and channels."""

from __future__ import annotations

from omnistock.errors import InputError

__all__ = ["check_name"]


def check_name(kind: str, name: object) -> None:
    """Raise InputError unless ``name`` is a text with something to read in it."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"a {kind} needs a name, got {name!r}")
