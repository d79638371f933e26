"""Which days an expression matches: croniter finds them, over plain dates, where no zone can mislead it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

from quarterdeck.schedule.fields import ExpressionError, Field

if TYPE_CHECKING:
    from croniter import croniter

MAX_YEARS = 50
"""How far ahead a match is looked for: 29 February on a given weekday can be 40 years away (around 2100)."""


@dataclass(frozen=True, slots=True)
class DayRule:
    """The day part of an expression in croniter's notation; None when every day matches.

    `either` tells whether day-of-month and day-of-week are ORed. We decide that, not croniter: it ORs `*/2`, where
    crontab(5) ANDs (https://crontab.guru/cron-bug.html).
    """

    notation: str | None
    either: bool = False

    def on_or_after(self, day: date) -> date:
        """The first matching day from `day` on. Raises ExpressionError when there is none within 50 years."""
        if self.notation is None:
            return day
        return _first(self.notation, self.either, day)


def rule(days: Field, months: Field, weekdays: Field) -> DayRule:
    """The rule of three fields as crontab(5) reads them: the days are ANDed when either field begins with `*`."""
    either = not (days.starred or weekdays.starred)
    if either and (days.full or weekdays.full):
        # One side of the OR always matches. croniter folds some full ranges into *, and then it ANDs.
        return DayRule(None if months.full else f"0 0 * {_listed(months)} *")
    if days.full and months.full and weekdays.full:
        return DayRule(None)
    return DayRule(f"0 0 {_listed(days)} {_listed(months)} {_listed(weekdays)}", either)


def _listed(field: Field) -> str:
    """Plain values, so that nothing is left for croniter to read its own way (`1-1` is every day to it)."""
    return "*" if field.full else ",".join(map(str, field.values))


_finding = Lock()
"""A croniter keeps where it is, so that two threads must not ask the same one at once."""


@lru_cache(maxsize=4096)
def _finder(notation: str, either: bool) -> croniter:
    from croniter import croniter  # with its time zones: a dashboard that shows no schedules starts without it

    return croniter(notation, datetime(2000, 1, 1), day_or=either, max_years_between_matches=MAX_YEARS)  # noqa: DTZ001


@lru_cache(maxsize=65536)
def _first(notation: str, either: bool, day: date) -> date:
    from croniter import CroniterBadDateError

    # Dates alone, hence naive on purpose: a zone is laid over them later.
    just_before = datetime(day.year, day.month, day.day) - timedelta(seconds=1)  # noqa: DTZ001
    try:
        with _finding:
            found: datetime = _finder(notation, either).get_next(datetime, start_time=just_before)
    except (CroniterBadDateError, ValueError, OverflowError):  # the last two: it looked beyond the year 9999
        raise ExpressionError(
            f"No day matches: {notation.removeprefix('0 0 ')} (day, month, weekday) can never fire."
        ) from None
    return found.date()
