"""What a log view shows: the lines of a ring, following or held, painted at a bounded rate."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import tzinfo
from typing import Final

from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from quarterdeck.text import clean, count_of, fit, human_count
from tui.widgets.clock import DeckClock
from tui.widgets.logpaint import LogLook, StyledText, line_rows, matches, shown_text, time_of
from tui.widgets.logring import LEVELS, LogLine, LogRing
from tui.widgets.painted import Painted

FRAME_S: Final = 0.1
"""The shortest time between two paintings, whatever comes in."""
FLOOD_FRAME_S: Final = 0.5
"""The same when each would show other lines from top to bottom: nobody reads faster than that."""

Place = tuple[int, int]
"""A row on the screen: the sequence number of its line, and which of that line's rows it is."""


class LogView(Painted, can_focus=True):
    """The lines of a log, without its keys: see `LogTail`."""

    following: reactive[bool] = reactive(True, repaint=False)
    wrapped: reactive[bool] = reactive(False, repaint=False)
    times: reactive[bool] = reactive(True, repaint=False)
    level: reactive[str] = reactive("", repaint=False)
    """The least level shown, of `LEVELS`; empty shows all."""
    only: reactive[str] = reactive("", repaint=False)
    """Only lines that hold this text are shown."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
        clock: DeckClock | None = None,
        zone: tzinfo | None = None,
        max_lines: int = 50_000,
        max_bytes: int = 24 * 1_048_576,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, clock=clock)
        self.ring = LogRing(max_lines, max_bytes)
        self.zone = zone
        self.empty_text = ""
        """Why there may be no line, said while there is none."""
        self._top = (0, 0)
        """Sequence number and row of the line at the top, while not following."""
        self._left = 0
        self._pattern = ""
        self._found: int | None = None
        self._said = ""
        self._rows: list[tuple[StyledText, ...]] = []
        self._tops: list[Place] = []
        self._frame: Timer | None = None
        self._painted_s = 0.0
        self._fed = 0

    def feed(self, lines: Iterable[LogLine | str], dropped: int = 0) -> None:
        """Add lines, oldest first. `dropped` is how many the source had to leave out before them."""
        append = self.ring.append
        for line in lines:
            append(line if isinstance(line, LogLine) else LogLine(line))
            self._fed += 1
        self.ring.dropped += dropped
        self._repaint_soon()

    def clear(self) -> None:
        """Forget all lines: another log is about to be shown."""
        self.ring.clear()
        self._top, self._found, self._said = (self.ring.first, 0), None, ""
        self.following = True
        self.flush()

    def lines(self) -> list[LogLine]:
        """The lines that are held and pass the filters, oldest first, as they came: neither clean nor masked."""
        return list(self.ring.shown())

    def text(self) -> str:
        """The same as text for a file or the clipboard: a line each with its time and level, masked and clean."""
        plain = (
            f"{time_of(line.at_ms, self.zone)} {clean(line.level, 16) or '-'} {shown_text(line, self.glyphs)}"
            for line in self.ring.shown()
        )
        return "\n".join(plain)

    def visible_text(self) -> list[str]:
        """The lines as they are painted, the status line included, without styles."""
        return [self.render_line(y).text for y in range(self.size.height)]

    def _first_seen(self) -> int:
        return self._tops[0][0] if self._tops else self.ring.first

    @property
    def body_height(self) -> int:
        """Rows for lines; the last row of the widget is its status."""
        return max(0, self.size.height - 1)

    def _hold_at(self, top: Place) -> None:
        """Stop following, with this place at the top."""
        self._top = top
        self.following = False
        self.flush()

    def _moved(self, seq: int, row: int, step: int) -> Place:
        """The place `step` rows away, as far as there are lines; never so far that the screen would stay empty."""
        ring, look = self.ring, self._look()
        position = ring.position_of(seq)
        row += step
        while row < 0 and position > 0:
            position -= 1
            row += len(line_rows(ring.line(ring.seq_at(position)), look, found=False))
        while position < ring.count:
            rows = len(line_rows(ring.line(ring.seq_at(position)), look, found=False))
            if row < rows:
                break
            row -= rows
            position += 1
        if position >= ring.count:
            return self._last_top()
        return min((ring.seq_at(position), max(0, row)), self._last_top())

    def _last_top(self) -> Place:
        """The top of the screen when the newest line is at its end."""
        tops = [top for top, _ in self._tail_rows(self._look())]
        return tops[0] if tops else (self.ring.first, 0)

    def watch_following(self) -> None:
        """Show the newest lines, or stay."""
        self.flush()

    def watch_wrapped(self) -> None:
        """Compose the rows anew, from the start of the line that is at the top."""
        self._left = 0
        self._top = (self._top[0], 0)
        self.flush()

    def watch_times(self) -> None:
        """Compose the rows anew."""
        self.flush()

    def watch_level(self) -> None:
        """Another level: choose among the lines anew."""
        self._choose()

    def watch_only(self) -> None:
        """Another text: choose among the lines anew."""
        self._choose()

    def _choose(self) -> None:
        least = LEVELS.index(self.level) if self.level in LEVELS else 0
        only = self.only
        if not least and not only:
            self.ring.keep(None)
        else:
            self.ring.keep(lambda line: line.mark or (line.rank >= least and (not only or matches(line.text, only))))
        self._found = None
        self.flush()

    def _look(self) -> LogLook:
        return LogLook(self.size.width, self.wrapped, self.times, self._left, self._pattern, self.zone, self.glyphs)

    def _repaint_soon(self) -> None:
        """Paint in the next frame; many feeds share one."""
        if self._frame is None and self.is_mounted:
            # Never 0: a timer of Textual's divides by its interval when it comes late.
            wait_s = max(0.001, self._painted_s + self._frame_s() - time.monotonic())
            self._frame = self.set_timer(wait_s, self.flush)

    def _frame_s(self) -> float:
        """How long what is shown stays at least, in seconds: what comes into an empty view does not wait."""
        if not self._tops:
            return 0.0
        return FLOOD_FRAME_S if self.following and self._fed > self.body_height > 0 else FRAME_S

    def flush(self) -> None:
        """Paint now what changed."""
        if self._frame is not None:
            self._frame.stop()
            self._frame = None
        if not self.is_mounted or not self.size:
            return
        self._painted_s, self._fed = time.monotonic(), 0
        old = self._rows
        placed = self._tail_rows(self._look()) if self.following else self._rows_from(self._top)
        self._tops = [top for top, _ in placed]
        self._rows = [row for _, row in placed]
        self._rows += [()] * (self.body_height - len(self._rows))
        self._rows.append(self._status())
        if len(old) != len(self._rows):
            self.refresh()
        else:
            self.refresh_rows(y for y, row in enumerate(self._rows) if row != old[y])

    def _tail_rows(self, look: LogLook) -> list[tuple[Place, tuple[StyledText, ...]]]:
        """The last rows there are, as many as fit."""
        ring, height = self.ring, self.body_height
        placed: list[tuple[Place, tuple[StyledText, ...]]] = []
        for position in range(ring.count - 1, -1, -1):
            if len(placed) >= height:
                break
            seq = ring.seq_at(position)
            rows = line_rows(ring.line(seq), look, found=seq == self._found)
            placed[:0] = [((seq, at), row) for at, row in enumerate(rows)]
        return placed[max(0, len(placed) - height) :]

    def _rows_from(self, top: Place) -> list[tuple[Place, tuple[StyledText, ...]]]:
        """The rows from a place on, as many as fit."""
        ring, height, look = self.ring, self.body_height, self._look()
        seq, skipped = top
        position = ring.position_of(seq)
        if position < ring.count and ring.seq_at(position) != seq:
            skipped = 0  # the line at the top was pushed out
        placed: list[tuple[Place, tuple[StyledText, ...]]] = []
        while position < ring.count and len(placed) < height + skipped:
            seq = ring.seq_at(position)
            rows = line_rows(ring.line(seq), look, found=seq == self._found)
            placed += [((seq, at), row) for at, row in enumerate(rows)]
            position += 1
        return placed[skipped : skipped + height]

    def _status(self) -> tuple[StyledText, ...]:
        """The last row: whether it follows, how much there is, what is left out."""
        ring = self.ring
        below = 0
        if not self.following and self._tops:
            below = ring.count - 1 - ring.position_of(self._tops[-1][0])
        parts = [
            "following" if self.following else f"held, {human_count(below)} below",
            count_of(ring.count, "line"),
            "" if ring.count else self.empty_text,
            f"{human_count(ring.dropped)} dropped" if ring.dropped else "",
            f"{self.level.lower()} and above" if self.level else "",
            f"only {clean(self.only, 40)}" if self.only else "",
            "wrapped" if self.wrapped else (f"from column {self._left + 1}" if self._left else ""),
            self._said,
        ]
        text = " " + f" {self.glyphs.waiting} ".join(part for part in parts if part)
        shown = fit(self.glyphs.plain(text), self.size.width, "left", self.glyphs.ellipsis)
        return ((shown, ("warn" if ring.dropped else "header",)),)

    def forget_lines(self) -> None:
        """Size or style changed: compose all rows anew."""
        self._rows = []

    def on_resize(self) -> None:
        """Compose for the new size."""
        self.forget_lines()
        self.flush()

    def render_line(self, y: int) -> Strip:
        """One painted row."""
        if not self._rows:
            self.flush()
        row = self._rows[y] if y < len(self._rows) else ()
        return self.strip([(text, self.style_of(*names)) for text, names in row], self.size.width, self.style_of())
