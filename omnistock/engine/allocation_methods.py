"""The engine's method that puts an allocation into force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from omnistock.engine.allocation_commands import ApplyAllocation, Fence
from omnistock.engine.commands import Moment, RequestId
from omnistock.engine.methods import Methods
from omnistock.errors import FrameError, InputError, Problem

if TYPE_CHECKING:
    from omnistock.allocation import Allocated, ValuedAllocation

    Grants = Allocated | ValuedAllocation

__all__ = ["AllocationMethods", "AppliedAllocation"]

WAYS = ("quota", "protection", "ring_fence")


@dataclass(frozen=True, slots=True)
class AppliedAllocation:
    """How many rows an allocation has set.

    Attributes
    ----------
    quotas, protections : int
        Limits, one per SKU and channel.
    ring_fences : int
        Ring-fences, one per SKU, channel and node.
    """

    quotas: int
    protections: int
    ring_fences: int


class AllocationMethods(Methods):
    """From grants to what stands between stock and a promise."""

    def apply_allocation(
        self,
        allocated: Grants,
        *,
        ways: Collection[str] = ("quota", "protection"),
        until: Moment | None = None,
        request_id: RequestId | None = None,
        now: Moment | None = None,
    ) -> AppliedAllocation:
        """Put the result of ``allocate`` or ``allocate_by_value`` into force, all of it or nothing.

        Everything is one command in one frame of the ledger. Limits count from now on, so
        they are set to what is left of each grant after the claims' ``consumed`` units.
        Limits of SKUs and channels that nobody claims for stay as they are.

        Parameters
        ----------
        allocated : Allocated or ValuedAllocation
            Its claims need a channel; claims of one channel at several nodes are added up
            for quotas and protections, which are about channels.
        ways : collection of {"quota", "protection", "ring_fence"}
            ``quota``: a channel may take what is left of its grant, and what nobody claimed.
            ``protection``: others leave its protected part alone. ``ring_fence``: the rest
            of each grant becomes stock of the segment that is named like the channel, at
            the claim's node if it has one; a ring-fence that holds more gives it back.
        until : optional
            When quotas and protections end; ring-fences do not end by themselves.

        Raises
        ------
        FrameError
            Naming the rows of claims whose SKU, node or channel is unknown or missing.
        OutOfStock
            If a ring-fence needs more free units than there are; nothing has changed then.
        ConflictError
            If ``request_id`` was used before with another content.

        Examples
        --------
        >>> import omnistock as om
        >>> network = om.Network.build(skus=["TEE"], nodes=["DC"], channels=["web", "app"])
        >>> engine = om.open(":memory:", network)
        >>> engine.receive("TEE", "DC", 40)
        >>> claims = {"sku": ["TEE", "TEE"], "channel": ["web", "app"], "quantity": [30, 30]}
        >>> shared = om.allocate({"sku": ["TEE"], "quantity": [40]}, claims)
        >>> engine.apply_allocation(shared, request_id="monday")
        AppliedAllocation(quotas=2, protections=2, ring_fences=0)
        >>> engine.available("TEE", channel="web")
        20
        """
        from omnistock.engine import bulk

        wrong = set(ways) - set(WAYS)
        if wrong or not ways or isinstance(ways, str):
            raise InputError(f"ways must be some of {', '.join(WAYS)}, got {ways!r}")
        bulk.check_names(allocated.claims, self._writer.registry)
        _check_channels(allocated)
        keys, quota, protection = _by_channel(allocated)
        command = ApplyAllocation(
            quotas=_rows(keys, quota) if "quota" in ways else (),
            protections=_rows(keys, protection) if "protection" in ways else (),
            fences=_fences(allocated) if "ring_fence" in ways else (),
            until=until,
            request_id=request_id,
        )
        self._do(command, now)
        return AppliedAllocation(len(command.quotas), len(command.protections), len(command.fences))


def _check_channels(allocated: Grants) -> None:
    """Raise, naming the rows, where claims name no channel, or a channel with and without node."""
    claims = allocated.claims
    problems = [
        Problem("claims", row + 1, "channel", "needs a channel to be put into force")
        for row in np.flatnonzero(claims["channel"] == "").tolist()
    ]
    everywhere = {
        key
        for *key_parts, node in zip(claims["sku"], claims["channel"], claims["node"], strict=True)
        if not node and (key := tuple(key_parts))
    }
    problems += [
        Problem("claims", row + 1, "node", "the channel claims at all nodes too: name one or none")
        for row, (sku, channel, node) in enumerate(
            zip(claims["sku"], claims["channel"], claims["node"], strict=True)
        )
        if node and (sku, channel) in everywhere
    ]
    if problems:
        raise FrameError(problems)


def _by_channel(
    allocated: Grants,
) -> tuple[list[tuple[str, str]], np.ndarray, np.ndarray]:
    """SKU and channel, with the quota and the protection of all its claims together."""
    claims = allocated.claims
    keys = list(zip(claims["sku"].tolist(), claims["channel"].tolist(), strict=True))
    place: dict[tuple[str, str], int] = {}
    of_row = np.array([place.setdefault(key, len(place)) for key in keys], dtype=np.int64)
    left = allocated.granted - allocated.consumed
    quota = np.zeros(len(place), dtype=np.int64)
    protection = np.zeros(len(place), dtype=np.int64)
    np.add.at(quota, of_row, left)
    np.add.at(protection, of_row, allocated.protection)
    # What nobody claimed is open to each channel once, at however many nodes it claims.
    unclaimed = np.zeros(len(place), dtype=np.int64)
    unclaimed[of_row] = allocated.quota - left
    return list(place), quota + unclaimed, protection


def _rows(keys: list[tuple[str, str]], units: np.ndarray) -> tuple[tuple[str, str, int], ...]:
    return tuple((*key, amount) for key, amount in zip(keys, units.tolist(), strict=True))


def _fences(allocated: Grants) -> tuple[Fence, ...]:
    claims = allocated.claims
    left = allocated.granted - allocated.consumed
    columns = (claims["sku"], claims["channel"], claims["node"], left)
    return tuple(zip(*(column.tolist() for column in columns), strict=True))
