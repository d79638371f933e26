"""The next hours of all schedules, and where they collide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tui.rendering.lines import Runs
from tui.rendering.moment import Moment

HOURS: Final = 6
SPAN_MS: Final = HOURS * 3_600_000
MOST_TOLD: Final = 9
"""Fires that one cell tells apart; what fires more often is told as so many."""
_NAME_CELLS: Final = 18


def cells_of(width: int) -> int:
    """How many cells of `width` the hours are spread over."""
    return max(12, width - _NAME_CELLS - 3)


def timeline_lines(fires: Mapping[str, Sequence[int]], moment: Moment, width: int) -> list[Runs]:
    """A scale, a line a schedule with marks where it fires (figures where it fires more often), the busiest times.

    `fires` are epoch ms by schedule; what lies outside of the next `HOURS` is left out.
    """
    cells = cells_of(width)
    counts = {name: _counts(times, moment.now_ms, SPAN_MS, cells) for name, times in fires.items()}
    total = [sum(row[at] for row in counts.values()) for at in range(cells)]
    lines: list[Runs] = [((" " * (_NAME_CELLS + 1) + _scale(moment, SPAN_MS, cells), "muted"),)]
    for name, row in counts.items():
        label = moment.text(name, 200)
        shown = label[: _NAME_CELLS - 1] + moment.glyphs.ellipsis if len(label) > _NAME_CELLS else label
        lines.append(((f"{shown:<{_NAME_CELLS}} ", ""), ("".join(_sign(count, moment) for count in row), "note")))
    together = "".join("." if not count else str(min(MOST_TOLD, count)) for count in total)
    lines.append(((f"{'together':<{_NAME_CELLS}} ", "muted"), (together, "muted")))
    for at in sorted(range(cells), key=lambda cell: -total[cell])[:3]:
        names = [name for name, row in counts.items() if row[at]]
        if len(names) > 1:
            when = moment.clock_time(moment.now_ms + at * SPAN_MS // cells)[:5]
            lines.append(((f"{len(names)} collide at about {when}: {moment.text(', '.join(names), 200)}", "warn"),))
    return lines


def _counts(times: Sequence[int], now_ms: int, span_ms: int, cells: int) -> list[int]:
    row = [0] * cells
    for at_ms in times:
        if 0 <= at_ms - now_ms < span_ms:
            row[(at_ms - now_ms) * cells // span_ms] += 1
    return row


def _sign(count: int, moment: Moment) -> str:
    if not count:
        return "." if moment.glyphs.ascii else "·"
    return ("*" if moment.glyphs.ascii else "●") if count == 1 else str(min(MOST_TOLD, count))


def _scale(moment: Moment, span_ms: int, cells: int) -> str:
    """Clock times over the cells, one an hour."""
    scale = [" "] * cells
    for hour in range(HOURS):
        at = hour * cells // HOURS
        for offset, sign in enumerate(moment.clock_time(moment.now_ms + hour * span_ms // HOURS)[:5]):
            if at + offset < cells:
                scale[at + offset] = sign
    return "".join(scale)
