"""SAQ's own cron expressions: croniter's meaning kept (seconds last), shown in our notation (seconds first)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from croniter import CroniterError, croniter

from quarterdeck.schedule.days import DayRule, rule
from quarterdeck.schedule.expression import MAX_LENGTH, NICKNAMES, Expression, checked, kind_of
from quarterdeck.schedule.fields import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    SECOND,
    WEEKDAY,
    ExpressionError,
    Field,
    FieldKind,
    listed,
    read_field,
)

_IN_CRONITERS_ORDER: Final = (MINUTE, HOUR, DAY, MONTH, WEEKDAY, SECOND)


@lru_cache(maxsize=1024)
def from_saq(text: str) -> Expression:
    """Read an expression of SAQ's `cron_jobs` as croniter does, and write it in our notation.

    Wherever croniter and crontab(5) differ the text shows croniter's reading spelled out: ranges around the end,
    `5/15`, and `*/2` in a day field, which croniter ORs with the other one. `L`, `#`, `W` and a year stay croniter's
    (`foreign`). Daylight saving follows cron(8), as for all schedules. Raises ExpressionError for what croniter
    refuses, and for what can never fire: croniter's validation lets `0 0 30 2 *` pass.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"The expression is longer than {MAX_LENGTH} characters.")
    words = NICKNAMES.get(text.strip().lower(), text).lower().split()
    try:
        expanded, nth = croniter.expand(" ".join(words))
        nearest = croniter(" ".join(words)).nearest_weekday
    except (CroniterError, ValueError, TypeError, KeyError) as error:
        raise ExpressionError(f"SAQ's croniter does not read {text!r}: {str(error).rstrip('.')}.") from error
    foreign = bool(nth or nearest or "l" in expanded[2] or len(words) == 7)
    parts = [
        Field(kind, "*", _all(kind)) if foreign and kind in (DAY, MONTH, WEEKDAY) else _converted(kind, word, values)
        for kind, word, values in zip(_IN_CRONITERS_ORDER, words, expanded, strict=False)
    ]
    seconds = parts.pop() if len(words) > 5 else read_field(SECOND, "0")
    either = "*" not in expanded[2] and "*" not in expanded[4]
    fields = (seconds, *_spelled_out(tuple(parts), either=either))
    if foreign:
        days = " ".join(words[2:5] + words[6:7]).upper()
        notation = f"0 0 {' '.join(words[2:5])}" + (f" 0 {words[6]}" if len(words) == 7 else "")
        shown = " ".join([*_shown_time(fields, always=len(words) > 5), days])
        expression = Expression(shown, fields, DayRule(notation, either=True), kind_of(fields), days)
        since = datetime.now(UTC).date() if len(words) == 7 else datetime(2000, 1, 1, tzinfo=UTC).date()
        return checked(expression, since)
    shown = " ".join([*_shown_time(fields), *(part.text for part in fields[3:])])
    return checked(Expression(shown, fields, rule(*fields[3:]), kind_of(fields)))


def _shown_time(fields: tuple[Field, ...], *, always: bool = False) -> list[str]:
    """The time fields as text; the seconds are left out where they are 0."""
    with_seconds = always or fields[0].values != (0,)
    return [part.text for part in fields[0 if with_seconds else 1 : 3]]


def _all(kind: FieldKind) -> tuple[int, ...]:
    return tuple(range(kind.low, kind.low + kind.size))


def _converted(kind: FieldKind, word: str, expanded: list[int | str]) -> Field:
    """The field with croniter's values; its text stays when our reading of it gives the same."""
    values = _all(kind) if "*" in expanded else tuple(sorted({int(value) for value in expanded}))
    try:
        field = read_field(kind, word)
    except ExpressionError:
        field = Field(kind, "", ())
    read_as_star = kind in (DAY, WEEKDAY) and "*" in expanded
    if field.values == values and (field.starred or not read_as_star):
        return field
    return Field(kind, "*" if "*" in expanded else listed(values), values)


def _spelled_out(parts: tuple[Field, ...], *, either: bool) -> tuple[Field, ...]:
    """The five fields with day-of-month and day-of-week written so that crontab(5) combines them as croniter does.

    `either`: croniter ORs them, because it reads neither as `*`. Then none may begin with a star, else one does.
    """
    minute, hour, day, month, weekday = parts
    if either:
        day = Field(DAY, listed(day.values), day.values) if day.starred else day
        weekday = Field(WEEKDAY, listed(weekday.values), weekday.values) if weekday.starred else weekday
    if weekday.text == "0":
        # A bare 0 at the end of six fields is what `parse` refuses as readable in two ways.
        weekday = Field(WEEKDAY, "SUN", weekday.values)
    return minute, hour, day, month, weekday
