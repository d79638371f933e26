"""The log view: ten thousand lines a second stay readable, and cheap."""

from __future__ import annotations

from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from quarterdeck.text import clean
from tui.widgets.logpaint import matches
from tui.widgets.logring import LEVELS, LogLine
from tui.widgets.logview import FRAME_S, LogView

__all__ = ["FRAME_S", "LogTail"]

_SIDE_STEP: Final = 20
_MINUTES: Final = {2: 1, 3: 5, 4: 15, 5: 30, 6: 60}


class LogTail(LogView):
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

    def action_level(self) -> None:
        """Show only lines of the next level and above; after the last, all again."""
        steps = ("", *LEVELS[1:])
        self.level = steps[(steps.index(self.level) + 1) % len(steps)] if self.level in steps else ""

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        self.action_scroll(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        self.action_scroll(-3)
        event.stop()
