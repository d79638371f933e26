"""Figures as people read them at 03:10: short, in fixed places, with their unit."""

from __future__ import annotations

import math
from typing import TypeGuard

_SECOND_MS = 1_000
_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_S = 86_400


def human_duration(ms: float | None) -> str:
    """How long something took, from milliseconds: `<1ms` `85ms` `1.2s` `41s` `4m10s` `2h05m` `3d04h`; `-` unknown."""
    if not _known(ms) or ms < 0:
        return "-"
    if ms < 1:
        return "<1ms" if ms else "0ms"
    if ms < 999.5:
        return f"{ms:.0f}ms"
    return f"{ms / _SECOND_MS:.1f}s" if ms < 9_950 else _long_duration(round(ms / _SECOND_MS))


def _long_duration(seconds: int) -> str:
    """Ten seconds and more, in the two largest units."""
    if seconds < _MINUTE_S:
        return f"{seconds}s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S}m{seconds % _MINUTE_S:02}s"
    if seconds < _DAY_S:
        return f"{seconds // _HOUR_S}h{seconds % _HOUR_S // _MINUTE_S:02}m"
    return f"{seconds // _DAY_S}d{seconds % _DAY_S // _HOUR_S:02}h"


def whole_minutes(ms: int) -> str:
    """What is left, from milliseconds, in one word: `41m`, `2h05m`, `3d04h`; the last two minutes in seconds."""
    if ms >= _DAY_S * _SECOND_MS:
        return human_duration(ms)
    if ms < 2 * _MINUTE_S * _SECOND_MS:
        return f"{max(0, ms // _SECOND_MS)}s"
    minutes = round(ms / (_MINUTE_S * _SECOND_MS))
    return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}m"


def human_age(ms: float | None) -> str:
    """How long ago, from milliseconds, in one unit: `0 s` `48 s` `4 m` `2 h` `3 d`; `-` when unknown.

    Never negative: a clock that runs ahead reads as `0 s`.
    """
    if not _known(ms):
        return "-"
    seconds = max(0, int(ms // _SECOND_MS))
    if seconds < 100:
        return f"{seconds} s"
    if seconds < 100 * _MINUTE_S:
        return f"{seconds // _MINUTE_S} m"
    if seconds < 2 * _DAY_S:
        return f"{seconds // _HOUR_S} h"
    return f"{seconds // _DAY_S} d"


def human_count(count: float | None, width: int = 9) -> str:
    """A number of things: `1,204`; rounded to `123k`, `4.5M`, `2.1G` when it would take more than `width` cells."""
    if not _known(count):
        return "-"
    whole = f"{int(count):,}"
    if len(whole) <= width:
        return whole
    units = iter("kMGTPE")
    size, unit = float(count) / 1_000, next(units)
    while abs(size) >= 999.5 and (larger := next(units, "")):
        size, unit = size / 1_000, larger
    return f"{size:.1f}{unit}" if abs(size) < 9.95 else f"{size:.0f}{unit}"


def count_of(count: int, noun: str, nouns: str = "") -> str:
    """A number with its noun: `1 job`, `0 jobs`, `1,204 jobs`; `nouns` is the plural where it is not an added `s`."""
    return f"{human_count(count, 15)} {noun if count == 1 else nouns or noun + 's'}"


def human_rate(per_second: float | None) -> str:
    """Events per second with as many digits as matter: `0` `0.1` `20.1` `1,284`; `-` when unknown."""
    if not _known(per_second):
        return "-"
    if per_second == 0:
        return "0"
    if per_second < 0.05:
        return "<0.1"
    return f"{per_second:.1f}" if per_second < 99.95 else human_count(round(per_second), 6)


def human_percent(share: float | None) -> str:
    """A share of one in percent: `0%` `<0.1%` `6.1%` `42%` `100%`. Only nothing is `0%`, only all is `100%`."""
    if not _known(share):
        return "-"
    percent = min(share, 1e9) * 100
    if percent <= 0:
        return "0%"
    if percent < 0.1:
        return "<0.1%"
    if percent < 9.95:
        return f"{percent:.1f}%"
    return f"{min(99, round(percent))}%" if share < 1 else f"{round(percent)}%"


def human_bytes(size: float | None) -> str:
    """A size in bytes, in powers of 1,024 and as people write them: `812 B` `4.2 KB` `31 MB`."""
    if not _known(size):
        return "-"
    if abs(size) < 1_023.5:
        return f"{size:.0f} B"
    units = iter(("KB", "MB", "GB", "TB", "PB"))
    amount, unit = size / 1_024, next(units)
    while abs(amount) >= 1_023.5 and (larger := next(units, "")):
        amount, unit = amount / 1_024, larger
    return f"{amount:.1f} {unit}" if abs(amount) < 9.95 else f"{amount:.0f} {unit}"


def countdown(ms: float | None) -> str:
    """The time until something, from milliseconds: `00:12` `02:14:09` `3d 04:14`; overdue with a minus; `-` unknown.

    Seconds are rounded up, so that `00:00` is shown from the moment it is due and not a second before.
    """
    if not _known(ms):
        return "-"
    seconds = -int(-ms // _SECOND_MS)
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    minutes = seconds % _HOUR_S // _MINUTE_S
    if seconds >= _DAY_S:
        return f"{sign}{seconds // _DAY_S}d {seconds % _DAY_S // _HOUR_S:02}:{minutes:02}"
    if seconds >= _HOUR_S:
        return f"{sign}{seconds // _HOUR_S:02}:{minutes:02}:{seconds % _MINUTE_S:02}"
    return f"{sign}{minutes:02}:{seconds % _MINUTE_S:02}"


def _known(value: float | None) -> TypeGuard[float]:
    """Whether there is a figure at all: neither `None` nor what a division by nothing left behind."""
    return value is not None and math.isfinite(value)
