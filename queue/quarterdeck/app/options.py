"""How a task's jobs are run: what the decorator sets and what one enqueue may change."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any, Literal

import msgspec

from quarterdeck.errors import UsageError

UniqueKey = str | Callable[..., str]
_NUMBER = (int, float)
_SHAPES: dict[str, tuple[tuple[type, ...], str]] = {
    "queue": ((str,), "a queue's name"),
    "retries": ((int,), "a whole number"),
    "retry_delay_s": (_NUMBER, "a number of seconds"),
    "backoff": ((bool, *_NUMBER), "True, False or a number of seconds"),
    "timeout_s": ((*_NUMBER, NoneType), "a number of seconds or None"),
    "expected_s": ((*_NUMBER, NoneType), "a number of seconds or None"),
    "delay_s": (_NUMBER, "a number of seconds"),
    "ttl_s": ((int,), "a whole number of seconds"),
}
_CHOICES = {"on_lost": ("retry", "fail"), "executor": ("thread", "process")}


class TaskOptions(msgspec.Struct, frozen=True, kw_only=True):
    """SAQ's job settings with units in their names, and what deck workers add. Times are seconds."""

    queue: str = ""
    """The queue; the app's first one when empty."""
    retries: int = 1
    """Attempts in all, as SAQ counts them: 1 means no second attempt."""
    retry_delay_s: float = 0.0
    backoff: bool | float = False
    """Double the delay with each attempt, with jitter; a number is the longest delay in seconds."""
    timeout_s: float | None = 10.0
    """How long an attempt may take, SAQ's default; None for no limit."""
    expected_s: float | None = None
    """How long it usually takes: the dashboard marks what runs longer."""
    unique: UniqueKey | None = None
    """The job's key, as a template over the arguments (`"invoice:{number}"`) or a function of them. While a job with
    this key waits or runs, enqueuing gives its handle."""
    delay_s: float = 0.0
    ttl_s: int = 600
    """How long the finished job and its result are kept; 0 for ever, -1 not at all."""
    on_lost: Literal["retry", "fail"] = "retry"
    """What becomes of a job whose worker died under it."""
    executor: Literal["thread", "process"] = "thread"
    """Where plain functions run; a process can be killed at its time-out, a thread can't."""

    def __post_init__(self) -> None:
        """Refuse what can't be meant: a decorator's mistake is told where it stands, not by a worker at night."""
        for name, (kinds, words) in _SHAPES.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise UsageError(f"{name}={value!r} is not {words}.")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"{name}={getattr(self, name)!r} is not known.", f"Write {' or '.join(choices)}.")
        if not (self.unique is None or isinstance(self.unique, str) or callable(self.unique)):
            raise UsageError(f"unique={self.unique!r} is neither a template nor a function.")
        if self.retries < 1:
            raise UsageError(f"retries={self.retries}: it counts all attempts, so it is at least 1.")
        for name in ("retry_delay_s", "delay_s"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name}={getattr(self, name)} is negative.", "Times are seconds from now.")
        if self.timeout_s is not None and self.timeout_s <= 0:
            raise UsageError(f"timeout_s={self.timeout_s} leaves no time to run.", "None means no limit.")

    def job_fields(self) -> dict[str, Any]:
        """These options as fields of SAQ's `Job`."""
        return {
            "timeout": 0 if self.timeout_s is None else whole(self.timeout_s),
            "retries": self.retries,
            "ttl": self.ttl_s,
            "retry_delay": self.retry_delay_s,
            "retry_backoff": self.backoff,
        }


def whole(number: float) -> int | float:
    """An int where the number is one: SAQ declares ints, and payloads stay short."""
    return int(number) if number == int(number) else number
