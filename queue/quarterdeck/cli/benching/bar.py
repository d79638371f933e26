"""A bar, what was measured against it, and whether it was met."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the report."""

    measure: str
    """The measure it came from, as `--only` names it."""
    what: str
    bar: str
    """What was asked for; empty: told for comparison."""
    value: float | None
    """The median over the rounds; a ratio is taken within each round. None: it could not be measured."""
    unit: str
    met: bool | None
    """None where there is no bar or no value."""
    spread: tuple[float, float] | None = None
    """The smallest and the largest of the rounds."""
    detail: str = ""


def row(
    measure: str,
    what: str,
    values: Sequence[float],
    unit: str,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    detail: str = "",
) -> Row:
    """The row of one value a round."""
    if not values:
        return Row(measure=measure, what=what, bar=_bar(at_least, at_most, unit), value=None, unit=unit, met=None)
    value = statistics.median(values)
    met = None
    if at_least is not None:
        met = value >= at_least
    elif at_most is not None:
        met = value <= at_most
    return Row(
        measure=measure,
        what=what,
        bar=_bar(at_least, at_most, unit),
        value=value,
        unit=unit,
        met=met,
        spread=(min(values), max(values)) if len(values) > 1 else None,
        detail=detail,
    )


def _bar(at_least: float | None, at_most: float | None, unit: str) -> str:
    if at_least is not None:
        return f"≥ {at_least:g} {unit}"
    return f"≤ {at_most:g} {unit}" if at_most is not None else ""


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """Ratios within rounds: both were measured one after the other."""
    return [a / b for a, b in zip(above, below, strict=False) if b]
