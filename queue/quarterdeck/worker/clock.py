"""The server's clock, as near as its answers tell: a worker's own may be an hour off and harms nobody."""

from __future__ import annotations

import time


class ServerClock:
    """Epoch ms on the server's clock, carried on by this machine's monotonic one between answers."""

    def __init__(self) -> None:
        self._offset_ms = time.time() * 1000 - time.monotonic() * 1000
        self.known = False

    def learn(self, server_ms: int) -> None:
        """An answer said what time it is there; it was written at most a round trip ago."""
        self._offset_ms = server_ms - time.monotonic() * 1000
        self.known = True

    def now_ms(self) -> int:
        """The time there."""
        return int(time.monotonic() * 1000 + self._offset_ms)

    @property
    def skew_ms(self) -> float:
        """This machine's wall clock less the server's."""
        return time.time() * 1000 - (time.monotonic() * 1000 + self._offset_ms)
