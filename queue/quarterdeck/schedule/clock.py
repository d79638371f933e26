"""From a wall clock to moments: what happens when a zone's clock skips or repeats some time.

The rules are those of Debian's cron(8): a job with a wildcard in its minute or hour follows the wall clock, so that it
has nothing to do in skipped time and runs in both passes of repeated time; any other job runs once for each of its
times: for those that are skipped once, at the first instant after the gap; for those that are repeated in the first
pass.

cron(8) calls a change of more than three hours a correction of the clock and forgets what it skipped. A zone that
loses a day (Apia, 30 December 2011) is not a corrected clock: its fixed-time jobs run once after the gap as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

NextWall: TypeAlias = Callable[[datetime], datetime]
"""The first match after a naive wall time."""

_INSTANT = timedelta(seconds=1)


def next_instant(next_wall: NextWall, moment: datetime, tz: ZoneInfo, *, repeats: bool) -> datetime:
    """The first moment after `moment` at which the wall clock of `tz` shows a match, as aware UTC.

    `repeats` is true for wildcard jobs: they follow the wall clock. False: each wall time counts once.
    """
    here = moment.astimezone(tz)
    wall = here.replace(tzinfo=None, microsecond=0)
    if _change(wall, tz) < 0:
        # In repeated time: find where the passes begin and end on the wall.
        turn, back = _turn(wall, tz)
        begin, end = turn - back, turn
        if here.fold:
            return _in_second_pass(next_wall, wall, end, tz, repeats=repeats)
        found = next_wall(wall)
        if repeats and found >= end:
            again = next_wall(begin - _INSTANT)
            if again < end:
                return _moment(again, tz, fold=1)
        return _land(next_wall, found, tz, repeats=repeats)
    return _land(next_wall, next_wall(wall), tz, repeats=repeats)


def _in_second_pass(next_wall: NextWall, wall: datetime, end: datetime, tz: ZoneInfo, *, repeats: bool) -> datetime:
    """The next moment when the wall clock shows `wall` for the second time, until `end` on the wall."""
    if not repeats:
        return _land(next_wall, next_wall(end - _INSTANT), tz, repeats=False)
    found = next_wall(wall)
    return _moment(found, tz, fold=1) if found < end else _land(next_wall, found, tz, repeats=True)


def _land(next_wall: NextWall, wall: datetime, tz: ZoneInfo, *, repeats: bool) -> datetime:
    """The moment of a wall time that may fall into skipped time, or be the first pass of repeated time."""
    while _change(wall, tz) > 0:
        turn, gap = _turn(wall, tz)
        after_gap = turn + gap
        if not repeats:
            return _moment(after_gap, tz, fold=1)
        wall = next_wall(after_gap - _INSTANT)
    return _moment(wall, tz, fold=0)


def _moment(wall: datetime, tz: ZoneInfo, *, fold: int) -> datetime:
    return wall.replace(tzinfo=tz, fold=fold).astimezone(UTC)


def _change(wall: datetime, tz: ZoneInfo) -> float:
    """0 for ordinary wall times, above 0 for skipped ones, below 0 for repeated ones (PEP 495)."""
    return (_offset(wall, tz, 1) - _offset(wall, tz, 0)).total_seconds()


def _offset(wall: datetime, tz: ZoneInfo, fold: int) -> timedelta:
    offset = wall.replace(tzinfo=tz, fold=fold).utcoffset()
    assert offset is not None
    return offset


def _turn(wall: datetime, tz: ZoneInfo) -> tuple[datetime, timedelta]:
    """For a skipped or repeated wall time: what the old clock showed at the change, and by how much it was changed.

    The amount is positive in both cases. The zone database tells offsets, not changes: the change is bisected between
    the two moments that the wall time stands for, which lie on its two sides.
    """
    before, after = _offset(wall, tz, 0), _offset(wall, tz, 1)
    low = min(wall - before, wall - after)
    high = max(wall - before, wall - after)
    while high - low > _INSTANT:
        middle = low + (high - low) / 2
        middle = middle.replace(microsecond=0)
        if middle.replace(tzinfo=UTC).astimezone(tz).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high + before, abs(after - before)
