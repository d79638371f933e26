"""CPU and memory of this process."""

from __future__ import annotations

import os
import time


class Usage:
    """CPU and memory of this process."""

    def __init__(self) -> None:
        self._at_s = time.monotonic()
        self._cpu_s = time.process_time()
        self.cpu_percent = 0.0

    def sample(self) -> tuple[float, int | None]:
        """CPU in percent of one core since the last call, and resident bytes (None where unknown)."""
        now_s, cpu_s = time.monotonic(), time.process_time()
        if now_s - self._at_s > 0.5:
            self.cpu_percent = round(100 * (cpu_s - self._cpu_s) / (now_s - self._at_s), 1)
            self._at_s, self._cpu_s = now_s, cpu_s
        return self.cpu_percent, _resident()


def _resident() -> int | None:
    try:
        with open("/proc/self/statm", "rb") as statm:  # noqa: PTH123 - read each beat
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError, ValueError):
        return None
