"""What was: from the flight recorder where it saw the moment, else from the counts that the server still keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from quarterdeck.inspect.failures import GroupsPart, in_order
from quarterdeck.inspect.grouping import GroupStore
from quarterdeck.inspect.minutes import HOUR, MinuteStore
from quarterdeck.inspect.plan import Answer, Plan
from quarterdeck.inspect.verdict import verdict_of
from quarterdeck.keys import keys_of
from quarterdeck.model import QueueStat, Snapshot, View

GROUPS: Final = 100
"""Signatures of a queue that are looked at, last seen first."""


class PastPart:
    """The reads for a past moment, and the snapshot that can still be made of them."""

    def __init__(self, plan: Plan, view: View, queues: Sequence[str], at_ms: int) -> None:
        self._plan, self._view, self._at_ms = plan, view, at_ms
        minute = at_ms // 60_000
        hour: list[Any] = [part for back in range(HOUR) for part in (minute - back, "all")]
        self._minutes: dict[str, Answer] = {}
        self._groups: dict[str, GroupsPart] = {}
        for queue in queues:
            keys = keys_of(queue)
            self._minutes[queue] = plan.ask(keys.queued, "minutes", keys.minute(0)[:-1], 0, *hour)
            self._groups[queue] = GroupsPart(plan, queue, GROUPS, GroupStore(), at_ms=at_ms)

    def snapshot(self) -> Snapshot:
        """Depths, rates, failures and percentiles of that minute; workers and schedules are not remembered."""
        minute = self._at_ms // 60_000
        stats, groups = [], []
        rate = 0.0
        for queue, answer in self._minutes.items():
            store = MinuteStore()
            store.absorb(answer.rows())
            rate += store.per_minute(self._at_ms)
            stats.append(_stat(queue, store, self._at_ms))
            groups += self._groups[queue].rows(store.shares(minute))
        snapshot = Snapshot(
            view=self._view,
            taken_ms=self._at_ms,
            rtt_ms=self._plan.rtt_ms,
            queues=tuple(stats),
            groups=tuple(in_order(groups)),
            per_minute=rate,
        )
        verdict = verdict_of(snapshot)
        # Nobody remembers which workers there were: that is no reason to say that there were none.
        bare = [msgspec.structs.replace(stat, workers=0) for stat in stats]
        return msgspec.structs.replace(snapshot, verdict=verdict, queues=tuple(bare))


def _stat(queue: str, store: MinuteStore, at_ms: int) -> QueueStat:
    minute = at_ms // 60_000
    depths = store.depths(minute)
    arriving, leaving = store.rates(at_ms)
    p50, p95, p99 = store.percentiles(minute)
    return QueueStat(
        name=queue,
        depth=next((depth for depth in reversed(depths) if depth is not None), 0),
        in_per_s=arriving if store.recorded else None,
        out_per_s=leaving if store.recorded else None,
        failure_rate=store.failure_rate(minute),
        failed_attempts=store.failed_attempts(minute),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        depths=depths,
        failing_since_ms=store.failing_since(minute),
        workers=1,
    )
