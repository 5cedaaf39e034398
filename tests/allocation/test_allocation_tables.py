import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from omnistock.allocation import allocate, water_fill
from omnistock.errors import FrameError, InputError

SUPPLY = {"sku": ["TEE", "MUG", "CAP"], "quantity": [100, 7, 30], "pack_size": [1, 1, 12]}
CLAIMS = {
    "sku": ["MUG", "TEE", "CAP", "TEE", "MUG"],
    "channel": ["web", "web", "web", "store", "store"],
    "quantity": [5, 120, 40, 60, 5],
    "tier": [1, 2, 1, 1, 1],
    "weight": [1.0, 0.4, 1.0, 0.6, 1.0],
    "guarantee": [0, 30, 0, 0, 0],
}


def test_a_table_gets_what_the_array_form_gives():
    granted = allocate(SUPPLY, CLAIMS).granted

    tee = water_fill([100], [[120, 60]], tier=[2, 1], weight=[0.4, 0.6], guarantee=[30, 0]).granted
    assert granted[[1, 3]].tolist() == tee[0].tolist()
    assert granted.tolist() == [3, 40, 24, 60, 4]


def test_equal_remainders_go_by_name_whatever_the_order_of_rows():
    rng = np.random.default_rng(5)
    claims = pd.DataFrame(CLAIMS)
    expected = claims.assign(granted=allocate(SUPPLY, claims).granted).set_index(["sku", "channel"])

    for _ in range(5):
        shuffled = claims.sample(frac=1, random_state=rng).reset_index(drop=True)
        got = shuffled.assign(granted=allocate(SUPPLY, shuffled).granted)
        got = got.set_index(["sku", "channel"]).loc[expected.index]
        assert got["granted"].tolist() == expected["granted"].tolist()


@pytest.mark.parametrize(
    ("make", "kind"),
    [(pd.DataFrame, pd.DataFrame), (pl.DataFrame, pl.DataFrame), (pa.table, pa.Table)],
)
def test_the_answer_is_the_kind_of_frame_that_the_claims_are(make, kind):
    answer = allocate(make(SUPPLY), make(CLAIMS)).to_table()

    assert isinstance(answer, kind)
    names = answer.column_names if kind is pa.Table else list(answer.columns)
    assert names == ["sku", "channel", "supply", "requested", "granted", "quota", "protection"]


def test_quota_and_protection_of_a_claim_see_only_their_own_sku():
    allocated = allocate(SUPPLY, CLAIMS)

    assert allocated.quota.tolist() == [3, 40, 30, 60, 4]
    assert allocated.protection.tolist() == [0, 30, 0, 60, 0]


def test_a_row_is_explained_in_one_line():
    assert allocate(SUPPLY, CLAIMS).explain(1) == (
        "web got 40 of 120: tier 2, guarantee 30, weight .4, supply exhausted at fill .33; "
        "supply 100, 60 to earlier tiers"
    )
    assert allocate(SUPPLY, CLAIMS).explain(2) == (
        "web got 24 of 40: tier 1, guarantee 0, weight 1, supply exhausted at fill .60; "
        "supply 30, 6 less than a pack of 12"
    )
    with pytest.raises(InputError, match="row must lie in"):
        allocate(SUPPLY, CLAIMS).explain(5)


def test_a_channel_may_claim_at_several_nodes():
    claims = {
        "sku": ["MUG", "MUG", "MUG"],
        "channel": ["web", "web", "store"],
        "node": ["N2", "N1", ""],
        "quantity": [5, 5, 5],
    }

    allocated = allocate(SUPPLY, claims)

    assert allocated.granted.tolist() == [2, 2, 3]
    assert allocated.explain(0).startswith("web at N2 got 2 of 5")


def test_no_claims_are_no_error():
    empty = {"sku": [], "channel": [], "quantity": []}

    assert allocate(SUPPLY, empty).to_table().num_rows == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sku": ["MUG", "TEE", "CAP", "TEE", "JUG"]}, "claims, row 5, column 'sku'.*JUG"),
        ({"quantity": [5, -1, 40, 60, 5]}, "claims, row 2, column 'quantity'"),
        ({"sku": ["MUG", "TEE", "CAP", "TEE", "TEE"]}, "claims, row 5.*stands in row 4 already"),
        ({"tier": [1, 2, 1, 0, 1]}, "claims, row 4, column 'tier'"),
    ],
)
def test_bad_rows_are_named(change, message):
    with pytest.raises(FrameError, match=message):
        allocate(SUPPLY, CLAIMS | change)


def test_claims_without_a_claimant_are_refused():
    with pytest.raises(InputError, match="'channel' or 'node'"):
        allocate(SUPPLY, {"sku": ["MUG"], "quantity": [1]})
