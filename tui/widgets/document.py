"""The document view: a payload, a traceback or any text, whole, wrapped, folded and searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from quarterdeck.text import cell_width, fit, human_count
from tui.widgets.doclayout import DocLayout
from tui.widgets.doclines import DocLine, cleaned, json_lines, text_lines, traceback_lines
from tui.widgets.logpaint import matches, spans_of
from tui.widgets.painted import Painted, Run

FoldName = tuple[str, int, int]

_SIDE_STEP = 20
_GUTTER = 2


class Document(Painted, can_focus=True):
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
        Binding("z", "fold_all", "Fold or unfold all", show=False, id="document.fold_all"),
        Binding("w", "wrap", "Wrap long lines", show=False, id="document.wrap"),
        Binding("slash", "ask_search", "Search", show=False, id="document.search"),
        Binding("n", "next_match(1)", "Next match", show=False, id="document.next"),
        Binding("N", "next_match(-1)", "Previous match", show=False, id="document.previous"),
    ]

    wrapped: reactive[bool] = reactive(True, repaint=False)

    class SearchWanted(Message):
        """The operator pressed `/`: ask for a text and call `search`."""

        def __init__(self, document: Document) -> None:
            super().__init__()
            self.document = document

        @property
        def control(self) -> Document:
            """The document, for `@on(..., "#selector")`."""
            return self.document

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: tuple[DocLine, ...] = ()
        self._folded: frozenset[int] = frozenset()
        self._chosen_folds: dict[FoldName, bool] = {}
        self._layout = DocLayout((), frozenset(), 80, wrapped=True)
        self._top = 0
        self._row = 0
        self._left = 0
        self._pattern = ""
        self._found: list[int] = []
        self._at_match: int | None = None
        self._painted: list[object] = []

    # What is shown.

    def show(self, lines: Sequence[DocLine], anew: bool = False) -> None:
        """Show these lines. The same lines again change nothing; others keep the place, as far as there is one.

        `anew` goes to the start: it is another document.
        """
        given = tuple(map(cleaned, lines))
        if anew:
            self._top = self._row = self._left = 0
            self._chosen_folds.clear()
        elif given == self._lines:
            return
        self._lines = given
        self._folded = self._folds()
        self._find()
        self._lay_out()

    def _folds(self) -> frozenset[int]:
        """The folded lines: those that ask for it, but what the operator chose stays chosen while the text changes."""
        if not self._chosen_folds:
            return frozenset(at for at, line in enumerate(self._lines) if line.folded)
        names = self._names()
        return frozenset(at for at, line in enumerate(self._lines) if self._chosen_folds.get(names[at], line.folded))

    def _names(self) -> list[FoldName]:
        """What each line is called across readings: its text and depth, and the how-manieth of these it is."""
        seen: Counter[tuple[str, int]] = Counter()
        names: list[FoldName] = []
        for line in self._lines:
            seen[line.text, line.depth] += 1
            names.append((line.text, line.depth, seen[line.text, line.depth]))
        return names

    def _choose_folds(self, folded: frozenset[int]) -> None:
        """Fold exactly these, because the operator said so."""
        names = self._names()
        self._chosen_folds.update({names[at]: at in folded for at in folded ^ self._folded})
        self._folded = folded
        self._lay_out()

    def show_text(self, text: str) -> None:
        """Show a text, masked and clean."""
        self.show(text_lines(text))

    def show_json(self, value: Any) -> None:
        """Show a JSON-like value, masked and clean, to be folded at every container."""
        self.show(json_lines(value))

    def show_traceback(self, text: str) -> None:
        """Show a traceback: what broke, then the frames, those of libraries folded."""
        self.show(traceback_lines(text))

    def text(self) -> str:
        """All lines, folded ones too, masked and clean: for the clipboard or a file."""
        return "\n".join(line.text for line in self._lines)

    def visible_text(self) -> list[str]:
        """The rows as they are painted, without styles."""
        return [self.render_line(y).text for y in range(self.size.height)]

    @property
    def position(self) -> str:
        """Where the view is, for a title: `rows 1-20 of 312`, and the match that is shown."""
        last = min(self._layout.rows, self._top + self.size.height)
        place = f"rows {human_count(self._top + 1)}-{human_count(last)} of {human_count(self._layout.rows)}"
        if not self._pattern:
            return place
        found = f"match {(self._at_match or 0) + 1:,} of {len(self._found):,}" if self._found else "no match"
        return f"{place}, {found}"

    # Searching.

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

    def _find(self) -> None:
        pattern = self._pattern
        self._found = [at for at, line in enumerate(self._lines) if pattern and matches(line.text, pattern)]
        self._at_match = None

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
        row = self._layout.row_of(index) + (offset // self._layout.width if self.wrapped else 0)
        self._go(row, middle=True)

    def _hides(self, above: int, index: int) -> bool:
        depth = self._lines[above].depth
        return all(line.depth > depth for line in self._lines[above + 1 : index + 1])

    def action_ask_search(self) -> None:
        """Have the screen ask for what to search."""
        self.post_message(self.SearchWanted(self))

    # Moving and folding.

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

    def watch_wrapped(self) -> None:
        """Lay out anew, keeping the line at the cursor."""
        index = self._layout.locate(self._row)[0] if self._layout.rows else 0
        self._left = 0
        self._lay_out()
        self._go(self._layout.row_of(index))

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

    def on_resize(self) -> None:
        """Lay out for the new size."""
        self._lay_out()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor where keys reach it."""
        super().watch_has_focus(has_focus)
        self._repaint()

    def _scroll(self, step: int) -> None:
        height = self.size.height
        self._top = max(0, min(self._top + step, self._layout.rows - height))
        self._row = min(max(self._row, self._top), self._top + max(0, height - 1))
        self._go(self._row)

    def _go(self, row: int, middle: bool = False) -> None:
        """Put the cursor on a row and bring it into view."""
        height, rows = self.size.height, self._layout.rows
        self._row = max(0, min(row, rows - 1))
        if middle and not self._top <= self._row < self._top + height:
            self._top = self._row - height // 2
        self._top = min(self._top, self._row)
        self._top = max(self._top, self._row - height + 1)
        self._top = max(0, min(self._top, rows - height))
        self._repaint()

    # Painting.

    def _lay_out(self) -> None:
        self._layout = DocLayout(self._lines, self._folded, self.size.width - _GUTTER, self.wrapped)
        self._go(self._row)

    def forget_lines(self) -> None:
        """Size or style changed."""
        self._painted = []

    def _repaint(self) -> None:
        """Paint the rows whose content is not what is on screen."""
        painted = [self._state(y) for y in range(self.size.height)]
        old, self._painted = self._painted, painted
        if len(old) != len(painted):
            self.refresh()
        else:
            self.refresh_rows(y for y, state in enumerate(painted) if state != old[y])

    def _state(self, y: int) -> object:
        """All that the look of a row depends on."""
        row = self._top + y
        if row >= self._layout.rows:
            return None
        index, piece, start = self._layout.piece(row, self._left)
        here = row == self._row and bool(self._layout.heads)
        found = self._at_match is not None and self._found[self._at_match] == index
        sign = self._sign(index, start)
        return (index, piece, start, here and self.has_focus, found, sign, self._lines[index].style, self._pattern)

    def _sign(self, index: int, start: int) -> str:
        """The sign in the gutter of a line that can be folded."""
        if index not in self._layout.heads or (start and self.wrapped):
            return " "
        return self.glyphs.folded if index in self._folded else self.glyphs.unfolded

    def render_line(self, y: int) -> Strip:
        """One painted row."""
        width, row = self.size.width, self._top + y
        if row >= self._layout.rows:
            return self.strip([], width, self.style_of())
        index, piece, start = self._layout.piece(row, self._left)
        style = self._lines[index].style
        over = ("cursor",) if row == self._row and self._layout.heads and self.has_focus else ()
        match = "found" if self._at_match is not None and self._found[self._at_match] == index else "match"
        runs: list[Run] = [(f"{self._sign(index, start)} ", self.style_of("gutter", *over))]
        done = 0
        for low, high in spans_of(piece, self._pattern):
            runs.append((piece[done:low], self.style_of(style, *over)))
            runs.append((piece[low:high], self.style_of(style, *over, match)))
            done = high
        runs.append((piece[done:], self.style_of(style, *over)))
        plain = [(self.glyphs.plain(text), look) for text, look in runs]
        return self.strip(_cut(plain, width, self.glyphs.ellipsis), width, self.style_of(*over))


def _cut(runs: list[Run], width: int, ellipsis: str) -> list[Run]:
    """Runs that take at most `width` cells."""
    cut, left = [], width
    for text, style in runs:
        piece = text if cell_width(text) <= left else fit(text, left, "left", ellipsis)
        left -= cell_width(piece)
        cut.append((piece, style))
    return cut
