"""Demand as distributions: arrays of independent demands, one family and two moments each.

Axes: i = demand, j = column of a question (one probability or stock level per column).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from omnistock.errors import InputError
from omnistock.numerics.compiled import kernel
from omnistock.numerics.families import (
    CLOSE,
    FAMILY_NAMES,
    GAMMA,
    NEGATIVE_BINOMIAL,
    NORMAL,
    POISSON,
    loss_one,
    quantile_and_margin,
    surplus_one,
    tails_one,
)
from omnistock.numerics.ties import exact_count_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike

__all__ = [
    "FAMILY_NAMES",
    "GAMMA",
    "NEGATIVE_BINOMIAL",
    "NORMAL",
    "POISSON",
    "DemandDistribution",
]

# A variance so little above the mean is Poisson: a negative binomial of that size differs by less.
_POISSON_MARGIN = 1e-9
# Sums over a distribution take time with the root of its mean; beyond this it is an input error.
_LARGEST_MEAN = 1e12


@kernel
def tails_into(
    below: np.ndarray,
    above: np.ndarray,
    family: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    x: np.ndarray,
) -> None:
    """Fill ``below[i, j]`` with P(D_i <= x[i, j]) and ``above`` with P(D_i > x[i, j])."""
    for i in range(below.shape[0]):
        row = i if x.shape[0] > 1 else 0
        for j in range(below.shape[1]):
            below[i, j], above[i, j] = tails_one(
                int(family[i]), float(mean[i]), float(variance[i]), float(x[row, j])
            )


@kernel
def loss_into(
    loss: np.ndarray, family: np.ndarray, mean: np.ndarray, variance: np.ndarray, x: np.ndarray
) -> None:
    """Fill ``loss[i, j]`` with E[(D_i - x[i, j])+]."""
    for i in range(loss.shape[0]):
        row = i if x.shape[0] > 1 else 0
        for j in range(loss.shape[1]):
            loss[i, j] = loss_one(
                int(family[i]), float(mean[i]), float(variance[i]), float(x[row, j])
            )


@kernel
def surplus_into(
    surplus: np.ndarray, family: np.ndarray, mean: np.ndarray, variance: np.ndarray, x: np.ndarray
) -> None:
    """Fill ``surplus[i, j]`` with E[(x[i, j] - D_i)+]."""
    for i in range(surplus.shape[0]):
        row = i if x.shape[0] > 1 else 0
        for j in range(surplus.shape[1]):
            surplus[i, j] = surplus_one(
                int(family[i]), float(mean[i]), float(variance[i]), float(x[row, j])
            )


@kernel
def quantile_into(
    quantile: np.ndarray,
    margin: np.ndarray,
    family: np.ndarray,
    mean: np.ndarray,
    variance: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> None:
    """Fill ``quantile[i, j]`` with the smallest x for which P(D_i <= x) >= lower[i, j].

    ``margin[i, j]`` tells how narrow the decision was for a count.
    """
    for i in range(quantile.shape[0]):
        row = i if lower.shape[0] > 1 else 0
        for j in range(quantile.shape[1]):
            quantile[i, j], margin[i, j] = quantile_and_margin(
                int(family[i]),
                float(mean[i]),
                float(variance[i]),
                float(lower[row, j]),
                float(upper[row, j]),
            )


@dataclass(frozen=True, slots=True, eq=False)
class DemandDistribution:
    """n independent demands, for instance over the lead time of n SKU-nodes.

    A demand of mean 0 is surely 0, and a gamma or normal demand of variance 0 is surely its
    mean. Poisson demands have variance = mean, negative binomial ones variance > mean.

    Attributes
    ----------
    mean : (n,) float64
        Expected units.
    variance : (n,) float64
        Variance in units squared.
    family : (n,) int8
        ``NORMAL``, ``GAMMA``, ``POISSON`` or ``NEGATIVE_BINOMIAL``.

    Examples
    --------
    >>> demand = DemandDistribution.from_moments([6.0, 2.5], [6.0, 7.5])
    >>> demand.quantile(0.95)
    array([10.,  8.])
    >>> demand.loss([10, 8]).round(4)
    array([0.0773, 0.125 ])
    """

    mean: np.ndarray
    variance: np.ndarray
    family: np.ndarray

    def __post_init__(self) -> None:
        for name, dtype in (("mean", np.float64), ("variance", np.float64), ("family", np.int8)):
            array = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            object.__setattr__(self, name, array)
            if array.ndim != 1 or array.shape != self.mean.shape:
                raise InputError(f"{name} must have shape {self.mean.shape}, got {array.shape}")
        _refuse(
            ~(np.abs(self.mean) <= _LARGEST_MEAN),
            f"mean must be finite and at most {_LARGEST_MEAN:g}",
            self.mean,
        )
        _refuse(
            ~(np.isfinite(self.variance) & (self.variance >= 0)),
            "variance must be >= 0 and finite",
            self.variance,
        )
        _refuse(
            (self.family < NORMAL) | (self.family > NEGATIVE_BINOMIAL),
            "family must be one of 0..3",
            self.family,
        )
        _refuse((self.mean < 0) & (self.family != NORMAL), "mean must be >= 0", self.mean)
        narrow = (self.family == NEGATIVE_BINOMIAL) & (self.variance <= self.mean) & (self.mean > 0)
        _refuse(narrow, "a negative binomial needs variance > mean", self.variance)

    @classmethod
    def from_moments(
        cls, mean: ArrayLike, variance: ArrayLike, *, counts: ArrayLike = True
    ) -> DemandDistribution:
        """Choose the family from what demand counts and from its moments.

        Parameters
        ----------
        mean, variance : (n,) float64 or scalar
            Expected units (>= 0) and their variance (>= 0).
        counts : bool or (n,) bool
            Whether demand comes in whole units. Counts are Poisson where the variance is at
            most the mean (it is then raised to the mean) and negative binomial above;
            other demand is gamma.

        Raises
        ------
        InputError
            If a moment is negative or not finite, or shapes disagree.
        """
        means, variances, whole = np.broadcast_arrays(
            np.atleast_1d(np.asarray(mean, dtype=np.float64)),
            np.asarray(variance, dtype=np.float64),
            np.asarray(counts, dtype=bool),
        )
        _refuse(~(np.isfinite(means) & (means >= 0)), "mean must be >= 0 and finite", means)
        poisson = whole & (variances <= means * (1.0 + _POISSON_MARGIN))
        poisson |= whole & (means == 0.0) & (variances >= 0.0) & np.isfinite(variances)
        family = np.where(whole, np.where(poisson, POISSON, NEGATIVE_BINOMIAL), GAMMA)
        _refuse(~(variances >= 0), "variance must be >= 0 and finite", variances)
        return cls(
            mean=means.copy(),
            variance=np.where(poisson, means, variances),
            family=family.astype(np.int8),
        )

    def __len__(self) -> int:
        return len(self.mean)

    def __getitem__(self, index: Any) -> DemandDistribution:
        """Return some of the demands: by number, slice, mask or index array."""
        rows = np.atleast_1d(np.arange(len(self))[index])
        return DemandDistribution(self.mean[rows], self.variance[rows], self.family[rows])

    def __add__(self, other: DemandDistribution) -> DemandDistribution:
        """Return the sums of independent demands, row by row, with both moments exact.

        Counts stay counts; a normal demand makes the sum normal, else a gamma makes it gamma.
        """
        if len(self) != len(other):
            raise InputError(f"cannot add {len(other)} demands to {len(self)}")
        mean = self.mean + other.mean
        variance = self.variance + other.variance
        counts = (self.family >= POISSON) & (other.family >= POISSON)
        total = DemandDistribution.from_moments(np.maximum(mean, 0.0), variance, counts=counts)
        normal = (self.family == NORMAL) | (other.family == NORMAL)
        family = np.where(normal, NORMAL, total.family)
        return DemandDistribution(mean, np.where(normal, variance, total.variance), family)

    @property
    def _codes(self) -> np.ndarray:
        # Kernels get every integer as int64, or they would be compiled for each width.
        return self.family.astype(np.int64)

    @property
    def counts(self) -> np.ndarray:
        """(n,) bool: whether the demand comes in whole units."""
        return self.family >= POISSON

    @property
    def family_names(self) -> tuple[str, ...]:
        """The name of each demand's family."""
        return tuple(FAMILY_NAMES[code] for code in self.family)

    def quantile(self, p: ArrayLike) -> np.ndarray:
        """Return the smallest x with P(D <= x) >= p; whole for counts.

        Parameters
        ----------
        p : float, (n,), (n, k) or (1, k) float64
            Probabilities strictly between 0 and 1.

        Returns
        -------
        (n,) or (n, k) float64

        Raises
        ------
        InputError
            If a probability lies outside (0, 1) or the shape does not fit.
        """
        lower, flat = self._questions(p, "p")
        if not np.all((lower > 0.0) & (lower < 1.0)):
            raise InputError("p must lie strictly between 0 and 1")
        return self._solved(lower, 1.0 - lower, flat)

    def upper_quantile(self, q: ArrayLike) -> np.ndarray:
        """Return the smallest x with P(D > x) <= q, for tails too small to write as 1 - p.

        Shapes and errors are those of :meth:`quantile`.
        """
        upper, flat = self._questions(q, "q")
        if not np.all((upper > 0.0) & (upper < 1.0)):
            raise InputError("q must lie strictly between 0 and 1")
        return self._solved(1.0 - upper, upper, flat)

    def _solved(self, lower: np.ndarray, upper: np.ndarray, flat: bool) -> np.ndarray:
        out = np.empty((len(self), lower.shape[1]))
        margin = np.empty_like(out)
        quantile_into(out, margin, self._codes, self.mean, self.variance, lower, upper)
        close = np.argwhere(margin < CLOSE)
        if len(close):
            self._decide(out, close, lower, upper)
        return out[:, 0] if flat else out

    def _decide(
        self, out: np.ndarray, close: np.ndarray, lower: np.ndarray, upper: np.ndarray
    ) -> None:
        """Settle in exact arithmetic the quantiles that floats cannot tell apart."""
        known: dict[tuple[float, ...], int] = {}
        for i, j in close:
            row = i if len(lower) > 1 else 0
            question = (
                int(self.family[i]),
                float(self.mean[i]),
                float(self.variance[i]),
                int(out[i, j]),
                float(lower[row, j]),
                float(upper[row, j]),
            )
            if question not in known:
                known[question] = exact_count_quantile(*question)
            out[i, j] = known[question]

    def cdf(self, x: ArrayLike) -> np.ndarray:
        """Return P(D <= x) for x of shape (), (n,), (n, k) or (1, k)."""
        return self._tails(x)[0]

    def sf(self, x: ArrayLike) -> np.ndarray:
        """Return P(D > x), relatively accurate in the far tail; shapes as for :meth:`cdf`."""
        return self._tails(x)[1]

    def _tails(self, x: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        levels, flat = self._questions(x, "x")
        below = np.empty((len(self), levels.shape[1]))
        above = np.empty_like(below)
        tails_into(below, above, self._codes, self.mean, self.variance, levels)
        return (below[:, 0], above[:, 0]) if flat else (below, above)

    def loss(self, x: ArrayLike) -> np.ndarray:
        """Return E[(D - x)+], the expected units short when x are there; shapes as for `cdf`."""
        return self._filled(loss_into, x)

    def surplus(self, x: ArrayLike) -> np.ndarray:
        """Return E[(x - D)+], the expected units left when x were there; shapes as for `cdf`."""
        return self._filled(surplus_into, x)

    def _filled(self, fill: Callable[..., None], x: ArrayLike) -> np.ndarray:
        levels, flat = self._questions(x, "x")
        out = np.empty((len(self), levels.shape[1]))
        fill(out, self._codes, self.mean, self.variance, levels)
        return out[:, 0] if flat else out

    def _questions(self, values: ArrayLike, name: str) -> tuple[np.ndarray, bool]:
        """Give ``values`` the shape (1 or n, k), and tell whether one answer per row is due."""
        array = np.asarray(values, dtype=np.float64)
        if np.isnan(array).any():
            raise InputError(f"{name} must not be NaN")
        n = len(self)
        if array.ndim == 0:
            return np.full((1, 1), float(array)), True
        if array.shape == (n,):
            return np.ascontiguousarray(array.reshape(n, 1)), True
        if array.ndim == 2 and array.shape[0] in (1, n):
            return np.ascontiguousarray(array), False
        raise InputError(
            f"{name} must be a number or have shape ({n},), ({n}, k) or (1, k), got {array.shape}"
        )


def _refuse(wrong: np.ndarray, expected: str, values: np.ndarray) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(f"{expected}; row {row} (from 0) has {values.reshape(-1)[row]}")
