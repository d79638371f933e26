"""What the last start painted first, kept to be shown while this one still loads.

A painting is that of an empty screen: the frame and the titles, and the word that says that it is still reading. It
holds nothing a server said. Whatever it depends on is in its `key`; one that fits nothing is as good as none.
"""

from __future__ import annotations

import os
import time
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

_MOST: Final = 16
_LARGEST: Final = 64 * 1024


class Painting(msgspec.Struct, frozen=True):
    """A whole screen of one size."""

    key: str
    size: tuple[int, int]
    """Columns and rows."""
    data: bytes
    """Paints it on a terminal that was just cleared."""
    cells: str
    """The same row by row, each cell told: what the terminal then shows, for our own book-keeping."""


class Album:
    """A directory with a painting for each size and look that was used lately."""

    def __init__(self, directory: Path) -> None:
        self._directory: Final = directory

    def find(self, key: str) -> Painting | None:
        """The painting for `key`; None if there is none, or if others could have put it there."""
        with suppress(OSError, msgspec.DecodeError), self._file(key).open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid == os.geteuid() and not status.st_mode & 0o022 and status.st_size <= _LARGEST:
                found = msgspec.msgpack.decode(file.read(), type=Painting)
                return found if found.key == key else None
        return None

    def age_s(self, key: str) -> float:
        """Seconds since the painting for `key` was kept; infinite where there is none."""
        with suppress(OSError):
            return time.time() - self._file(key).stat().st_mtime
        return float("inf")

    def keep(self, painting: Painting) -> None:
        """Keep it, and of those before only the latest. What can't be written is not kept."""
        file = self._file(painting.key)
        new = file.with_suffix(f".{os.getpid()}")
        with suppress(OSError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            new.touch(mode=0o600)
            new.write_bytes(msgspec.msgpack.encode(painting))
            new.replace(file)
            kept = sorted(self._directory.iterdir(), key=lambda path: path.stat().st_mtime)
            for path in kept[:-_MOST]:
                path.unlink()

    def _file(self, key: str) -> Path:
        return self._directory / f"{zlib.crc32(key.encode()):08x}"
