"""The pieces of HTML that pages are made of. Every text from data is escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

__all__ = ["Column", "Row", "cards", "figure", "table", "whole"]

Row = Mapping[str, Any]
# heading, is it a number, how a row shows it
Column = tuple[str, bool, Callable[[Row], str]]


def table(caption: str, hint: str, columns: Sequence[Column], rows: Iterable[Row]) -> str:
    head = "".join(
        f'<th scope="col" class="{"n" if numeric else ""}">{escape(title)}</th>'
        for title, numeric, _ in columns
    )
    body = []
    for row in rows:
        cells = "".join(
            f'<td class="{"n" if numeric else title.lower()}">{show(row)}</td>'
            for title, numeric, show in columns
        )
        body.append(f"<tr>{cells}</tr>")
    note = f"<span>{escape(hint)}</span>" if hint else ""
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{escape(caption)}{note}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def whole(text: str) -> str:
    """A name that must not break over lines."""
    return f'<span class="whole">{escape(text)}</span>'


def figure(chart: str, title: str, hint: str) -> str:
    return (
        f"<figure><figcaption>{escape(title)}<span>{escape(hint)}</span></figcaption>"
        f'<div class="chart" id="chart-{chart}" role="img" aria-label="{escape(title)}"></div>'
        "</figure>"
    )


def cards(cards: Iterable[tuple[str, str, str, bool]]) -> str:
    """Cards of (name, figure, remark, is it bad news)."""
    parts = []
    for name, figure, remark, bad in cards:
        more = f'<dd class="small">{escape(remark)}</dd>' if remark else ""
        kind = ' class="bad"' if bad else ""
        parts.append(f"<div{kind}><dt>{escape(name)}</dt><dd>{escape(figure)}</dd>{more}</div>")
    return f'<dl class="cards">{"".join(parts)}</dl>'
