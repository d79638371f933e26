"""What a worker knows of a queue it serves."""

from __future__ import annotations

import asyncio


class QueueState:
    """Whether a queue may hold jobs (`ripe`), and if not, whether to wait for a push or for a while."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ripe = False
        self.rest_s = 0.0
        self.empty = asyncio.Event()
        """Set while it is known to hold nothing for us: its waker may wait."""

    def filled(self) -> None:
        """There may be jobs."""
        self.ripe = True
        self.empty.clear()

    def drained(self) -> None:
        """All there was has been taken."""
        self.ripe = False
        self.rest_s = 0.0
        self.empty.set()

    def rest(self, rest_s: float) -> None:
        """Nothing can be taken for a while, whatever is in it."""
        self.ripe = False
        self.rest_s = rest_s
        self.empty.set()
