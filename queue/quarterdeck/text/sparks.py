"""Sparklines: a row of numbers as a row of bars, one cell each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

_BARS: Final = "▁▂▃▄▅▆▇█"
_ASCII_BARS: Final = "_.-:=+*#"


def sparkline(
    values: Sequence[float | None],
    width: int,
    ascii: bool = False,  # noqa: A002  (the word of the command line)
    top: float | None = None,
    *,
    coarse: bool = False,
) -> str:
    """Return the newest values as bars, exactly `width` cells, the newest at the right.

    More values than cells are gathered, each bar the largest of its share, so that a spike is never averaged away;
    fewer leave spaces at the left. `None` (nothing known; as are NaN and infinity) is a space; zero is the lowest bar
    and only zero is. `top` is the value of a full bar, by default the largest one given.

    `coarse` is for bad lines: half as many bars of two cells each, three heights, and a scale that moves only when
    the largest value doubles or halves, so that far fewer cells change as values come and go.
    """
    if width <= 0:
        return ""
    if coarse and width > 1:
        return _coarse(values, width, ascii, top)
    bars = _ASCII_BARS if ascii else _BARS
    shares = _gather([value if value is None or math.isfinite(value) else None for value in values], width)
    peak = top if top is not None else max((value for value in shares if value is not None), default=0)
    return "".join(_bar(value, peak, bars) for value in shares).rjust(width)


def _coarse(values: Sequence[float | None], width: int, ascii: bool, top: float | None) -> str:  # noqa: A002
    """Bars of two cells in three heights against a power of two."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    peak = top if top is not None else max(known, default=0)
    scale = 2.0 ** min(1023, math.ceil(math.log2(peak))) if peak > 0 else 0.0
    rising = (_ASCII_BARS if ascii else _BARS)[1:]
    heights = str.maketrans(rising, rising[2] * 4 + rising[-1] * 3)
    bars = sparkline(values, width // 2, ascii, scale).translate(heights)
    return "".join(bar * 2 for bar in bars).rjust(width)


def _gather(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values: the largest of each share of neighbours."""
    count = len(values)
    if count <= width:
        return list(values)
    cuts = [count * cell // width for cell in range(width + 1)]
    shares = (values[low:high] for low, high in pairwise(cuts))
    return [max((value for value in share if value is not None), default=None) for share in shares]


def _bar(value: float | None, peak: float, bars: str) -> str:
    """The bar of one value; a value that is not zero never looks like zero."""
    if value is None:
        return " "
    if value <= 0 or peak <= 0:
        return bars[0]
    step = value / peak * (len(bars) - 1)
    return bars[min(len(bars) - 1, max(1, round(step)))]
