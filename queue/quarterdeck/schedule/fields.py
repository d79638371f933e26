"""The fields of a cron expression, read strictly: what crontab(5) lacks, or peers read two ways, is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quarterdeck.errors import UsageError


class ExpressionError(UsageError):
    """A cron expression that can't be read, reads two ways, or can never fire; the message says which and why."""


@dataclass(frozen=True, slots=True)
class FieldKind:
    """A field's name and the values it can take; `names` are the three-letter words for them (may be empty)."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many different values there are (day 7 is Sunday again)."""
        return 7 if self is WEEKDAY else self.high - self.low + 1


SECOND: Final = FieldKind("second", 0, 59)
MINUTE: Final = FieldKind("minute", 0, 59)
HOUR: Final = FieldKind("hour", 0, 23)
DAY: Final = FieldKind("day-of-month", 1, 31)
MONTH: Final = FieldKind(
    "month", 1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
)
WEEKDAY: Final = FieldKind("day-of-week", 0, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))

KINDS: Final = (SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY)


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it was read: its text and the values it allows (sorted, Sunday is 0)."""

    kind: FieldKind
    text: str
    values: tuple[int, ...]

    @property
    def starred(self) -> bool:
        """Begins with `*`: what crontab(5) and cron(8) look at, for days and for daylight saving."""
        return self.text.startswith("*")

    @property
    def full(self) -> bool:
        """Every value is allowed."""
        return len(self.values) == self.kind.size


def read_field(kind: FieldKind, text: str) -> Field:
    """Read one field. Raises ExpressionError with the field's name, the reason and what to write instead.

    Source: crontab(5) of Debian: lists of numbers, ranges and `*`; steps after a range or `*`; names for months and
    weekdays.
    """
    values: set[int] = set()
    for item in text.split(","):
        values |= _read_item(kind, item, text)
    if kind is WEEKDAY and 7 in values:
        values = (values - {7}) | {0}
    return Field(kind, text.upper() if kind.names else text, tuple(sorted(values)))


def _read_item(kind: FieldKind, item: str, text: str) -> set[int]:
    _refuse_foreign(kind, item, text)
    span, slash, step_text = item.partition("/")
    step = 1
    if slash:
        step = _read_step(kind, step_text, text)
    if span == "*":
        return set(range(kind.low, min(kind.high, kind.low + kind.size - 1) + 1, step))
    first, dash, last = span.partition("-")
    low = _read_value(kind, first, text)
    if not dash:
        if slash:
            raise ExpressionError(
                f"{item!r} in the {kind.name} field reads two ways: {first}, or every {step_text} from {first} on.",
                f"Write {first} or {first}-{kind.low + kind.size - 1}/{step_text}.",
            )
        return {low}
    high = _read_value(kind, last, text)
    if high < low:
        raise ExpressionError(
            f"{item!r} in the {kind.name} field runs backwards: crontab(5) has no range around the end.",
            _unwrapped(kind, low, high) if step == 1 else "Write it as two ranges.",
        )
    return set(range(low, high + 1, step))


def _unwrapped(kind: FieldKind, low: int, high: int) -> str:
    """What to write instead of a range that wraps around the end of its field."""
    if kind is WEEKDAY and high == 0:
        return f"Write {low}-7."
    last = kind.low + kind.size - 1
    left = str(low) if low == last else f"{low}-{last}"
    right = str(kind.low) if high == kind.low else f"{kind.low}-{high}"
    return f"Write {left},{right}."


def _refuse_foreign(kind: FieldKind, item: str, text: str) -> None:
    """Refuse by name what other crons have and crontab(5) has not, with what to write instead."""
    if not item:
        raise ExpressionError(f"The {kind.name} field {text!r} has an empty item.", "Take the spare comma out.")
    upper = item.upper()
    known = kind.names and (upper[:3] in kind.names or upper[-3:] in kind.names)
    if item == "?":
        raise ExpressionError(f"'?' in the {kind.name} field is Quartz' notation.", "Write *.")
    if "#" in item:
        raise ExpressionError(
            f"{item!r} in the {kind.name} field is not in crontab(5): it has no n-th weekday of a month.",
            "Name the days of the month and let the task check the weekday.",
        )
    if not known and (upper.startswith("L") or upper.endswith(("L", "W"))):
        raise ExpressionError(
            f"{item!r} in the {kind.name} field is not in crontab(5): it has neither 'last' nor 'nearest weekday'.",
            "Name the days (28-31, say) and let the task check which it is.",
        )


def _read_step(kind: FieldKind, step_text: str, text: str) -> int:
    if not (step_text.isascii() and step_text.isdigit()) or int(step_text) == 0:
        raise ExpressionError(f"The step in {text!r} ({kind.name} field) is not a number from 1 on.")
    step = int(step_text)
    if step > kind.size:
        raise ExpressionError(
            f"The step in {text!r} is longer than the {kind.name} field ({kind.size}): it would not mean every {step}.",
            "A step starts anew with each round of its field.",
        )
    return step


def _read_value(kind: FieldKind, word: str, text: str) -> int:
    if word.upper() in kind.names:
        return kind.names.index(word.upper()) + (kind.low if kind is MONTH else 0)
    if not (word.isascii() and word.isdigit()):
        names = f" or a name ({kind.names[0]} … {kind.names[-1]})" if kind.names else ""
        raise ExpressionError(f"{word!r} in the {kind.name} field {text!r} is not a number{names}.")
    value = int(word[:6])
    if not kind.low <= value <= kind.high:
        raise ExpressionError(f"{word} in the {kind.name} field {text!r} is not between {kind.low} and {kind.high}.")
    return value


def listed(values: tuple[int, ...]) -> str:
    """Sorted values as a cron list, runs of three and more as ranges: `0-2,22,23`."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(map(str, run)) for run in runs)
