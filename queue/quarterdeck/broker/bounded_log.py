"""A log file that does not grow for ever."""

from __future__ import annotations

from pathlib import Path

LIMIT_BYTES = 1_000_000


class BoundedLog:
    """Bytes appended to `path`; at `limit` bytes the file becomes `<path>.1`, and the one before that is dropped."""

    def __init__(self, path: Path, limit: int = LIMIT_BYTES) -> None:
        self.path = path
        self.limit = limit
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Append `data`. A full disk must not stop the server that logs: what can't be written is dropped."""
        try:
            if self._file.tell() + len(data) > self.limit:
                self._file.close()
                self.path.replace(self.path.with_name(self.path.name + ".1"))
                self._file = self.path.open("ab", buffering=0)
            self._file.write(data)
        except OSError:
            return

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()


def tail(path: Path, lines: int = 5, limit: int = 4096) -> list[str]:
    """The last `lines` lines of a log, from its last `limit` bytes; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []
