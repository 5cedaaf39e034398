"""What the engine answers with."""

from __future__ import annotations

from dataclasses import dataclass, field

from omnistock.errors import OmnistockError, Shortage

__all__ = ["AtpRow", "Explanation", "Hold", "HoldLine", "Outcome", "Verification"]


@dataclass(frozen=True, slots=True)
class HoldLine:
    """Units of one stocked SKU that a hold has at one node.

    ``quantity`` is what is still open, in smallest units; ``asked`` is the SKU
    of the request, which is the kit if this is one of its components.
    """

    sku: str
    node: str
    quantity: int
    shipped: int = 0
    returned: int = 0
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A reservation as it stood when it was asked for.

    ``status`` is held (soft, ends at the second ``expires_at``), confirmed (hard),
    shipped, released or expired. ``short`` lists what a partial reservation lacks.
    """

    hold_id: int
    order: str
    status: str
    channel: str
    lines: tuple[HoldLine, ...]
    expires_at: int | None = None
    short: tuple[Shortage, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one command of a batch: a value, or the error it would have raised."""

    value: Hold | int | None = None
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

    def result(self) -> Hold | int | None:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class AtpRow:
    """One bucket of a stockpoint's plan, in smallest units.

    ``projected`` is the balance at the end of the bucket; ``atp`` is what one more
    order due in it may have: the lowest balance from then on, less the buffer.
    """

    bucket: str
    receipts: int
    commitments: int
    projected: int
    atp: int


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
