"""What the engine answers with."""

from __future__ import annotations

from dataclasses import dataclass, field

from omnistock.errors import OmnistockError, Shortage

__all__ = [
    "AtpRow",
    "Check",
    "Delivery",
    "Demand",
    "Explanation",
    "FeedAnswer",
    "GroupPromise",
    "Hold",
    "HoldLine",
    "Level",
    "LevelChange",
    "OrderStatus",
    "Outcome",
    "Peg",
    "Promise",
    "Reduction",
    "Repromise",
    "StockChange",
    "Verification",
]


@dataclass(frozen=True, slots=True)
class HoldLine:
    """Units of one stocked SKU that a hold has at one node, in one compartment.

    ``quantity`` is what is still open, in smallest units; ``asked`` is the SKU
    of the request, which is the kit if this is one of its components, and ``per``
    the units of this SKU in one of it. ``bucket`` is when it is due, "" for now;
    ``backordered`` is what of it the stockpoint cannot cover as it stands.
    """

    sku: str
    node: str
    quantity: int
    shipped: int = 0
    returned: int = 0
    asked: str = ""
    lot: str = ""
    segment: str = ""
    bucket: str = ""
    per: int = 1
    backordered: int = 0


@dataclass(frozen=True, slots=True)
class Hold:
    """A reservation as it stood when it was asked for.

    ``status`` is held (soft, ends at the second ``expires_at``), confirmed (hard),
    picking, shipped, released or expired. ``short`` lists what a partial reservation
    lacks; ``backordered`` is what was taken beyond stock, ``released`` what the command
    gave back. ``duplicate``: the request id had been used, and this is its first answer.
    """

    hold_id: int
    order: str
    status: str
    channel: str
    lines: tuple[HoldLine, ...]
    expires_at: int | None = None
    short: tuple[Shortage, ...] = ()
    backordered: int = 0
    released: int = 0
    duplicate: bool = False

    @property
    def quantity(self) -> int:
        """Units still open, over all lines."""
        return sum(line.quantity for line in self.lines)


@dataclass(frozen=True, slots=True)
class Reduction:
    """Units that an order lost because stock was not there."""

    order: str
    hold_id: int
    sku: str
    units: int


@dataclass(frozen=True, slots=True)
class StockChange:
    """What a count, an adjustment or an issue came to.

    ``found`` is the change of on hand; ``reduced`` lists the promises that had to yield.
    """

    found: int
    reduced: tuple[Reduction, ...] = ()


@dataclass(frozen=True, slots=True)
class FeedAnswer:
    """What a delta or snapshot of another system came to.

    ``drift`` is how far on hand was from what the snapshot says, both as of the same
    moment; ``duplicate``: it came before, and nothing changed.
    """

    on_hand: int
    duplicate: bool
    drift: int


Value = Hold | StockChange | FeedAnswer | int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one command of a batch: a value, or the error it would have raised."""

    value: Value = None
    error: OmnistockError | None = None

    @property
    def ok(self) -> bool:
        """True if the command was carried out."""
        return self.error is None

    @property
    def status(self) -> str:
        """The hold's status, "rejected" for a refused command, "done" for any other."""
        if self.error is not None:
            return "rejected"
        return self.value.status if isinstance(self.value, Hold) else "done"

    @property
    def hold(self) -> Hold:
        """The hold that the command made or changed; raises the error of a refused one."""
        value = self.result()
        assert isinstance(value, Hold), "the command was not about a hold"
        return value

    @property
    def reason(self) -> str:
        """Why the command was refused, empty if it was not."""
        return "" if self.error is None else str(self.error)

    def result(self) -> Value:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class AtpRow:
    """One bucket of a stockpoint's plan, in smallest units.

    ``projected`` is the balance at the end of the bucket, ``free`` that less the buffer
    in force then; ``atp`` is what the method says may be promised for it, None where
    the method has no figure for the bucket.
    """

    bucket: str
    receipts: int
    commitments: int
    projected: int
    free: int
    atp: int | None
    cumulative_atp: int


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a quantity may be promised, and if not why, how many and when.

    Attributes
    ----------
    ok : bool
    available : int
        What the same asker could have, in smallest units.
    code, binding : str
        Why not: a word for programs; the constraint that stands in the way.
    backorder : int
        Units of the quantity that would be beyond stock.
    next_date, latest_date : str or None
        First later and last earlier bucket for which the whole quantity is possible.
    mode : str
        "stock", "backorder", "planned" (from supply beyond the fence) or "untracked".
    """

    ok: bool
    available: int
    code: str = ""
    binding: str = ""
    backorder: int = 0
    next_date: str | None = None
    latest_date: str | None = None
    mode: str = "stock"


@dataclass(frozen=True, slots=True)
class Demand:
    """One demand of a batch: what, how many, by when, and how strictly."""

    order: str
    sku: str
    quantity: int | str
    by: int | str | None = None
    priority: int = 0
    partial: bool = True
    latest: int | str | None = None
    minimum_shipment: int = 1
    channel: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Units promised for one bucket, at a node if one was named."""

    date: str
    quantity: int
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """When how much of a quantity can be had; ``short`` is what cannot within the horizon.

    ``hold`` is the reservation, if the promise was kept and came in one delivery.
    """

    order: str
    sku: str
    deliveries: tuple[Delivery, ...]
    short: int
    delay_buckets: int
    hold: Hold | None = None


@dataclass(frozen=True, slots=True)
class GroupPromise:
    """Promises of lines that belong together; ``dates`` by SKU, None where there is no date."""

    promises: tuple[Promise, ...]
    dates: dict[str, str | None]
    shipments: int


@dataclass(frozen=True, slots=True)
class Peg:
    """Units of a demand and the supply they come from.

    ``source`` is "stock", the reference of a receipt, or None if there is no supply.
    """

    source: str | None
    quantity: int
    filled: bool
    date: str | None = None

    @property
    def reference(self) -> str | None:
        """Reference of the receipt, None for stock and where there is no supply."""
        return None if self.source == "stock" else self.source


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """What was ordered of each SKU, and what of it is reserved and shipped."""

    order: str
    requested: dict[str, int]
    reserved: dict[str, int]
    shipped: dict[str, int]
    status: str
    holds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Repromise:
    """What a run over waiting orders came to, in smallest units by order.

    ``exceptions`` are orders that did not get what their strategy guarantees; ``losses``
    is what each order had before and has no more; ``free`` by SKU is what is left.
    """

    confirmed: dict[str, int]
    exceptions: tuple[str, ...]
    losses: dict[str, int]
    free: dict[str, int]
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """The range in which an availability lies."""

    name: str
    available: int


@dataclass(frozen=True, slots=True)
class LevelChange:
    """An availability that crossed from one range into another."""

    sku: str
    channel: str
    old: str
    new: str
    available: int
    sequence: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way from on hand to available, step by step; the steps sum to ``available``."""

    sku: str
    channel: str | None
    node: str | None
    steps: tuple[tuple[str, int], ...]
    available: int
    binding: str
    components: tuple[Explanation, ...] = field(default=())

    def text(self) -> str:
        """Draw the waterfall as lines of text."""
        asker = f" for {self.channel}" if self.channel else ""
        place = f" at {self.node}" if self.node else ""
        lines = [f"{self.sku}{asker}{place}"]
        lines += [f"  {label:<34} {units:>+10,}" for label, units in self.steps]
        lines.append(f"  {'available':<34} {self.available:>10,}   bound by {self.binding}")
        for component in self.components:
            lines += ["", component.text()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Verification:
    """What an audit of the ledger found.

    ``differences`` names each number that the running engine has otherwise than
    the ledger says; on a right engine there are none.
    """

    frames: int
    events: int
    stockpoints: int
    holds: int
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True if nothing differs."""
        return not self.differences
