"""What a document view shows: lines laid out in rows, some folded away, matches told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from textual.reactive import reactive
from textual.strip import Strip

from quarterdeck.text import cell_width, fit, human_count
from tui.widgets.doclayout import DocLayout
from tui.widgets.doclines import DocLine, cleaned, text_lines
from tui.widgets.logpaint import matches, spans_of
from tui.widgets.painted import Painted, Run

FoldName = tuple[str, int, int]
"""What a line is called across readings: its text, its depth, and the how-manieth of these it is."""

_GUTTER = 2


class DocView(Painted, can_focus=True):
    """The rows of a document, without its keys: see `Document`."""

    wrapped: reactive[bool] = reactive(True, repaint=False)

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

    def _find(self) -> None:
        pattern = self._pattern
        self._found = [at for at, line in enumerate(self._lines) if pattern and matches(line.text, pattern)]
        self._at_match = None

    def watch_wrapped(self) -> None:
        """Lay out anew, keeping the line at the cursor."""
        index = self._layout.locate(self._row)[0] if self._layout.rows else 0
        self._left = 0
        self._lay_out()
        self._go(self._layout.row_of(index))

    def on_resize(self) -> None:
        """Lay out for the new size."""
        self._lay_out()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor where keys reach it."""
        super().watch_has_focus(has_focus)
        self._repaint()

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
        line = self._lines[index]
        return (index, piece, start, here and self.has_focus, found, sign, line.style, line.spans, self._pattern)

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
        marks = [
            *((low - start, high - start, name) for low, high, name in self._lines[index].spans),
            *((low, high, match) for low, high in self._matches_near(index, start, len(piece))),
        ]
        for text, names in overlaid(piece, marks):
            parts = [name for name in names if name != match]
            runs.append((text, self.style_of(style, *parts, *over, *((match,) if match in names else ()))))
        plain = [(self.glyphs.plain(text), look) for text, look in runs]
        return self.strip(_cut(plain, width, self.glyphs.ellipsis), width, self.style_of(*over))

    def _matches_near(self, index: int, start: int, length: int) -> Iterator[tuple[int, int]]:
        """Where matches are, counted from the start of a row's text; one may begin on the row before."""
        reach = len(self._pattern)
        first = max(0, start - reach)
        around = self._lines[index].text[first : start + length + reach]
        for low, high in spans_of(around, self._pattern):
            yield low + first - start, high + first - start


def _cut(runs: list[Run], width: int, ellipsis: str) -> list[Run]:
    """Runs that take at most `width` cells."""
    cut, left = [], width
    for text, style in runs:
        piece = text if cell_width(text) <= left else fit(text, left, "left", ellipsis)
        left -= cell_width(piece)
        cut.append((piece, style))
    return cut


def overlaid(text: str, marks: Sequence[tuple[int, int, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield a text in pieces, each with the names of the styles that lie over it; marks may reach beyond the text."""
    inside = [(max(low, 0), min(high, len(text)), name) for low, high, name in marks if low < len(text) and high > 0]
    cuts = sorted({0, len(text), *(low for low, _, _ in inside), *(high for _, high, _ in inside)})
    for low, high in pairwise(cuts):
        yield text[low:high], tuple(name for first, last, name in inside if first <= low and high <= last)
