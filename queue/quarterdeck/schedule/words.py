"""An expression in words: `every weekday at 02:30 Berlin`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.schedule.fields import listed
from quarterdeck.schedule.zones import place

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from quarterdeck.schedule.expression import Expression
    from quarterdeck.schedule.fields import Field

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MAX_TIMES = 6
"""More times of a day than this are told as a rhythm, not one by one."""


def describe(expression: Expression, tz: ZoneInfo) -> str:
    """The expression in plain English with the zone's short name: one line, no full stop."""
    second, minute, hour, day, month, weekday = expression.fields
    days = f"on days {expression.foreign!r}" if expression.foreign else _days(day, month, weekday)
    if len(hour.values) * len(minute.values) <= MAX_TIMES:
        tail = f":{second.values[0]:02}" if second.values[0] and len(second.values) == 1 else ""
        times = _joined([f"{h:02}:{m:02}{tail}" for h in hour.values for m in minute.values])
        if len(second.values) == 1:
            return f"{days or 'every day'} at {times} {place(tz)}"
        return " ".join(part for part in (_rhythm(second.values, 60, "second"), "of", times, days, place(tz)) if part)
    rhythm = _seconds(second, minute) or _minutes(minute, hour, second.values[0])
    within = "" if _tells_hours(second, minute, hour) else _hours(hour)
    return " ".join(part for part in (rhythm, within, days, place(tz)) if part)


def _tells_hours(second: Field, minute: Field, hour: Field) -> bool:
    """The rhythm of `_minutes` has named the hours already."""
    return len(second.values) == 1 and len(minute.values) == 1 and not _is_run(hour.values)


def _seconds(second: Field, minute: Field) -> str:
    """The rhythm of an expression that fires more than once a minute; empty for others."""
    if len(second.values) == 1:
        return ""
    rhythm = _rhythm(second.values, 60, "second")
    if minute.full:
        return rhythm
    return f"{rhythm} of {_rhythm(minute.values, 60, 'minute').removeprefix('at ')}"


def _minutes(minute: Field, hour: Field, second: int) -> str:
    """The rhythm of an expression that fires at one second of its minutes."""
    at_second = f" at second {second}" if second else ""
    if len(minute.values) > 1:
        return _rhythm(minute.values, 60, "minute") + at_second
    at_minute = f":{minute.values[0]:02}" + (f":{second:02}" if second else "")
    past = "" if at_minute == ":00" else f" at {at_minute}"
    if _is_run(hour.values):
        return f"every hour{past}"
    if (step := _step(hour.values, 24)) and 24 % step == 0:
        return f"every {step} hours{past}"
    return f"at {at_minute} of hours {_listed(hour.values)}"


def _hours(hour: Field) -> str:
    """The hours that a rhythm is limited to; empty for all."""
    if hour.full:
        return ""
    if _is_run(hour.values):
        return f"from {hour.values[0]:02}:00 to {hour.values[-1]:02}:59"
    return f"of hours {_listed(hour.values)}"


def _rhythm(values: tuple[int, ...], size: int, unit: str) -> str:
    """`every 15 minutes` when the values go round evenly, else what they are."""
    if len(values) == size:
        return f"every {unit}"
    step = _step(values, size)
    if step and size % step == 0:
        return f"every {step} {unit}s"
    return f"at {unit}{'' if len(values) == 1 else 's'} {_listed(values)}"


def _step(values: tuple[int, ...], size: int) -> int:
    """The step that makes `values` out of 0 … size-1, or 0."""
    if len(values) < 2:
        return 0
    step = values[1] - values[0]
    return step if values == tuple(range(0, size, step)) else 0


def _is_run(values: tuple[int, ...]) -> bool:
    return len(values) == values[-1] - values[0] + 1


def _days(day: Field, month: Field, weekday: Field) -> str:
    """Which days: `every weekday`, `on the 1st and 15th of March`; empty for every day."""
    months = "" if month.full else _months(month.values)
    either = not (day.starred or weekday.starred)
    everyday = (day.full or weekday.full) if either else (day.full and weekday.full)
    if everyday:
        return f"every day in {months}" if months else ""
    dates = f"on {_dates(day.values)} of {months or 'the month'}"
    if weekday.full:
        return dates
    names = _weekdays(weekday.values, "and")
    if day.full:
        return f"{names} in {months}" if months else names
    if either:
        return f"{dates} and {names}" + (f" in {months}" if months else "")
    return f"{dates} if it is {_weekdays(weekday.values, 'or')}"


def _dates(values: tuple[int, ...]) -> str:
    """`the 1st and 15th`, `every 2nd day`, `days 1-10 and 20`."""
    if len(values) <= MAX_TIMES:
        return f"the {_joined([_ordinal(value) for value in values])}"
    step = values[1] - values[0]
    even = step > 1 and values == tuple(range(1, 32, step))
    return f"every {_ordinal(step)} day" if even else f"days {_listed(values)}"


def _weekdays(values: tuple[int, ...], word: str) -> str:
    """`every weekday`, `every Monday and Friday`; with `or`: `a Monday or Friday`."""
    article = "every" if word == "and" else "a"
    if values == (1, 2, 3, 4, 5):
        return f"{article} weekday"
    # Sunday goes last, as it does in the calendars of most who read this.
    ordered = sorted(values, key=lambda value: value or 7)
    return f"{article} {_joined([WEEKDAYS[value] for value in ordered], word)}"


def _months(values: tuple[int, ...]) -> str:
    names = [MONTHS[value - 1] for value in values]
    return f"{names[0]} to {names[-1]}" if len(values) > 2 and _is_run(values) else _joined(names)


def _listed(values: tuple[int, ...]) -> str:
    """`1, 5 and 7`; runs of three and more as `1-5`."""
    return _joined(listed(values).split(","))


def _joined(parts: list[str], word: str = "and") -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _ordinal(value: int) -> str:
    endings = {1: "st", 2: "nd", 3: "rd"}
    return f"{value}{'th' if value in (11, 12, 13) else endings.get(value % 10, 'th')}"
