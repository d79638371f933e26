"""Troubles told to the log once a minute at most, each."""

from __future__ import annotations

import logging
import time
from typing import Final

logger = logging.getLogger("quarterdeck.worker")

QUIET_S: Final = 60.0
KEPT: Final = 200
"""Different troubles that are remembered."""


class Complaints:
    """What was told, and when."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def say(self, text: str) -> None:
        """Log a trouble as a warning, unless it was told in the last minute."""
        now = time.monotonic()
        if now - self._said.get(text, -QUIET_S) >= QUIET_S:
            if len(self._said) >= KEPT:
                self._said.clear()
            self._said[text] = now
            logger.warning("%s", text)
