"""Frames of the caller's own kind: columns come back with their values and natural types."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnistock.errors import InputError
from omnistock.frames import Coded, to_arrow, to_native

rows = st.lists(
    st.tuples(
        st.text(st.characters(exclude_categories=("Cs",)), max_size=5),
        st.integers(-(2**62), 2**62),
        st.floats(allow_nan=False),
        st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)),
        st.booleans(),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("like", ["pandas", "polars", "pyarrow"])
@given(rows=rows)
def test_columns_survive_the_way_into_a_frame_and_back(like, rows):
    text, units, number, date, flag = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "text": np.array(text, dtype=object),
        "units": np.array(units, dtype=np.int64),
        "number": np.array(number),
        "date": np.array(date, dtype="datetime64[D]"),
        "flag": np.array(flag),
    }

    frame = to_native(columns, like)

    assert list(frame["text"].to_numpy()) == text
    assert list(frame["units"].to_numpy()) == units
    assert list(frame["number"].to_numpy()) == number
    assert np.asarray(frame["date"]).astype("datetime64[D]").tolist() == date
    assert list(frame["flag"].to_numpy()) == flag


def test_frames_have_the_types_their_users_expect():
    columns = {
        "sku": Coded(np.array([0, 1, 0], dtype=np.int32), ("A", "B")),
        "date": np.array(["2026-03-01"] * 3, dtype="datetime64[D]"),
    }

    pandas = to_native(columns, pd.DataFrame())
    polars = to_native(columns, pl.DataFrame())

    assert pandas["date"].dtype.kind == "M"
    assert pandas["sku"].tolist() == ["A", "B", "A"]
    assert polars.schema == {"sku": pl.String, "date": pl.Date}
    assert isinstance(to_native(columns, None), pa.Table)
    assert isinstance(to_native(columns, "sales.csv"), pa.Table)
    assert isinstance(to_native(columns, {"a": [1]}), pa.Table)


def test_columns_that_do_not_fit_together_are_refused():
    with pytest.raises(InputError, match="one length"):
        to_arrow({"a": [1, 2], "b": [1]})
    with pytest.raises(InputError, match="column 'a' is no column of one type"):
        to_arrow({"a": [1, "x"]})
    with pytest.raises(InputError, match="column 'a'"):
        to_arrow({"a": np.zeros((2, 2))})
