"""Log lines in a ring: the newest of them, bounded in number and in bytes, with what was dropped counted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

LINE_LIMIT: Final = 4_096
"""Characters of one line that are kept."""

_OVERHEAD_BYTES: Final = 160
"""What a kept line costs beside its text: the struct, the string's head, the slots of the lists."""

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
"""The levels that can be filtered by, from the least on; the names are the standard library's."""


class LogLine(msgspec.Struct, frozen=True, gc=False):
    """One line as it was logged. `at_ms` is milliseconds since 1970 UTC, or None where nobody said."""

    text: str
    at_ms: int | None = None
    level: str = ""
    source: str = ""
    mark: bool = False

    @property
    def rank(self) -> int:
        """Where its level stands in `LEVELS`; a level that is not known ranks as INFO."""
        name = self.level.upper()
        return LEVELS.index(name) if name in LEVELS else 1


class LogRing:
    """Lines by sequence number, which never changes while a line is held.

    Of these, those that pass `keep` are counted and found by position: 0 is the oldest that is shown.
    """

    def __init__(self, max_lines: int = 50_000, max_bytes: int = 24 * 1_048_576) -> None:
        self.max_lines = max_lines
        self.max_bytes = max_bytes
        self.dropped = 0
        """Lines that were pushed out, or that the source says it had to leave out."""
        self.first = 0
        """The sequence number of the oldest line held."""
        self.size_bytes = 0
        self._lines: list[LogLine | None] = []
        self._start = 0
        self._keep: Callable[[LogLine], bool] | None = None
        self._kept: list[int] = []
        self._kept_start = 0

    @property
    def end(self) -> int:
        """The sequence number that the next line will have."""
        return self.first + len(self._lines) - self._start

    def append(self, line: LogLine) -> None:
        """Add the newest line, pushing out the oldest ones that no longer fit."""
        if len(line.text) > LINE_LIMIT:
            line = msgspec.structs.replace(line, text=line.text[: LINE_LIMIT + 1])
        if self._keep is not None and self._keep(line):
            self._kept.append(self.end)
        self._lines.append(line)
        self.size_bytes += len(line.text) + _OVERHEAD_BYTES
        while self.end - self.first > self.max_lines or (
            self.size_bytes > self.max_bytes and self.end - self.first > 1
        ):
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        line = self._lines[self._start]
        assert line is not None
        self._lines[self._start] = None
        self._start += 1
        self.first += 1
        self.dropped += 1
        self.size_bytes -= len(line.text) + _OVERHEAD_BYTES
        while self._kept_start < len(self._kept) and self._kept[self._kept_start] < self.first:
            self._kept_start += 1
        # A list that gives up its head at once would move all of its tail each time; half at a time costs nothing.
        if self._start * 2 > len(self._lines):
            del self._lines[: self._start]
            self._start = 0
        if self._kept_start * 2 > len(self._kept):
            del self._kept[: self._kept_start]
            self._kept_start = 0

    def keep(self, wanted: Callable[[LogLine], bool] | None) -> None:
        """Show only the lines that are wanted, of those that are held and of those that will come; None shows all."""
        self._keep, self._kept_start = wanted, 0
        self._kept = [] if wanted is None else [seq for seq, line in self._held() if wanted(line)]

    def _held(self) -> Iterator[tuple[int, LogLine]]:
        for seq in range(self.first, self.end):
            yield seq, self.line(seq)

    @property
    def count(self) -> int:
        """How many lines are shown."""
        return self.end - self.first if self._keep is None else len(self._kept) - self._kept_start

    def seq_at(self, position: int) -> int:
        """The sequence number of the line shown at a position, which must exist."""
        return self.first + position if self._keep is None else self._kept[self._kept_start + position]

    def position_of(self, seq: int) -> int:
        """The position of the first shown line whose number is `seq` or later; `count` where there is none."""
        if self._keep is None:
            return min(max(seq - self.first, 0), self.count)
        return bisect_left(self._kept, seq, self._kept_start) - self._kept_start

    def line(self, seq: int) -> LogLine:
        """The line of a sequence number that is held."""
        line = self._lines[self._start + seq - self.first]
        assert line is not None
        return line

    def shown(self) -> Iterator[LogLine]:
        """All lines that are shown, oldest first."""
        for position in range(self.count):
            yield self.line(self.seq_at(position))

    def clear(self) -> None:
        """Forget all lines; sequence numbers go on."""
        self.first = self.end
        self._lines, self._start, self._kept, self._kept_start = [], 0, [], 0
        self.size_bytes = self.dropped = 0
