"""A few lines of styled plain text, as wide and as high as they are."""

from __future__ import annotations

from collections.abc import Sequence

from textual.geometry import Size
from textual.strip import Strip

from quarterdeck.text import cell_width, clean, fit
from tui.widgets.cell import Cell
from tui.widgets.painted import Painted

_LINE_LIMIT = 1_024


class TextLines(Painted):
    """Lines of text, never markup; cleaned when they are set, cut at the edge when painted."""

    def __init__(
        self,
        lines: Sequence[str | Cell] = (),
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._lines: list[tuple[tuple[str, str], ...]] = []
        self._given: tuple[str | Cell, ...] = ()
        self._set(lines)

    def say(self, *lines: str | Cell) -> None:
        """Show these lines instead; only those that differ are painted again."""
        if lines == self._given:
            return
        old, size = self._lines, self._size_of_text()
        self._set(lines)
        if self._size_of_text() != size:
            self.refresh(layout=True)
        else:
            self.refresh_rows(y for y, line in enumerate(self._lines) if line != old[y])

    @property
    def text(self) -> str:
        """What is shown, without styles."""
        return "\n".join("".join(text for text, _ in line) for line in self._lines)

    def _set(self, lines: Sequence[str | Cell]) -> None:
        self._given = tuple(lines)
        self._lines = [_runs(line) for line in lines]

    def _size_of_text(self) -> Size:
        widths = [sum(cell_width(text) for text, _ in line) for line in self._lines]
        return Size(max(widths, default=0), len(widths))

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002  (Textual's signature)
        """As wide as the widest line."""
        return self._size_of_text().width

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A row for each line."""
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        """One painted line."""
        width, glyphs = self.size.width, self.glyphs
        line = self._lines[y] if y < len(self._lines) else ()
        runs, left = [], width
        for text, style in line:
            plain = glyphs.plain(text)
            piece = plain if cell_width(plain) <= left else fit(plain, left, "left", glyphs.ellipsis)
            left -= cell_width(piece)
            runs.append((piece, self.style_of(style)))
        return self.strip(runs, width, self.style_of())


def _runs(line: str | Cell) -> tuple[tuple[str, str], ...]:
    """A line as cleaned `(text, style)` pairs."""
    cell = Cell(line) if isinstance(line, str) else line
    pairs = cell.runs or ((cell.text, cell.style),)
    return tuple((clean(text, _LINE_LIMIT), style) for text, style in pairs)
