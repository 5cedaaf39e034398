"""Rules on what stands between stock and a promise: buffers, backorders, limits, switches."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule
from machine_base import CHANNELS, DAY, HORIZON, days, in_turn, nodes, skus
from plain_limits import Limit
from plain_stock import Place

channels = st.sampled_from([name for name in CHANNELS if name])
untils = st.one_of(st.none(), st.integers(1, HORIZON * DAY))
# Classes that share supply by percentages fit no asker together.
matches = st.sampled_from(
    [
        (("channel", "web"),),
        (("channel", "store"),),
        (("org", "a"),),
        (("channel", "web"), ("org", "*")),
    ]
)


class LimitRules:
    """Each rule does the same to both."""

    @in_turn(0)
    @rule(sku=skus, node=nodes, units=st.integers(0, 4), ahead=st.integers(0, 5))
    def set_buffer(self, sku, node, units, ahead):
        since = None if ahead == 0 else self.now + ahead * DAY
        point = self.plain.point(Place(sku, node))
        self.do("set_buffer", sku, units, node=node, since=since)
        if ahead:
            point.later_buffers[self.plain.today + ahead] = units
        else:
            point.buffer, point.percent = units, 0

    @in_turn(0)
    @rule(sku=st.sampled_from(("tee", "cap")), node=nodes, percent=st.sampled_from((0, 10, 50)))
    def set_buffer_by_share(self, sku, node, percent):
        point = self.plain.point(Place(sku, node))
        self.do("set_buffer", sku, percent=percent, node=node)
        point.buffer, point.percent = 0, percent

    @in_turn(0)
    @rule(
        sku=st.sampled_from(("tee", "cap")),
        channel=channels,
        units=st.integers(0, 4),
        node=st.one_of(st.none(), nodes),
        share=st.booleans(),
    )
    def set_channel_buffer(self, sku, channel, units, node, share):
        place = None if node is None else Place(sku, node)
        if place is not None:
            self.plain.point(place)
        given = {"percent": 25 * units} if share else {"quantity": units}
        self.do("set_buffer", sku, **given, channel=channel, node=node)
        match = (("channel", channel),)
        kept, percent = (0, 25 * units) if share else (units, None)
        self.plain.set_limit(Limit("buffer", sku, match, kept, percent, place=place))

    @in_turn(0)
    @rule(sku=skus, units=st.integers(0, 3))
    def set_buffer_everywhere(self, sku, units):
        self.do("set_buffer", sku, units)
        self.plain.everywhere[sku, "buffer"] = units
        for node in {place.node for place in self.plain.places(sku)}:
            point = self.plain.point(Place(sku, node))
            point.buffer, point.percent = units, 0

    @in_turn(0)
    @rule(
        sku=skus,
        units=st.one_of(st.integers(0, 5), st.none()),
        node=nodes,
    )
    def set_backorder(self, sku, units, node):
        self.do("set_backorder", sku, units, node=node)
        self.plain.point(Place(sku, node)).backorder = 10**9 if units is None else units

    @in_turn(0)
    @rule(sku=skus, units=st.integers(0, 3))
    def set_backorder_everywhere(self, sku, units):
        self.do("set_backorder", sku, units)
        self.plain.everywhere[sku, "backorder"] = units
        for node in {place.node for place in self.plain.places(sku)}:
            self.plain.point(Place(sku, node)).backorder = units

    @in_turn(0)
    @rule(
        node=nodes,
        units=st.one_of(st.none(), st.integers(0, 12)),
        ahead=st.one_of(st.none(), st.integers(0, 3)),
        busy=st.integers(0, 2),
    )
    def set_capacity(self, node, units, ahead, busy):
        on = None if ahead is None else self.now + ahead * DAY
        busy = 0 if ahead is None else busy
        self.do("set_capacity", node, units, on=on, busy=busy)
        day = None if ahead is None else self.plain.today + ahead
        self.plain.set_capacity(node, day, None if units is None else max(0, units - busy))
        left = self.plain.capacity_left(node, self.plain.today if day is None else day)
        assert self.engine.capacity_left(node, on=on) == left

    @in_turn(0)
    @rule(sku=skus, match=matches, units=st.one_of(st.none(), st.integers(0, 9)), ends=untils)
    def set_quota(self, sku, match, units, ends):
        until = None if ends is None else self.now + ends
        self.do("set_quota", sku, None, units, match=dict(match), until=until)
        self.plain.set_limit(Limit("quota", sku, match, units, until=until))

    @in_turn(0)
    @rule(
        sku=st.sampled_from(("tee", "cap")),
        org=st.sampled_from(("a", "b")),
        percent=st.sampled_from((0, 25, 50, 100)),
        of_remaining=st.booleans(),
        priority=st.integers(0, 1),
    )
    def set_quota_by_share(self, sku, org, percent, of_remaining, priority):
        base = "remaining" if of_remaining else "total"
        match = (("org", org),)
        self.do("set_quota", sku, match=dict(match), percent=percent, base=base, priority=priority)
        limit = Limit("quota", sku, match, None, percent, of_remaining, priority)
        self.plain.set_limit(limit)

    @in_turn(0)
    @rule(sku=skus, first=st.integers(0, 5), length=st.integers(1, 3), units=st.integers(0, 6))
    def set_quota_of_a_period(self, sku, first, length, units):
        start = self.plain.today + first
        period = start, start + length
        moments = start * DAY, (start + length) * DAY
        match = (("channel", "web"),)
        self.do("set_quota", sku, "web", units, period=moments, window=(1, 1))
        limit = Limit("quota", sku, match, units, period=period, window=(1, 1))
        self.plain.set_limit(limit)

    @in_turn(0)
    @rule(
        sku=skus,
        match=matches,
        units=st.integers(0, 9),
        priority=st.integers(0, 2),
        segment=st.one_of(st.none(), st.just("vip")),
        ends=untils,
        first=st.one_of(st.none(), days),
    )
    def set_protection(self, sku, match, units, priority, segment, ends, first):
        until = None if ends is None else self.now + ends
        start = self.plain.today + (first or 0)
        period = None if first is None else (start, start + 2)
        self.do(
            "set_protection",
            sku,
            None,
            units,
            match=dict(match),
            priority=priority,
            segment=segment,
            until=until,
            period=None if period is None else (period[0] * DAY, period[1] * DAY),
        )
        self.plain.set_limit(
            Limit(
                "protection",
                sku,
                match,
                units,
                priority=priority,
                until=until,
                segment=segment,
                period=period,
            )
        )

    @in_turn(0)
    @rule(node=nodes, active=st.booleans())
    def switch_node(self, node, active):
        self.do("set_node", node, active)
        (self.plain.off.discard if active else self.plain.off.add)(node)

    @in_turn(0)
    @rule(sku=skus, node=nodes, active=st.booleans())
    def switch_sku_at_node(self, sku, node, active):
        self.do("set_node", node, active, sku=sku)
        self.plain.point(Place(sku, node))
        for place in self.plain.places(sku, node):
            self.plain.points[place].off = not active
