"""The document view: a payload, a traceback or any text, whole, wrapped, folded and searched."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.widgets.docview import DocView

_SIDE_STEP = 20


class Document(DocView):
    """Read-only text of up to a megabyte. Rows are found by arithmetic, so that its middle is as near as its start.

    A row cursor walks through it; on a line that has deeper ones under it, Enter folds and unfolds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="document.down"),
        Binding("up,k", "move(-1)", "Up", show=False, id="document.up"),
        Binding("pagedown,space", "page(1)", "Page down", show=False, id="document.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="document.page_up"),
        Binding("home,g", "to_row(0)", "Start", show=False, id="document.start"),
        Binding("end,G", "to_end", "End", show=False, id="document.end"),
        Binding("left", "sideways(-1)", "Left", show=False, id="document.left"),
        Binding("right", "sideways(1)", "Right", show=False, id="document.right"),
        Binding("enter", "fold", "Fold or unfold", show=False, id="document.fold"),
        Binding("Z", "fold_all", "Fold or unfold all", show=False, id="document.fold_all"),
        Binding("W", "wrap", "Wrap long lines", show=False, id="document.wrap"),
        Binding("slash", "ask_search", "Search", show=False, id="document.search"),
        Binding("n", "next_match(1)", "Next match", show=False, id="document.next"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="document.previous"),
    ]

    class SearchWanted(Message):
        """The operator pressed `/`: ask for a text and call `search`."""

        def __init__(self, document: Document) -> None:
            super().__init__()
            self.document = document

        @property
        def control(self) -> Document:
            """The document, for `@on(..., "#selector")`."""
            return self.document

    def search(self, pattern: str) -> int:
        """Look for a text from the cursor on, then from the start; returns how many lines hold it.

        Upper and lower case are one unless the text has an upper-case letter. A match that is folded away is unfolded.
        """
        self._pattern = pattern
        self._find()
        if self._found:
            here = self._layout.locate(self._row)[0]
            self._show_match(next((at for at, index in enumerate(self._found) if index >= here), 0))
        self._repaint()
        return len(self._found)

    def action_next_match(self, step: int) -> None:
        """Go to the next match, or to the previous one; from the last on to the first."""
        if self._found:
            at = -1 if self._at_match is None else self._at_match
            self._show_match((at + step) % len(self._found))

    def _show_match(self, at: int) -> None:
        self._at_match = at
        index = self._found[at]
        hiding = {above for above in self._folded if above < index and self._hides(above, index)}
        if hiding:
            self._choose_folds(self._folded - hiding)
        offset = max(0, self._lines[index].text.lower().find(self._pattern.lower()))
        self._go(self._layout.row_of(index, offset), middle=True)

    def _hides(self, above: int, index: int) -> bool:
        depth = self._lines[above].depth
        return all(line.depth > depth for line in self._lines[above + 1 : index + 1])

    def action_ask_search(self) -> None:
        """Have the screen ask for what to search."""
        self.post_message(self.SearchWanted(self))

    def action_move(self, step: int) -> None:
        """Move by rows: the cursor where there is something to fold, else the view."""
        if not self._layout.heads:
            self._scroll(step)
        else:
            self._go(self._row + step)

    def action_page(self, direction: int) -> None:
        """Move by a page."""
        step = direction * max(1, self.size.height - 1)
        self._top += step
        self._go(self._row + step)

    def action_to_row(self, row: int) -> None:
        """Move to a row."""
        self._go(row)

    def action_to_end(self) -> None:
        """Move to the end."""
        self._go(self._layout.rows - 1)

    def action_sideways(self, direction: int) -> None:
        """Look further along lines that are not wrapped."""
        self._left = 0 if self.wrapped else max(0, self._left + direction * _SIDE_STEP)
        self._repaint()

    def action_fold(self) -> None:
        """Fold or unfold what is under the cursor's line; on a line with nothing deeper, fold the one above it."""
        if not self._layout.rows:
            return
        index = self._layout.locate(self._row)[0]
        depth = self._lines[index].depth
        if index not in self._layout.heads:
            above = (at for at in range(index - 1, -1, -1) if self._lines[at].depth < depth)
            index = next(above, index)
        if index in self._layout.heads:
            self._choose_folds(self._folded ^ {index})
            self._go(self._layout.row_of(index))

    def action_fold_all(self) -> None:
        """Unfold everything; where nothing is folded, fold all."""
        index = self._layout.locate(self._row)[0] if self._layout.rows else 0
        self._choose_folds(frozenset() if self._folded else self._layout.heads)
        self._go(self._layout.row_of(index))

    def action_wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self.wrapped = not self.wrapped

    def on_click(self, event: events.Click) -> None:
        """Move to the row that was clicked; fold on a double click."""
        self._go(self._top + event.get_content_offset_capture(self).y)
        if event.chain == 2:
            self.action_fold()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down."""
        self._scroll(3)
        event.stop()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up."""
        self._scroll(-3)
        event.stop()

    def _scroll(self, step: int) -> None:
        height = self.size.height
        self._top = max(0, min(self._top + step, self._layout.rows - height))
        self._row = min(max(self._row, self._top), self._top + max(0, height - 1))
        self._go(self._row)
