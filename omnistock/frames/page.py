"""The reference page of all tables, written from their specs."""

from __future__ import annotations

from omnistock.frames.specs import Column, TableSpec
from omnistock.frames.tables import OPTIONAL, REQUIRED, TABLES

__all__ = ["columns_page"]

_HEAD = """# Tables and columns

`omnistock plan FOLDER` reads one file per table, `NAME.csv` or `NAME.parquet`, from one folder.
`omnistock init FOLDER` writes a template of each, with example rows. In Python,
`om.plan(...)` takes the folder, or a dict of pandas, polars or pyarrow tables.

- CSV files are UTF-8, with commas between cells, points in decimals, and column names in the
  first line. Other columns than those below are ignored; one whose name is nearly that of an
  optional column is refused, because it is probably misspelt.
- Identifiers are texts and stay as they are: `00123` keeps its zeros, `Web` is not `web`.
- Dates are ISO, year-month-day: `2026-03-01`.
- Quantities are in selling units (pieces, kilograms). Decimals are allowed where the SKU's
  `unit_scale` is above 1, and must be a whole number of smallest units.
- All faults of all tables come in one error that names table, row, column and what to do.
  Row 1 is the first row below the column names.
"""

_KINDS = {
    "text": "text",
    "units": "whole number",
    "number": "number",
    "share": "share 0..1",
    "date": "date",
    "time": "time",
    "flag": "true or false",
}


def columns_page() -> str:
    """Return the page ``docs/reference/columns.md`` as Markdown.

    Examples
    --------
    >>> columns_page().splitlines()[0]
    '# Tables and columns'
    """
    parts = [_HEAD]
    for title, names in (("Required tables", REQUIRED), ("Optional tables", OPTIONAL)):
        parts.append(f"## {title}\n")
        parts += [_section(TABLES[name]) for name in names]
    return "\n".join(parts)


def _section(spec: TableSpec) -> str:
    lines = [f"### {spec.name}", "", spec.help, ""]
    if spec.key:
        lines += [f"One row per {', '.join(f'`{name}`' for name in spec.key)}.", ""]
    lines += ["| column | holds | required | if empty | meaning |", "|---|---|---|---|---|"]
    for column in spec.columns:
        required = "yes" if column.required else "no"
        lines.append(
            f"| `{column.name}` | {_holds(column)} | {required} "
            f"| {_default(column)} | {column.help.replace('|', chr(92) + '|')} |"
        )
    for low, high in spec.ordered:
        lines += ["", f"`{high}` may not lie before `{low}`."]
    return "\n".join(lines) + "\n"


def _holds(column: Column) -> str:
    text = _KINDS[column.kind]
    if column.choices:
        return " or ".join(f"`{one}`" for one in column.choices)
    low, high = column.minimum, column.maximum
    if low is not None and high is not None:
        return f"{text} {low:,.9g}..{high:,.9g}"
    if low is not None:
        return f"{text} >= {low:g}"
    if column.above is not None:
        return f"{text} > {column.above:g}"
    return text


def _default(column: Column) -> str:
    if column.required:
        return "refused"
    if column.default is None:
        return "empty" if column.kind == "text" else "unknown"
    if isinstance(column.default, bool):
        return str(column.default).lower()
    if isinstance(column.default, float):
        return f"{column.default:g}"
    return str(column.default)
