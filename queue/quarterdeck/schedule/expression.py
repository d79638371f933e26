"""A cron expression: read once and strictly, then asked for its fire times in a zone."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Final, Literal

from quarterdeck.schedule import clock
from quarterdeck.schedule.days import DayRule, rule
from quarterdeck.schedule.fields import KINDS, WEEKDAY, ExpressionError, Field, read_field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

MAX_LENGTH: Final = 512
NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class Kind(StrEnum):
    """How cron(8) treats a job when the clock is changed."""

    WILDCARD = "wildcard"
    """Its minute or hour field begins with `*`: it follows the wall clock."""
    FIXED = "fixed"
    """It runs at particular times: once each, even when the clock skips or repeats them."""


@dataclass(frozen=True, slots=True)
class Expression:
    """When to fire. Made by `parse` or `from_saq`, never by hand; equal texts are equal expressions."""

    text: str
    """As it is shown: our notation, seconds first when there are any."""
    fields: tuple[Field, ...] = field(compare=False, repr=False)
    """Second, minute, hour, day-of-month, month, day-of-week."""
    days: DayRule = field(repr=False)
    kind: Kind = field(repr=False)
    foreign: str = field(default="", repr=False)
    """Days that only croniter's notation can say (`L`, `#`, `W`, a year), for SAQ's own expressions; mostly empty."""

    def next_after(self, moment: datetime, tz: ZoneInfo) -> datetime:
        """The first fire time after `moment` (aware), as aware UTC, with the wall clock of `tz`.

        Raises ExpressionError when there is none within 50 years or before the year 10000, ValueError for a naive
        `moment`.
        """
        if moment.tzinfo is None:
            raise ValueError("next_after needs an aware moment")
        try:
            return clock.next_instant(self.next_wall, moment, tz, repeats=self.kind is Kind.WILDCARD)
        except OverflowError:
            raise ExpressionError(f"The calendar ends before {self.text!r} fires again.") from None

    def after(self, moment: datetime, tz: ZoneInfo) -> Iterator[datetime]:
        """The fire times after `moment`, one by one, as aware UTC."""
        while True:
            moment = self.next_after(moment, tz)
            yield moment

    def upcoming(self, moment: datetime, tz: ZoneInfo, count: int) -> list[datetime]:
        """The next `count` fire times after `moment`, as aware UTC."""
        return list(islice(self.after(moment, tz), count))

    def between(self, start: datetime, end: datetime, tz: ZoneInfo, limit: int = 1000) -> list[datetime]:
        """The fire times in (`start`, `end`], at most `limit`, as aware UTC, oldest first."""
        fires: list[datetime] = []
        for moment in self.after(start, tz):
            if moment > end or len(fires) >= limit:
                break
            fires.append(moment)
        return fires

    def next_wall(self, wall: datetime) -> datetime:
        """The first match after `wall` on a wall clock that never changes (both naive, whole seconds)."""
        seconds, minutes, hours = (part.values for part in self.fields[:3])
        second, minute, hour = wall.second + 1, wall.minute, wall.hour
        day = wall.date()
        if self.days.on_or_after(day) == day:
            # The carry goes up: a field that is exhausted starts anew and moves the next one on.
            index = bisect_left(seconds, second) if minute in minutes and hour in hours else len(seconds)
            if index < len(seconds):
                return _at(day, hour, minute, seconds[index])
            index = bisect_left(minutes, minute + 1) if hour in hours else len(minutes)
            if index < len(minutes):
                return _at(day, hour, minutes[index], seconds[0])
            index = bisect_left(hours, hour + 1)
            if index < len(hours):
                return _at(day, hours[index], minutes[0], seconds[0])
        day = self.days.on_or_after(day + timedelta(days=1))
        return _at(day, hours[0], minutes[0], seconds[0])


def _at(day: date, hour: int, minute: int, second: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - a wall clock without a zone


@lru_cache(maxsize=8192)
def parse(text: str, *, seconds: Literal["first"] = "first") -> Expression:
    """Read a cron expression: five fields, six with the seconds first, or a nickname (`@daily`).

    `seconds` names the convention, of which there is one: the first of six fields, as Quartz and cronsim have it.
    SAQ's own expressions, seconds last, go through `from_saq`. Raises ExpressionError, with the reason, for what is
    wrong, what reads two ways and what can never fire. Source: crontab(5) of Debian.
    """
    if seconds != "first":
        raise ValueError("seconds come first; from_saq reads SAQ's own expressions")
    shown = _cleaned(text)
    words = _fields_of(shown)
    try:
        parts = tuple(read_field(kind, word) for kind, word in zip(KINDS, _with_seconds(words), strict=True))
    except ExpressionError as error:
        if len(words) != 6 or not (turned := _seconds_last(words)):
            raise
        raise ExpressionError(str(error), f"Seconds come first here: write {turned!r}.") from None
    _refuse_two_readings(words, shown)
    return checked(Expression(shown, parts, rule(*parts[3:]), kind_of(parts)))


def kind_of(parts: tuple[Field, ...]) -> Kind:
    """Wildcard when the minute or the hour field begins with `*` (cron(8)), else fixed-time."""
    return Kind.WILDCARD if parts[1].starred or parts[2].starred else Kind.FIXED


def _cleaned(text: str) -> str:
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters.")
    if not text.isascii() or not text.replace("\t", " ").isprintable():
        raise ExpressionError(f"The expression {text!a} has characters that cron does not know.")
    shown = " ".join(text.split())
    if not shown:
        raise ExpressionError("The expression is empty.", "Write five fields, such as '30 2 * * 1-5'.")
    return shown.lower() if shown.startswith("@") else shown


def _fields_of(shown: str) -> list[str]:
    if shown.startswith("@"):
        if shown == "@reboot":
            raise ExpressionError(
                "'@reboot' has no time: a queue has no boot.", "Use the worker's start-up hook for work at start."
            )
        if shown not in NICKNAMES:
            raise ExpressionError(f"There is no nickname {shown!r}.", f"There are {', '.join(NICKNAMES)}.")
        return NICKNAMES[shown].split()
    words = shown.split()
    if len(words) not in (5, 6):
        what = "seven read two ways (a year first, or last)" if len(words) == 7 else f"{len(words)} given"
        raise ExpressionError(
            f"{shown!r} has not five or six fields: {what}.",
            "Five: minute hour day month weekday; six: with the seconds first."
            + (" Put it in quotes, so that the shell leaves the * alone." if len(words) > 7 else ""),
        )
    return words


def _with_seconds(words: list[str]) -> list[str]:
    return words if len(words) == 6 else ["0", *words]


def _refuse_two_readings(words: list[str], shown: str) -> None:
    """Refuse six fields whose seconds-last reading (croniter's and SAQ's) is as likely as the seconds-first one.

    That is: a bare 0 at the end, which is how people write croniter's seconds, would be read as Sunday, and nothing at
    the front (seconds 0 and a fixed hour) says that the seconds are there. And numbers behind five stars, or one
    number behind them when the first has a step: every (nth) second of some weekdays here, some seconds of every (nth)
    minute there.
    """
    if len(words) != 6 or not _seconds_last(words):
        return
    clearly_first = words[0] in ("0", "00") and not words[2].startswith("*")
    bare_zero = words[5] in ("0", "00") and not clearly_first
    numbers_alone = words[1:5] == ["*"] * 4 and (
        (words[0] == "*" and words[5] != "*" and not any(map(str.isalpha, words[5])))
        or (words[0].startswith("*") and words[5].isdigit())
    )
    if not (bare_zero or numbers_alone):
        return
    days = ",".join(WEEKDAY.names[value] for value in read_field(WEEKDAY, words[5]).values)
    meant = "Sundays" if bare_zero else days
    raise ExpressionError(
        f"{shown!r} reads two ways: seconds first, and {meant}; or seconds last, as croniter and SAQ have it.",
        f"Seconds come first here: write {_seconds_last(words)!r}, or {' '.join([*words[:5], days])!r} "
        f"if {meant} {'are' if bare_zero else 'is'} meant.",
    )


def _seconds_last(words: list[str]) -> str:
    """Six fields written as here when croniter's reading of them, seconds last, makes sense; else empty."""
    turned = [words[5], *words[:5]]
    try:
        for kind, word in zip(KINDS, turned, strict=True):
            read_field(kind, word)
    except ExpressionError:
        return ""
    return " ".join(turned)


def checked(expression: Expression, since: date = date(2000, 1, 1)) -> Expression:
    """Refuse what can never fire. Days recur in cycles, so a look from 2000 sees what any later one would.

    `since` is for expressions with a year, which do not recur.
    """
    try:
        expression.days.on_or_after(since)
    except ExpressionError:
        raise ExpressionError(
            f"{expression.text!r} can never fire: no day matches its day, month and weekday fields."
        ) from None
    return expression


def utc(moment_ms: int) -> datetime:
    """Epoch milliseconds as an aware UTC moment."""
    return datetime.fromtimestamp(moment_ms / 1000, UTC)


def epoch_ms(moment: datetime) -> int:
    """An aware moment as epoch milliseconds."""
    return round(moment.timestamp() * 1000)
