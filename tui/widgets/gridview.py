"""What a grid shows: a window of rows, a cursor on a key, marks; and how only changed lines are painted again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from quarterdeck.text import human_count
from tui.widgets import gridnews
from tui.widgets.cell import GridRow
from tui.widgets.clock import DeckClock
from tui.widgets.columns import Column, Placed, lay_out
from tui.widgets.cursor import Cursor
from tui.widgets.gridpaint import LineState, header_strip, message_strip, row_strip
from tui.widgets.painted import Painted
from tui.widgets.window import RowWindow

_MOST_HELD = 4_096
_GRACE_S = 0.1
"""How long the old lines stay while the rows to come are read: mostly they come sooner, and are painted once."""


class GridView(Painted, can_focus=True):
    """The rows of a grid, without its keys: see `Grid`."""

    hold: reactive[bool] = reactive(False, repaint=False)
    """Set while a dialog is open: rows keep their order, as they do while rows are marked."""
    show_header: reactive[bool] = reactive(True)
    empty_text: reactive[str] = reactive("nothing here", repaint=False)
    """What is said when there is no row."""
    WindowWanted = gridnews.WindowWanted
    CursorMoved = gridnews.CursorMoved
    RowOpened = gridnews.RowOpened
    Marked = gridnews.Marked
    SortWanted = gridnews.SortWanted
    EdgeReached = gridnews.EdgeReached

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
        clock: DeckClock | None = None,
        gap: int = 2,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, clock=clock)
        self._columns = tuple(columns)
        self._gap = gap
        self._window = RowWindow()
        self._arrived = False
        self._cursor = Cursor()
        self._touched = False
        self._top = 0
        self._marks: dict[str, None] = {}
        self._sort: tuple[str, bool] | None = None
        self._wanted = (0, 0)
        self._layout: tuple[Placed, ...] = ()
        self._lines: list[LineState] = []
        self._moments: dict[int, GridRow] = {}
        self._strips: dict[LineState, Strip] = {}
        self._grace: Timer | None = None

    @property
    def cursor_key(self) -> str | None:
        """The key under the cursor; None while there is no row, or the one that was there is gone."""
        return self._cursor.target

    @property
    def marked(self) -> tuple[str, ...]:
        """The marked keys, in the order in which they were marked."""
        return tuple(self._marks)

    @property
    def targets(self) -> tuple[str, ...]:
        """What a verb takes: the marked keys, else the one under the cursor, else nothing."""
        if self._marks:
            return self.marked
        return () if self.cursor_key is None else (self.cursor_key,)

    @property
    def held(self) -> bool:
        """Whether the order of the rows holds still."""
        return self.hold or bool(self._marks)

    @property
    def wanted(self) -> tuple[int, int]:
        """The window to read next, as (offset, limit): what is visible and a little more."""
        return self._wanted

    @property
    def total(self) -> int:
        """How many rows the whole list has."""
        return self._window.total

    @property
    def sorting(self) -> tuple[str, bool] | None:
        """The column sorted by and whether it descends; None in the list's own order."""
        return self._sort

    @property
    def awaiting(self) -> bool:
        """Whether the lines on screen are old ones, kept for a moment until the rows at the cursor come."""
        return self._grace is not None

    @property
    def position(self) -> str:
        """Where the view is, for a title: `1-20 of 1,204`, with `held` and the number of marks."""
        if not self.total:
            return "0"
        last = min(self.total, self._top + self.body_height)
        text = f"{human_count(self._top + 1, 12)}-{human_count(last, 12)} of {human_count(self.total, 12)}"
        marks = f", {len(self._marks)} marked" if self._marks else ""
        return text + marks + (", held" if self.held else "")

    @property
    def body_height(self) -> int:
        """Rows that can be seen at once."""
        return max(0, self.size.height - self.show_header)

    def show(self, rows: Sequence[GridRow], offset: int = 0, total: int | None = None) -> None:
        """Show a new reading of the list: `rows` are those from `offset` on, out of `total` (default: these are all).

        Cursor and marks stay with their keys. While the order is held only cells change, and rows are added at the
        ends; a reading from elsewhere in the list replaces what is held.
        """
        fresh = RowWindow(rows, offset, total)
        if not self._arrived and not fresh.total:  # the lines are as blank as before, and one now says why
            self.refresh()
        self._arrived = True
        self._window = self._window.held_against(fresh) if self.held and self._window.rows else fresh
        self._window = self._window.around(self._top, _MOST_HELD)
        self._moments.clear()
        before = self._cursor.target
        if not (self._touched or self.has_focus):
            self._cursor.go(0, self._window)
        elif moved := self._cursor.follow(self._window):
            self._top += moved if self._top else 0
        self._settle(before)

    def sorted_by(self, column: str | None, descending: bool = False) -> None:
        """Say in what order the rows are; None for the list's own order."""
        self._sort = None if column is None else (column, descending)
        self._repaint_header()

    def move_to(self, index: int) -> None:
        """Put the cursor on an index of the whole list, reading it if need be."""
        before = self._cursor.target
        self._touched = True
        self._cursor.go(index, self._window)
        self._settle(before)

    def place(self, key: str, index: int) -> None:
        """Put the cursor on a key that is known to be at an index, though its row may not have arrived."""
        before = self._cursor.target
        self._touched = True
        self._cursor.go(index, self._window)
        self._cursor.key = key
        self._cursor.follow(self._window)
        self._settle(before)

    def unmark(self, keys: Iterable[str] | None = None) -> None:
        """Take the marks off some keys, or off all."""
        for key in tuple(self._marks) if keys is None else keys:
            self._marks.pop(key, None)
        self._tell_marks()

    def reset(self) -> None:
        """Forget rows, cursor and marks: another list is about to be shown."""
        self._window, self._cursor, self._arrived = RowWindow(), Cursor(), False
        self._touched, self._top, self._wanted = False, 0, (0, 0)
        self._marks.clear()
        self._moments.clear()
        self._settle(None)

    def tick(self) -> None:
        """A second has gone by: paint the countdowns and ages that changed."""
        self._moments.clear()
        if not self.awaiting:
            self._repaint()

    def visible_text(self) -> list[str]:
        """The lines as they are painted, header included, without styles."""
        return [self.render_line(y).text for y in range(self.size.height)]

    def on_resize(self) -> None:
        """Lay out anew and ask for what the new size shows."""
        self.forget_lines()
        self._settle(self._cursor.target)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor as one that keys reach, or not; once here, it stays with its key."""
        super().watch_has_focus(has_focus)
        self._touched = self._touched or has_focus
        self._repaint()

    def watch_empty_text(self) -> None:
        """Say it, where it is all that is seen."""
        if self._arrived and not self.total:
            self.refresh()

    def watch_show_header(self) -> None:
        """One line more or less."""
        self.forget_lines()
        self.refresh()

    def _tell_marks(self) -> None:
        self._repaint()
        self.post_message(self.Marked(self, self.marked))

    def _settle(self, before: str | None) -> None:
        """After rows, cursor or size changed: bring the cursor into view, ask for rows, paint, tell."""
        height = self.body_height
        if height:
            self._top = min(self._top, self._cursor.index)
            self._top = max(self._top, self._cursor.index - height + 1)
            self._top = max(0, min(self._top, self.total - height))
        self._want(height)
        if self._may_await(height):
            self._grace = self._grace or self.set_timer(_GRACE_S, self._stop_awaiting)
        else:
            self._end_grace()
            self._repaint()
        if self._cursor.target != before:
            self.post_message(self.CursorMoved(self, self._cursor.target))

    def _may_await(self, height: int) -> bool:
        """Whether rows that can be seen are on their way, and the old lines may stay for that moment."""
        if not self._lines or len(self._lines) != height or any(_vacant(line) for line in self._lines):
            return False
        return not self._arrived or not self._window.covers(self._top, self._top + height)

    def _stop_awaiting(self) -> None:
        """The rows take their time: paint where one is, and say so."""
        self._end_grace()
        self._repaint()
        self.post_message(self.CursorMoved(self, self._cursor.target))

    def _end_grace(self) -> None:
        if self._grace is not None:
            self._grace.stop()
            self._grace = None

    def _want(self, height: int) -> None:
        """Ask for another window when half a page before or after the view is neither held nor asked for."""
        if not height:
            return
        low, high = self._top - height // 2, self._top + height + height // 2
        offset, limit = self._wanted
        high = min(high, self.total) if self._arrived else high
        if limit and offset <= max(0, low) and high <= offset + limit:
            return
        self._wanted = (max(0, self._top - height), 3 * height)
        if not self._window.covers(low, high) or not self._arrived:
            self.post_message(self.WindowWanted(self, *self._wanted))

    def _repaint_header(self) -> None:
        if self.show_header:
            self.refresh_rows([0])

    def _repaint(self) -> None:
        """Paint the lines whose content is not what is on screen."""
        lines = self._body()
        if len(lines) != len(self._lines):
            self._lines = lines
            self.refresh()
            return
        changed = [y for y, (old, new) in enumerate(zip(self._lines, lines, strict=True)) if old != new]
        self._lines = lines
        self.refresh_rows(y + self.show_header for y in changed)

    def _body(self) -> list[LineState]:
        """All that the look of each body line depends on, apart from size and stylesheet."""
        focused, marks, total = self.has_focus, self._marks, self.total
        cursor = self._cursor.index if total and (focused or self._touched) else -1
        thumb = self._thumb()
        lines = []
        for y in range(self.body_height):
            index = self._top + y
            row = self._row_now(index)
            lines.append(
                LineState(
                    row=row,
                    beyond=index >= total,
                    cursor=self._cursor.standing if index == cursor else "",
                    focused=focused,
                    marked=row is not None and row.key in marks,
                    thumb=y in thumb,
                )
            )
        return lines

    def _row_now(self, index: int) -> GridRow | None:
        """A row with its countdowns as of the last second: a key that moves the cursor need not tell the time anew."""
        row = self._moments.get(index)
        if row is None and (row := self._window.row(index)) is not None:
            row = self._moments[index] = row.at(self.clock.now_ms())
        return row

    def _thumb(self) -> range:
        """The body lines that the scroll bar's thumb is on."""
        height, total = self.body_height, self.total
        if total <= height or not height:
            return range(0)
        size = max(1, height * height // total)
        at = round(self._top / (total - height) * (height - size))
        return range(at, at + size)

    def forget_lines(self) -> None:
        """Drop the painted lines and the layout: size or style changed."""
        self._strips.clear()
        self._lines = []
        self._layout = lay_out(self._columns, self.size.width - 2, self._gap)

    def render_line(self, y: int) -> Strip:
        """One painted line of the grid."""
        width = self.size.width
        if not self._layout:
            self.forget_lines()
        if self.show_header and y == 0:
            return header_strip(self, self._layout, self._gap, self._sort, width)
        body = y - self.show_header
        if self._arrived and not self.total:
            return message_strip(self, self.empty_text if body == 0 else "", width)
        if body >= len(self._lines):
            self._lines = self._body()
        if body >= len(self._lines):
            return message_strip(self, "", width)
        line = self._lines[body]
        strip = self._strips.get(line)
        if strip is None:
            if len(self._strips) > 8 * self.size.height:
                self._strips.clear()
            strip = self._strips[line] = row_strip(self, line, self._layout, self._gap, width)
        return strip


def _vacant(line: LineState) -> bool:
    """Whether a line is the place of a row that has not arrived."""
    return line.row is None and not line.beyond
