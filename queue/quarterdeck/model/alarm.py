"""From when on a queue's figures are a warning, and bad, and its state: the verdict and all rows go by the same."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from quarterdeck.model.queues import QueueStat
from quarterdeck.model.snapshot import Level

OLD_MS: Final = 30_000
VERY_OLD_MS: Final = 300_000
"""Ages of the oldest waiting job."""
FAILING: Final = 0.05
BADLY_FAILING: Final = 0.25
"""Shares of failed attempts over the last five minutes."""
FEW: Final = 5
"""Failed attempts below which a share says nothing."""


class QueueState(StrEnum):
    """In what state a queue is, as one says it; the worst first."""

    BROKEN = "broken"
    PAUSED = "paused"
    DESERTED = "no worker"
    FAILING = "failing"
    BACKING_UP = "backing up"
    ORPHANS = "orphans"
    RUNNING = "running"
    IDLE = "idle"


def queue_state(queue: QueueStat, *, workers_known: bool = True) -> QueueState:
    """The worst that can be said of a queue. Without `workers_known` nobody says that it has no worker."""
    return next(_states(queue, deserted=workers_known and not queue.workers))


def _states(queue: QueueStat, *, deserted: bool) -> Iterator[QueueState]:
    if queue.error:
        yield QueueState.BROKEN
    if queue.paused is not None:
        yield QueueState.PAUSED
    if deserted and queue.depth:
        yield QueueState.DESERTED
    if failing_level(queue) is not Level.OK:
        yield QueueState.FAILING
    if (queue.in_per_s or 0) > (queue.out_per_s or 0) and waiting_level(queue) is not Level.OK:
        yield QueueState.BACKING_UP  # more comes in than goes out, and somebody has been waiting for it
    if queue.orphans:
        yield QueueState.ORPHANS
    if deserted:
        yield QueueState.DESERTED
    yield QueueState.RUNNING if queue.depth or queue.active else QueueState.IDLE


def waiting_level(queue: QueueStat) -> Level:
    """How bad it is for how long the oldest job has waited."""
    if queue.oldest_ms is None or queue.oldest_ms < OLD_MS:
        return Level.OK
    return Level.BAD if queue.oldest_ms >= VERY_OLD_MS else Level.WARNING


def failing_level(queue: QueueStat) -> Level:
    """How bad it is what share of the attempts failed."""
    few = queue.failed_attempts is not None and queue.failed_attempts < FEW
    if queue.failure_rate is None or queue.failure_rate < FAILING or few:
        return Level.OK
    return Level.BAD if queue.failure_rate >= BADLY_FAILING else Level.WARNING
