"""The log view: ten thousand lines a second stay readable, and cheap."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import tzinfo
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from quarterdeck.text import clean, fit, human_count
from tui.widgets.clock import DeckClock
from tui.widgets.logpaint import LogLook, StyledText, line_rows, matches, shown_text, time_of
from tui.widgets.logring import LEVELS, LogLine, LogRing
from tui.widgets.painted import Painted

FRAME_S: Final = 0.1
"""The shortest time between two paintings, whatever comes in."""

_SIDE_STEP: Final = 20
_MINUTES: Final = {2: 1, 3: 5, 4: 15, 5: 30, 6: 60}


class LogTail(Painted, can_focus=True):
    """The newest lines of a log, in a ring of bounded size.

    `feed` costs an append a line; cleaning, masking and wrapping are for the lines on the screen only, and the screen
    is painted at most ten times a second. Following stops when the operator scrolls up, and goes on with `s` or `0`.
    What fell out of the ring is counted in the last line.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", "Down", show=False, id="log.down"),
        Binding("up,k", "scroll(-1)", "Up", show=False, id="log.up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="log.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="log.page_up"),
        Binding("home,g", "oldest", "Oldest line", show=False, id="log.oldest"),
        Binding("end,G,0", "newest", "Newest line, and follow", show=False, id="log.newest"),
        Binding("left", "sideways(-1)", "Left", show=False, id="log.left"),
        Binding("right", "sideways(1)", "Right", show=False, id="log.right"),
        Binding("s", "follow", "Follow new lines", show=False, id="log.follow"),
        Binding("w", "wrap", "Wrap long lines", show=False, id="log.wrap"),
        Binding("t", "times", "Show times", show=False, id="log.times"),
        Binding("slash", "ask_search", "Search", show=False, id="log.search"),
        Binding("ampersand", "ask_only", "Show only lines with a text", show=False, id="log.only"),
        Binding("n", "next_match(1)", "Next match", show=False, id="log.next"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="log.previous"),
        Binding("L", "level", "Show the next level and above", show=False, id="log.level"),
        Binding("m", "mark", "Set a mark", show=False, id="log.mark"),
        Binding("left_square_bracket", "to_mark(-1)", "Previous mark", show=False, id="log.previous_mark"),
        Binding("right_square_bracket", "to_mark(1)", "Next mark", show=False, id="log.next_mark"),
        *(Binding(str(key), f"minutes({key})", "Last minutes", show=False, id=f"log.jump{key}") for key in _MINUTES),
    ]

    following: reactive[bool] = reactive(True, repaint=False)
    wrapped: reactive[bool] = reactive(False, repaint=False)
    times: reactive[bool] = reactive(True, repaint=False)
    level: reactive[str] = reactive("", repaint=False)
    """The least level shown, of `LEVELS`; empty shows all."""
    only: reactive[str] = reactive("", repaint=False)
    """Only lines that hold this text are shown."""

    class SearchWanted(Message):
        """The operator pressed `/`: ask for a text and call `search` (or set `only`, where `only` is true)."""

        def __init__(self, tail: LogTail, only: bool) -> None:
            super().__init__()
            self.tail = tail
            self.only = only

        @property
        def control(self) -> LogTail:
            """The log view, for `@on(..., "#selector")`."""
            return self.tail

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
        self._top = (0, 0)
        """Sequence number and row of the line at the top, while not following."""
        self._left = 0
        self._pattern = ""
        self._found: int | None = None
        self._said = ""
        self._rows: list[tuple[StyledText, ...]] = []
        self._tops: list[tuple[int, int]] = []
        self._frame: Timer | None = None
        self._painted_s = 0.0

    # What comes in.

    def feed(self, lines: Iterable[LogLine | str], dropped: int = 0) -> None:
        """Add lines, oldest first. `dropped` is how many the source had to leave out before them."""
        append = self.ring.append
        for line in lines:
            append(line if isinstance(line, LogLine) else LogLine(line))
        self.ring.dropped += dropped
        self._repaint_soon()

    def clear(self) -> None:
        """Forget all lines: another log is about to be shown."""
        self.ring.clear()
        self._top, self._found, self._said = (self.ring.first, 0), None, ""
        self.following = True
        self.flush()

    # What goes out.

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

    # Finding.

    def search(self, pattern: str) -> int:
        """Look for a text from the top of the screen on, then from the start; returns how many lines hold it.

        Upper and lower case are one unless the text has an upper-case letter. An empty text ends the search.
        """
        self._pattern, self._found, self._said = pattern, None, ""
        if not pattern:
            self.flush()
            return 0
        found = self._matching()
        if found:
            self._show_match(found, next((at for at, seq in enumerate(found) if seq >= self._first_seen()), 0))
        else:
            self._said = f"no line holds {clean(pattern, 40)}"
            self.flush()
        return len(found)

    def _matching(self) -> list[int]:
        ring, pattern = self.ring, self._pattern
        seqs = map(ring.seq_at, range(ring.count))
        return [seq for seq in seqs if matches(ring.line(seq).text, pattern)]

    def _first_seen(self) -> int:
        return self._tops[0][0] if self._tops else self.ring.first

    def _show_match(self, found: list[int], at: int) -> None:
        self._found = found[at]
        self._said = f"line {at + 1:,} of {len(found):,} with {clean(self._pattern, 40)}"
        self._show_at(found[at], rows_above=self.body_height // 2)

    def action_next_match(self, step: int) -> None:
        """Go to the next match, or to the previous one; from the last on to the first."""
        found = self._matching() if self._pattern else []
        if not found:
            return
        here = self._found if self._found is not None else self._first_seen()
        if step > 0:
            at = next((at for at, seq in enumerate(found) if seq > here), 0)
        else:
            at = next((at for at, seq in reversed(tuple(enumerate(found))) if seq < here), len(found) - 1)
        self._show_match(found, at)

    def action_ask_search(self) -> None:
        """Have the screen ask for what to search."""
        self.post_message(self.SearchWanted(self, only=False))

    def action_ask_only(self) -> None:
        """Have the screen ask for what the lines must hold."""
        self.post_message(self.SearchWanted(self, only=True))

    # Moving.

    @property
    def body_height(self) -> int:
        """Rows for lines; the last row of the widget is its status."""
        return max(0, self.size.height - 1)

    def action_scroll(self, rows: int) -> None:
        """Scroll by rows; up from the end stops following."""
        if self.following and rows >= 0:
            return
        seq, row = self._tops[0] if self._tops else self._last_top()
        self._hold_at(self._moved(seq, row, rows))

    def action_page(self, direction: int) -> None:
        """Scroll by a page."""
        self.action_scroll(direction * max(1, self.body_height - 1))

    def action_oldest(self) -> None:
        """Go to the oldest line that is held."""
        self._hold_at((self.ring.first, 0))

    def action_newest(self) -> None:
        """Go to the newest line and follow."""
        self.following = True

    def action_sideways(self, direction: int) -> None:
        """Look further along lines that are not wrapped."""
        self._left = 0 if self.wrapped else max(0, self._left + direction * _SIDE_STEP)
        self.flush()

    def action_minutes(self, key: int) -> None:
        """Go to the first line of the last 1, 5, 15, 30 or 60 minutes (keys 2 to 6)."""
        since_ms = self.clock.now_ms() - _MINUTES[key] * 60_000
        ring = self.ring
        for position in range(ring.count):
            seq = ring.seq_at(position)
            at_ms = ring.line(seq).at_ms
            if at_ms is not None and at_ms >= since_ms:
                self._show_at(seq)
                return
        self.action_newest()

    def action_mark(self) -> None:
        """Draw a line under the newest line, to see what comes after."""
        self.feed([LogLine("mark", self.clock.now_ms(), mark=True)])

    def action_to_mark(self, direction: int) -> None:
        """Go to the previous or the next mark."""
        ring, here = self.ring, self._first_seen()
        marks = [seq for seq in map(ring.seq_at, range(ring.count)) if ring.line(seq).mark]
        chosen = [seq for seq in marks if (seq < here if direction < 0 else seq > here)]
        if chosen:
            self._show_at(chosen[-1] if direction < 0 else chosen[0])

    def _show_at(self, seq: int, rows_above: int = 0) -> None:
        """Bring a line to the top, or some rows below it."""
        self._hold_at(self._moved(seq, 0, -rows_above))

    def _hold_at(self, top: tuple[int, int]) -> None:
        """Stop following, with this place at the top."""
        self._top = top
        self.following = False
        self.flush()

    def _moved(self, seq: int, row: int, step: int) -> tuple[int, int]:
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

    def _last_top(self) -> tuple[int, int]:
        """The top of the screen when the newest line is at its end."""
        tops = [top for top, _ in self._tail_rows(self._look())]
        return tops[0] if tops else (self.ring.first, 0)

    # Switches.

    def action_follow(self) -> None:
        """Follow new lines, or hold still."""
        if self.following and self._tops:
            self._top = self._tops[0]
        self.following = not self.following

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wrapped = not self.wrapped

    def action_times(self) -> None:
        """Show times, or leave the room to the text."""
        self.times = not self.times

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

    def action_level(self) -> None:
        """Show only lines of the next level and above; after the last, all again."""
        steps = ("", *LEVELS[1:])
        self.level = steps[(steps.index(self.level) + 1) % len(steps)] if self.level in steps else ""

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

    # Painting.

    def _look(self) -> LogLook:
        return LogLook(self.size.width, self.wrapped, self.times, self._left, self._pattern, self.zone, self.glyphs)

    def _repaint_soon(self) -> None:
        """Paint in the next frame; many feeds share one."""
        if self._frame is None and self.is_mounted:
            # Never 0: a timer of Textual's divides by its interval when it comes late.
            wait_s = max(0.001, self._painted_s + FRAME_S - time.monotonic())
            self._frame = self.set_timer(wait_s, self.flush)

    def flush(self) -> None:
        """Paint now what changed."""
        if self._frame is not None:
            self._frame.stop()
            self._frame = None
        if not self.is_mounted or not self.size:
            return
        self._painted_s = time.monotonic()
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

    def _tail_rows(self, look: LogLook) -> list[tuple[tuple[int, int], tuple[StyledText, ...]]]:
        """The last rows there are, as many as fit."""
        ring, height = self.ring, self.body_height
        placed: list[tuple[tuple[int, int], tuple[StyledText, ...]]] = []
        for position in range(ring.count - 1, -1, -1):
            if len(placed) >= height:
                break
            seq = ring.seq_at(position)
            rows = line_rows(ring.line(seq), look, found=seq == self._found)
            placed[:0] = [((seq, at), row) for at, row in enumerate(rows)]
        return placed[max(0, len(placed) - height) :]

    def _rows_from(self, top: tuple[int, int]) -> list[tuple[tuple[int, int], tuple[StyledText, ...]]]:
        """The rows from a place on, as many as fit."""
        ring, height, look = self.ring, self.body_height, self._look()
        seq, skipped = top
        position = ring.position_of(seq)
        if position < ring.count and ring.seq_at(position) != seq:
            skipped = 0  # the line at the top was pushed out
        placed: list[tuple[tuple[int, int], tuple[StyledText, ...]]] = []
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
            f"{human_count(ring.count)} lines",
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

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        self.action_scroll(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        self.action_scroll(-3)
        event.stop()

    def render_line(self, y: int) -> Strip:
        """One painted row."""
        if not self._rows:
            self.flush()
        row = self._rows[y] if y < len(self._rows) else ()
        return self.strip([(text, self.style_of(*names)) for text, names in row], self.size.width, self.style_of())
