"""Suspects: jobs that took down workers run alone in their process, so that only the one to blame dies of it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from quarterdeck.worker.attempt import Attempt

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

logger = logging.getLogger("quarterdeck.worker")

PATIENCE_S: Final = 10.0
"""How long a worker takes nothing for a suspect's sake before it passes the suspect on."""
PASSED_ON_S: Final = 5.0
"""For how long nobody takes a suspect that was passed on; the worker fills its slots again meanwhile."""
PASSES: Final = 3
"""How often a worker passes the same suspect on. Then it waits for as long as what runs takes: a fleet that is busy
with long jobs everywhere must not put a suspect off for ever."""
_REMEMBERED: Final = 1_000


class Suspects:
    """Those that a worker holds until nothing else runs in it. `start` begins one, `pass_on` puts one back for others,
    to be taken in so many seconds."""

    def __init__(
        self, worker: Worker, start: Callable[[Attempt], None], pass_on: Callable[[Attempt, float], None]
    ) -> None:
        self.waiting: deque[Attempt] = deque()
        self.running: Attempt | None = None
        self._worker = worker
        self._start = start
        self._pass_on = pass_on
        self._passed: dict[str, int] = {}
        self._loop = asyncio.get_running_loop()

    def __bool__(self) -> bool:
        """Whether any waits or runs here: nothing is taken then."""
        return bool(self.waiting) or self.running is not None

    def add(self, attempt: Attempt) -> None:
        """Hold one that was taken. In a burst nobody comes after this worker: there it is not passed on."""
        attempt.alone = True
        self.waiting.append(attempt)
        if not self._worker.burst and self._passed.get(attempt.id, 0) < PASSES:
            self._loop.call_later(PATIENCE_S, self._tire, attempt)

    def next(self) -> None:
        """Start one when nothing else runs here."""
        worker = self._worker
        if self.waiting and self.running is None and not worker.runner.running and not worker.intake.marking:
            self.running = attempt = self.waiting.popleft()
            self._passed.pop(attempt.id, None)
            logger.warning("%s took down its worker before: it runs alone", attempt.id)
            self._start(attempt)

    def ended(self) -> None:
        """A slot is free: the one that ran, if it has ended."""
        if self.running is not None and not self._worker.runner.running:
            self.running = None

    def dropped(self, attempt: Attempt) -> None:
        """One that was started will not run here after all."""
        if attempt is self.running:
            self.running = None

    def _tire(self, attempt: Attempt) -> None:
        """What runs here goes on: another worker may be less busy, and this one's free slots have waited enough."""
        if attempt not in self.waiting or self._worker.event.is_set():
            return
        self.waiting.remove(attempt)
        if len(self._passed) >= _REMEMBERED:
            self._passed.clear()
        self._passed[attempt.id] = self._passed.get(attempt.id, 0) + 1
        logger.warning("%s must run alone, and others run long: passed on for %g s", attempt.id, PASSED_ON_S)
        self._pass_on(attempt, PASSED_ON_S)
        self._worker.turns.kick()
