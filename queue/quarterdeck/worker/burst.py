"""When a burst is over: SAQ's rule, which ends one that a schedule gives a new job every second, too."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker


class Burst:
    """Ends a worker when nothing is left to do: as soon as one of its slots has asked for `dequeue_timeout` in vain.

    From then on none takes another job, and the worker ends with those that run (`saq.Worker._process`). Who waited
    for all slots to be idle at once would wait for ever where jobs come more often than they end.
    `slots` says how many free slots ask for jobs now.
    """

    def __init__(self, worker: Worker, slots: Callable[[], int]) -> None:
        self.over = False
        """Whether no more jobs are taken."""
        self.taken = 0
        """Jobs taken so far."""
        self._worker = worker
        self._slots = slots
        self._asking: deque[float] = deque()
        """Since when each free slot asks, s on the monotonic clock; the next job is for the first."""
        self._timer: asyncio.TimerHandle | None = None

    def look(self) -> None:
        """Jobs were taken or ended, or nothing was found: see whether it is over, and end the worker."""
        worker = self._worker
        if not worker.burst or worker.event.is_set():
            return
        reached = worker.max_burst_jobs is not None and self.taken >= worker.max_burst_jobs
        self.over = self.over or reached or self._in_vain()
        if self.over and not (worker.runner.running or worker.intake.marking or worker.intake.alone):
            worker.event.set()

    def _in_vain(self) -> bool:
        """Whether a slot has asked for so long and the queues are known to hold nothing; looks again in time."""
        now_s, free = time.monotonic(), max(0, self._slots())
        while len(self._asking) > free:
            self._asking.popleft()
        self._asking.extend([now_s] * (free - len(self._asking)))
        if not self._asking:
            return False
        left_s = self._asking[0] + self._worker.dequeue_timeout - now_s
        if left_s <= 0:
            return self._worker.turns.dry
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(left_s, self.look)
        return False
