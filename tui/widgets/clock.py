"""The time on the server, as this side of the line can know it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final


def local_ms() -> int:
    """This machine's wall clock in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


class DeckClock:
    """The server's clock: this machine's, corrected by what the last snapshot said.

    Ages and countdowns are differences to times that the server wrote. With the viewer's own clock a laptop that is
    a minute off would show every job a minute older, and every schedule overdue.
    """

    def __init__(self, now_ms: Callable[[], int] = local_ms) -> None:
        self._local_ms = now_ms
        self.offset_ms = 0
        """What is added to the local clock, in milliseconds."""

    def hear(self, server_ms: int, round_trip_ms: float = 0.0) -> None:
        """Set the offset from a time that the server gave, taken half a round trip ago."""
        self.offset_ms = server_ms + round(round_trip_ms / 2) - self._local_ms()

    def now_ms(self) -> int:
        """Milliseconds since 1970 on the server, now."""
        return self._local_ms() + self.offset_ms


LOCAL: Final = DeckClock()
"""For widgets that were given no clock."""
