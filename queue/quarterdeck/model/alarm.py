"""From when on a queue's figures are a warning, and bad: the verdict and the rows go by the same."""

from __future__ import annotations

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
