"""The bounds of what a queue keeps, and how much of them is in use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from quarterdeck.inspect.plan import Answer, Plan, moment_ms, text
from quarterdeck.keys import keys_of
from quarterdeck.model import BoundStat
from quarterdeck.record.bounds import BOUNDS, Bound, limit_of

SAMPLES: Final = 100
"""Parts of a collection that the server looks at to tell its size in memory."""


class BoundsPart:
    """The reads for the bounds of one queue: a dozen commands that look at one entry each."""

    def __init__(self, plan: Plan, queue: str) -> None:
        keys = keys_of(queue)
        self._set = plan.call(keys.retention, "HMGET", *(bound.name for bound in BOUNDS))
        sets = {"failed": keys.failed, "quarantine": keys.garbage, "ledger": keys.ledger}
        streams = {"history": keys.history, "log": keys.logs}
        self._sizes = {kind: plan.call(key, "ZCARD") for kind, key in sets.items()}
        self._sizes |= {kind: plan.call(key, "XLEN") for kind, key in streams.items()}
        self._oldest = {kind: plan.call(key, "ZRANGE", 0, 0, "WITHSCORES") for kind, key in sets.items()}
        self._oldest["history"] = plan.call(keys.history, "XRANGE", "-", "+", "COUNT", 1)
        heavy = {"history": keys.history, "failed": keys.failed_jobs, "quarantine": keys.quarantine}
        self._bytes = {
            kind: plan.ask(key, "call", "MEMORY", "USAGE", key, "SAMPLES", SAMPLES) for kind, key in heavy.items()
        }

    def stats(self, now_ms: int) -> tuple[BoundStat, ...]:
        """Every bound at `now_ms`. Not before the plan has been run."""
        stored = self._set.rows() or [None] * len(BOUNDS)
        return tuple(
            BoundStat(
                name=bound.name,
                unit=bound.unit,
                limit=limit_of(bound, value),
                usual=bound.usual,
                used=self._used(bound, now_ms),
            )
            for bound, value in zip(BOUNDS, stored, strict=True)
        )

    def _used(self, bound: Bound, now_ms: int) -> int | None:
        if bound.name == "ledger_per_schedule":
            return None
        reads: dict[str, tuple[dict[str, Answer], Callable[[Answer], int]]] = {
            "count": (self._sizes, Answer.number),
            "bytes": (self._bytes, Answer.number),
            "ms": (self._oldest, lambda answer: _age_ms(answer.rows(), now_ms)),
        }
        answers, used = reads[bound.unit]
        answer = answers[bound.kind]
        return None if answer.error else used(answer)


def _age_ms(first: list[Any], now_ms: int) -> int:
    """The age of the first member of a sorted set by time, or of a stream; 0 when it is empty."""
    if not first:
        return 0
    at = text(first[0][0]).partition("-")[0] if isinstance(first[0], list) else first[1]
    return max(0, now_ms - moment_ms(at))
