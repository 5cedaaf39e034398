"""The waist: tables (pandas, polars, arrow, CSV and Parquet files) <-> checked arrays."""

from omnistock.frames.coding import Coded
from omnistock.frames.files import write_whole
from omnistock.frames.native import to_arrow, to_native
from omnistock.frames.quantities import smallest_units
from omnistock.frames.reading import Table, check_references, read_folder, read_table, write_table
from omnistock.frames.specs import Column, TableSpec
from omnistock.frames.tables import TABLES

__all__ = [
    "TABLES",
    "Coded",
    "Column",
    "Table",
    "TableSpec",
    "check_references",
    "read_folder",
    "read_table",
    "smallest_units",
    "to_arrow",
    "to_native",
    "write_table",
    "write_whole",
]
