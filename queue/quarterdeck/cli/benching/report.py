"""The report: on stdout as a table, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from quarterdeck.cli.benching.bar import Row
from quarterdeck.cli.benching.machine import Machine


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All that was found."""

    machine: Machine
    server: str
    transport: str
    append_only: bool
    versions: dict[str, str]
    rounds: int
    scale: float
    rows: list[Row]
    figures: list[dict[str, Any]]


def shown(value: float) -> str:
    """Three figures at least, thousands told apart."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def lines(report: Report) -> list[str]:
    """The report as text."""
    return [*_head(report), "", *_table(report.rows)]


def markdown(report: Report) -> list[str]:
    """The report as a page shows it: where it was measured, what has a bar, and what those ratios were taken from."""
    machine, server, rounds = _head(report)
    barred, rest = ([row for row in report.rows if bool(row.bar) is wanted] for wanted in (True, False))
    bars = [_piped(row.measure, row.what, row.bar, *_figures(row)) for row in barred]
    figures = [_piped(row.measure, row.what, *_figures(row)[:2]) for row in rest]
    return [
        *(f"- {line}" for line in (machine, server, rounds)),
        *("", *_piped_head("measure", "what", "bar", "median", "rounds", ""), *bars),
        *("", *_piped_head("measure", "what", "median", "rounds"), *figures),
    ]


def _piped(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _piped_head(*names: str) -> tuple[str, str]:
    return _piped(*names), _piped(*["---"] * len(names))


def _head(report: Report) -> list[str]:
    machine = report.machine
    versions = ", ".join(f"{name} {version}" for name, version in report.versions.items())
    load = ", ".join(f"{each:.1f}" for each in machine.load)
    way = "Unix socket" if report.transport == "unix" else "loopback TCP"
    return [
        f"{machine.cpu}, {machine.cores} cores, {machine.memory_gb:g} GB, {machine.system}; {machine.python}",
        f"{report.server}, {way}, append-only {'on' if report.append_only else 'off'}; {versions}",
        f"medians of {report.rounds} rounds, ratios within rounds; load before: {load}",
    ]


def _figures(row: Row) -> tuple[str, str, str]:
    """A row's median, its rounds and its verdict."""
    value = "-" if row.value is None else f"{shown(row.value)} {row.unit}".strip()
    spread = f"{shown(row.spread[0])} … {shown(row.spread[1])}" if row.spread else ""
    return value, spread, {True: "met", False: "MISSED", None: ""}[row.met]


def _table(rows: Sequence[Row]) -> list[str]:
    cells = [("MEASURE", "", "MEDIAN", "ROUNDS", "BAR", "")]
    for row in rows:
        value, spread, verdict = _figures(row)
        cells.append((row.measure, row.what, value, spread, row.bar, verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(6)]
    return ["  ".join(_cell(text, widths[at], at) for at, text in enumerate(line)).rstrip() for line in cells]


def _cell(text: str, width: int, column: int) -> str:
    return text.rjust(width) if column in {2, 3} else text.ljust(width)
