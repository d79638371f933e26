"""The conditions that a filter is made of, and what they look at in rows of each kind."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.model import JobRow, Row

PATTERN_BUDGET_S: Final = 0.25
"""CPU time that one expression may spend on matches that do not end quickly, over its whole life."""
_PATTERN_TIMEOUT_S: Final = 0.01
_SLOW_S: Final = 0.002
_LOOKED_AT: Final = 4096

TEXT_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "fn": ("function",),
    "q": ("queue",),
    "key": ("key", "job_key"),
    "arg": ("arguments",),
    "err": ("error", "message", "exception"),
    "sig": ("signature",),
    "worker": ("worker",),
    "level": ("level",),
    "state": ("state", "status", "outcome", "level"),
    "who": ("who", "owner"),
    "verb": ("verb",),
    "name": ("name", "subject"),
    "text": ("text", "reason", "raw", "cause"),
}
"""Qualifiers of text → the fields of rows that they look at, whichever a row has."""

_SEARCHED: Final = (
    *("function", "key", "error", "arguments", "text", "name", "subject", "message", "exception", "reason", "verb"),
    *("who", "owner", "id"),
)

NUMBER_FIELDS: Final[Mapping[str, str]] = {
    "attempts": "attempts",
    "retries": "retries",
    "bytes": "payload_bytes",
    "took": "duration_ms",
    "count": "count",
}
"""Qualifiers of numbers → the field that they look at; `age` besides. `took` and `age` are durations."""

COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
    ":": operator.eq,
}


class Term(Protocol):
    """A condition on a row."""

    def holds(self, row: Row, now_ms: int, /) -> bool:
        """Whether `row` meets it at `now_ms` (epoch ms on the server's clock)."""


class Everything(msgspec.Struct, frozen=True):
    """The empty filter."""

    def holds(self, _row: Row, _now_ms: int, /) -> bool:
        """Always."""
        return True


class Both(msgspec.Struct, frozen=True):
    """AND."""

    left: Term
    right: Term

    def holds(self, row: Row, now_ms: int, /) -> bool:
        """Both sides."""
        return self.left.holds(row, now_ms) and self.right.holds(row, now_ms)


class Either(msgspec.Struct, frozen=True):
    """OR."""

    left: Term
    right: Term

    def holds(self, row: Row, now_ms: int, /) -> bool:
        """One side at least."""
        return self.left.holds(row, now_ms) or self.right.holds(row, now_ms)


class Negation(msgspec.Struct, frozen=True):
    """NOT."""

    term: Term

    def holds(self, row: Row, now_ms: int, /) -> bool:
        """Not the inner one."""
        return not self.term.holds(row, now_ms)


class Words(msgspec.Struct, frozen=True):
    """A text is in a field (any text of the row when `fields` is empty); upper and lower case are one."""

    fields: tuple[str, ...]
    needle: str
    exact: bool = False

    def holds(self, row: Row, _now_ms: int, /) -> bool:
        """Whether some field holds the text."""
        if self.exact:
            return any(text.lower() == self.needle for text in texts_of(row, self.fields))
        return any(self.needle in text.lower() for text in texts_of(row, self.fields))


class Argument(msgspec.Struct, frozen=True):
    """An argument has a value: `arg:tenant=7`, looked for in the row's JSON text."""

    name: str
    value: str

    def holds(self, row: Row, _now_ms: int, /) -> bool:
        """Whether the arguments hold the pair, the value as a number, word or string."""
        text = getattr(row, "arguments", "").lower().replace('": ', '":')
        pair = f'"{self.name}":'
        return any(f"{pair}{value}{end}" in text for value in (self.value, f'"{self.value}"') for end in ",}")


class Pattern(msgspec.Struct, frozen=True):
    """A regular expression is found in a field; bounded in time, whatever the expression."""

    fields: tuple[str, ...]
    compiled: Any
    spent: list[float]

    def holds(self, row: Row, _now_ms: int, /) -> bool:
        """Whether it is found. Raises UsageError when the expression has used up its time."""
        return any(self._search(text[:_LOOKED_AT]) for text in texts_of(row, self.fields))

    def _search(self, text: str) -> bool:
        started = time.thread_time()  # a busy machine makes no expression slow
        try:
            return self.compiled.search(text, timeout=_PATTERN_TIMEOUT_S) is not None
        except TimeoutError:
            return False
        finally:
            took = time.thread_time() - started
            if took > _SLOW_S:
                self.spent[0] += took
            if self.spent[0] > PATTERN_BUDGET_S:
                raise UsageError(
                    f"The expression ~{self.compiled.pattern[:60]} takes too long on these texts.",
                    "Avoid repetitions inside repetitions, such as (a+)+.",
                )


class Comparison(msgspec.Struct, frozen=True):
    """A number compares: `attempts>2`, `age>5m`. `limit` is in the field's unit (durations in ms)."""

    name: str
    sign: str
    limit: float

    def holds(self, row: Row, now_ms: int, /) -> bool:
        """Whether it does; rows without the number never."""
        value = age_ms(row, now_ms) if self.name == "age" else getattr(row, NUMBER_FIELDS[self.name], None)
        return value is not None and COMPARISONS[self.sign](float(value), self.limit)


def texts_of(row: Row, fields: tuple[str, ...]) -> list[str]:
    """The texts of `row` in `fields`, or all that a person would search, when `fields` is empty."""
    names = fields or _SEARCHED
    return [str(value) for name in names if (value := getattr(row, name, ""))]


def age_ms(row: Row, now_ms: int) -> float | None:
    """How old a row is: since a job ended, or since it was enqueued, or since what the row tells of."""
    names = ("finished_ms", "queued_ms") if isinstance(row, JobRow) else ("last_ms", "at_ms", "tick_ms", "deleted_ms")
    since = next((value for name in names if (value := getattr(row, name, 0))), 0)
    return now_ms - since if since else None


def compile_pattern(text: str, fields: tuple[str, ...]) -> Pattern:
    """A `Pattern` of `text`, case-insensitive. Raises ValueError when it is no regular expression."""
    import regex  # costs a start its time, and few filters are expressions

    try:
        return Pattern(fields, regex.compile(text, regex.IGNORECASE), [0.0])
    except regex.error as error:
        raise ValueError(str(error)) from error
