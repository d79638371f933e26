"""The grid: the one list widget of the deck."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from tui.widgets.gridview import GridView

_WHEEL_ROWS = 3


class Grid(GridView):
    """A list of any length, of which it holds a window.

    Rows come by `show`; when the view nears the end of what is held, `WindowWanted` asks for more. The cursor and the
    marks belong to keys. While rows are marked, or `hold` is set, rows keep their order and only their cells change.
    Cells are plain text, cleaned when painted. Only lines that changed are painted again.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="grid.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="grid.up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="grid.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="grid.page_up"),
        Binding("home,g", "first", "First", show=False, id="grid.first"),
        Binding("end,G", "last", "Last", show=False, id="grid.last"),
        Binding("space", "mark", "Mark", show=False, id="grid.mark"),
        Binding("asterisk", "mark_visible", "Mark all visible", show=False, id="grid.mark_visible"),
        Binding("escape", "unmark", "Unmark all", show=False, id="grid.unmark"),
        Binding("enter", "open", "Open", show=False, id="grid.open"),
        Binding("o", "sort", "Sort by the next column", show=False, id="grid.sort"),
        Binding("O", "reverse", "Reverse the order", show=False, id="grid.reverse"),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Let Esc through to the screen when there is nothing to unmark, and sorting where nothing can be sorted."""
        if action == "unmark":
            return bool(self._marks)
        if action in ("sort", "reverse"):
            return any(column.sortable for column in self._columns)
        return True

    def action_move(self, step: int) -> None:
        """Move the cursor by some rows; from a row that is gone the first step takes the row in its place."""
        if self._cursor.standing == "lost":
            step = min(step, 0)
        target = self._cursor.index + step
        if not 0 <= target < self.total and self._cursor.standing != "lost":
            self.post_message(self.EdgeReached(self, step))
        self.move_to(target)

    def action_page(self, direction: int) -> None:
        """Move view and cursor by a page."""
        step = direction * max(1, self.body_height - 1)
        self._top += step
        self.move_to(self._cursor.index + step)

    def action_first(self) -> None:
        """Move to the first row."""
        self.move_to(0)

    def action_last(self) -> None:
        """Move to the last row."""
        self.move_to(self.total - 1)

    def action_mark(self) -> None:
        """Mark or unmark the row under the cursor, and move on."""
        key = self.cursor_key
        if key is None:
            self.move_to(self._cursor.index)
            return
        if key in self._marks:
            del self._marks[key]
        else:
            self._marks[key] = None
        self._tell_marks()
        if self._cursor.index + 1 < self.total:
            self.move_to(self._cursor.index + 1)

    def action_mark_visible(self) -> None:
        """Mark every row that can be seen; unmark them where all of them are marked."""
        rows = (self._window.row(self._top + y) for y in range(self.body_height))
        keys = [row.key for row in rows if row is not None]
        if all(key in self._marks for key in keys):
            self.unmark(keys)
            return
        self._marks.update(dict.fromkeys(keys))
        self._tell_marks()

    def action_unmark(self) -> None:
        """Take off all marks."""
        self.unmark()

    def action_open(self) -> None:
        """Open the row under the cursor; where it is gone, take the row in its place and open nothing yet."""
        if self.cursor_key is not None:
            self._touched = True
            self.post_message(self.RowOpened(self, self.cursor_key))
        else:
            self.move_to(self._cursor.index)

    def action_sort(self) -> None:
        """Ask for the order of the next column that can be sorted by."""
        columns = [column for column in self._columns if column.sortable]
        keys = [column.key for column in columns]
        at = keys.index(self._sort[0]) + 1 if self._sort and self._sort[0] in keys else 0
        chosen = columns[at % len(columns)]
        self._ask_order(chosen.key, chosen.descending)

    def action_reverse(self) -> None:
        """Ask for the same order the other way round."""
        if self._sort is None:
            self.action_sort()
        else:
            self._ask_order(self._sort[0], not self._sort[1])

    def on_click(self, event: events.Click) -> None:
        """Move to the row that was clicked; open it on a double click; sort by a clicked title."""
        y = event.get_content_offset_capture(self).y - self.show_header
        if y >= 0 and self._top + y < self.total:
            self.move_to(self._top + y)
            if event.chain == 2:
                self.action_open()
        elif y < 0:
            self._click_title(event.get_content_offset_capture(self).x)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll the view, taking the cursor along at its edge."""
        self._scroll(_WHEEL_ROWS)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll the view, taking the cursor along at its edge."""
        self._scroll(-_WHEEL_ROWS)
        event.stop()

    def _ask_order(self, column: str, descending: bool) -> None:
        self.sorted_by(column, descending)
        self.post_message(self.SortWanted(self, column, descending))

    def _click_title(self, x: int) -> None:
        left = 1
        for placed in self._layout:
            if left <= x < left + placed.width and placed.column.sortable:
                same = self._sort is not None and self._sort[0] == placed.column.key
                descending = not self._sort[1] if self._sort and same else placed.column.descending
                self._ask_order(placed.column.key, descending)
            left += placed.width + self._gap

    def _scroll(self, step: int) -> None:
        self._top = max(0, min(self._top + step, self.total - self.body_height))
        low, high = self._top, self._top + max(0, self.body_height - 1)
        index = min(max(self._cursor.index, low), high)
        if index != self._cursor.index:
            self.move_to(index)
        else:
            self._settle(self._cursor.target)
