"""Two small retailers: one for claims about every row, one large enough to count on."""

from __future__ import annotations

import pytest

from omnistock.simulation import Retailer, make_retailer


@pytest.fixture(scope="session")
def tiny_retailer() -> Retailer:
    return make_retailer(seed=7, n_skus=20, days=60)


@pytest.fixture(scope="session")
def counted_retailer() -> Retailer:
    return make_retailer(seed=11, n_skus=240, days=364)
