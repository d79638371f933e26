"""A job's fields as SAQ's callers write them, made what they mean: numbers as text, `None` for the usual, integer keys.

SAQ checks nothing when it enqueues and stores what it was given. Its worker gets along with much of it, so ours must,
and a field that nobody can use is better refused to whoever sets it than found by a worker.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Final

from saq.job import Job

LONGEST_S: Final = 10**10
"""What is longer (300 years) is for ever: the server refuses expiries not much above it."""
USUAL_TTL_S: Final = 600
_TEXTS: Final = frozenset({"key", "worker_id", "group_key", "error"})
_USUAL: Final[Mapping[str, Any]] = {
    field.name: field.default for field in dataclasses.fields(Job) if type(field.default) in {int, float, bool}
}
_UNLIMITED: Final = frozenset({"timeout", "heartbeat"})
"""Numbers whose `None` says something."""
NUMBERS: Final = frozenset(_USUAL)
"""The fields that hold numbers."""


def checked(name: str, value: Any) -> Any:
    """A job's field as it is stored. Raises TypeError or ValueError for what it can't mean."""
    kind = type(value)
    if name in NUMBERS:
        return value if kind is int else _number(name, value)
    if name in _TEXTS and kind is not str and value is not None:
        return str(value)
    return value


def check(job: Job) -> None:
    """Check all fields of a job that somebody else made, and correct them in place. Raises as `checked`."""
    fields = job.__dict__
    for name in NUMBERS:
        if type(fields[name]) is not int:
            fields[name] = _number(name, fields[name])
    if type(job.key) is not str:
        job.key = str(job.key)


def amended(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A stored job's fields, as `checked`; what can't be corrected is left to whoever checks the types."""
    found = {}
    for name, value in fields.items():
        try:
            found[name] = checked(name, value)
        except (TypeError, ValueError):
            found[name] = value
    found["kwargs"] = fields.get("kwargs") or None
    return found


def lifetime_s(ttl: Any) -> int:
    """How long a result is kept, whole s as the server takes it: 0 for ever, below that not at all."""
    if type(ttl) is int:
        return ttl if ttl < LONGEST_S else 0
    try:
        number = _number("ttl", ttl)
    except (TypeError, ValueError):
        return USUAL_TTL_S
    return math.ceil(number) if number < LONGEST_S else 0


def _number(name: str, value: Any) -> Any:
    if value is None:
        if name in _UNLIMITED:
            return None
        return True if name == "retry_backoff" else _USUAL[name]  # SAQ reads it as a back-off without a bound
    if isinstance(value, bool):
        return value if name == "retry_backoff" else int(value)
    number = _parsed(name, value)
    if math.isnan(number) or (name == "scheduled" and math.isinf(number)):
        raise ValueError(f"A job's {name} can't be {value!r}.")
    return number


def _parsed(name: str, value: Any) -> int | float:
    if type(value) is float:
        return value
    if isinstance(value, Real):  # numpy's numbers, members of an IntEnum
        number = float(value)
        return int(value) if number.is_integer() and isinstance(value, Integral) else number
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            pass
        try:
            return float(value)
        except ValueError:
            pass
    raise TypeError(f"A job's {name} is a number, not {value!r}.")
