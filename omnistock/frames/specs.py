"""What a table must look like: columns with kinds and bounds, and keys."""

from __future__ import annotations

from dataclasses import dataclass

from omnistock.errors import InputError

__all__ = ["Column", "TableSpec"]

KINDS = ("text", "units", "number", "share", "date", "time", "flag")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        Column name, as it stands in the file.
    kind : str
        ``text`` (kept verbatim), ``units`` (whole numbers), ``number``, ``share``
        (0..1), ``date`` (ISO day), ``time`` (ISO instant or epoch seconds) or ``flag``.
    required : bool
        Whether the column must be there and every cell filled.
    minimum, maximum : float, optional
        Inclusive bounds of a numeric column.
    above : float, optional
        Exclusive lower bound.
    default : str, float, bool or None
        What a missing column or an empty cell of an optional column means. ``None``
        stands for "unknown": NaN for numbers, NaT for dates, "" for texts.
    choices : tuple of str
        Allowed texts; empty allows any.
    help : str
        One sentence for users.

    Examples
    --------
    >>> Column("quantity", "number", minimum=0).required
    True
    """

    name: str
    kind: str
    required: bool = True
    minimum: float | None = None
    default: str | float | bool | None = None
    help: str = ""
    above: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"column {self.name!r}: kind must be one of {KINDS}")
        needs_default = self.kind in ("units", "flag", "time")
        if not self.required and needs_default and self.default is None:
            raise InputError(
                f"column {self.name!r}: an optional column of kind {self.kind!r} needs a default, "
                f"because whole numbers, times and flags cannot say 'unknown'"
            )


@dataclass(frozen=True, slots=True)
class TableSpec:
    """A table: its columns, and the columns that together name a row.

    Attributes
    ----------
    name : str
        Name of the table and, without suffix, of its file.
    columns : tuple of Column
        All columns, in the order in which they are written.
    key : tuple of str
        Columns whose values together may stand in one row only; empty allows repeats.
    help : str
        What the table holds, for users.
    ordered : tuple of (str, str)
        Pairs of columns of which the first may not exceed the second.

    Examples
    --------
    >>> spec = TableSpec("stock", (Column("sku", "text"), Column("on_hand", "units")), key=("sku",))
    >>> spec.column("sku").kind
    'text'
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    help: str = ""
    ordered: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) < len(names):
            raise InputError(f"table {self.name!r} defines a column twice")
        for name in (*self.key, *(one for pair in self.ordered for one in pair)):
            if name not in names:
                raise InputError(f"table {self.name!r}: column {name!r} is not defined")

    def column(self, name: str) -> Column:
        """Return the column called ``name``."""
        for column in self.columns:
            if column.name == name:
                return column
        raise InputError(f"table {self.name!r} has no column {name!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns, in order."""
        return tuple(column.name for column in self.columns)
