"""Reads the frames Textual writes into the grid of wanted cells.

Only painting passes: cursor positions, colours and printable text. Everything else that a frame holds (erasing, mode
switches, titles, clipboard writes, hyperlinks, device controls: Textual's own or smuggled in by text it was given) is
counted and dropped here. What Textual may legitimately switch goes another way, see the driver.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tui.terminal.glyphs import ascii_form, singles, split

if TYPE_CHECKING:
    from tui.terminal.cells import Grid
    from tui.terminal.styles import StyleTable

_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<sgr>[0-9;]*)m"
    r"|\x1b\[(?P<place>[0-9;]*)H"
    r"|\x1b\[(?P<move>[0-9]*[ABCDEFGd])"
    r"|(?P<line>[\r\n])"
    # Strings that end where they should; one that doesn't loses its introducer and is then read as text.
    r"|(?P<string>\x1b[\]PX^_][^\x1b\x07]*(?:\x07|\x1b\\))"
    r"|(?P<other>\x1b\[[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]|[\x00-\x1f\x7f-\x9f])"
)


class FrameParser:
    """Turns what Textual writes into cells of ``grid``."""

    def __init__(self, grid: Grid, styles: StyleTable, *, ascii_only: bool = False) -> None:
        self._ascii_only: Final = ascii_only
        self._grid: Final = grid
        self._styles: Final = styles
        self._style = styles.default
        self.row = 0
        self.column = 0
        """Where Textual left the cursor, from 0."""
        self.dropped = 0
        """Sequences and control characters that did not pass."""

    def feed(self, data: str) -> None:
        """Apply one write. A sequence cut at its end is dropped: Textual writes whole ones."""
        for token in _TOKEN.finditer(data):
            kind = token.lastgroup
            if kind == "text":
                self._print(token[0])
            elif kind == "sgr":
                self._style = self._styles.apply(self._style, token["sgr"])
            elif kind == "place":
                self._place(token["place"])
            elif kind == "line":
                self._new_line(token[0])
            elif kind == "move":
                self._move(token["move"])
            else:
                self.dropped += 1

    def _print(self, text: str) -> None:
        grid = self._grid
        if self.row >= grid.height:
            return
        if self._ascii_only:
            text = ascii_form(text)
        if singles(text):
            self._print_narrow(text)
            return
        for glyph in split(text):
            width = glyph[1]
            if self.column + width > grid.width:
                # With wrapping off the cursor stays on the last column and each character replaces the one there.
                self.column = grid.width - 1
                glyph = (" ", 1) if width == 2 else glyph  # noqa: PLW2901 - half a glyph can't be shown
                width = min(width, 1)
            grid.put_glyph(self.row, self.column, glyph, self._style)
            self.column += width

    def _print_narrow(self, text: str) -> None:
        grid = self._grid
        room = grid.width - self.column
        if len(text) > room:
            if room < 1:
                self.column, room = grid.width - 1, 1
            text = text[: room - 1] + text[-1]
        grid.put(self.row, self.column, text, self._style)
        self.column += len(text)

    def _place(self, parameters: str) -> None:
        row, _, column = parameters.partition(";")
        self.row = _number(row) - 1
        self.column = _number(column.partition(";")[0]) - 1
        self._clamp()

    def _new_line(self, character: str) -> None:
        # The terminal's line discipline turns a line feed into both. It never scrolls here: a frame that ends
        # in the last row has no line feed after it.
        self.column = 0
        if character == "\n":
            self.row += 1
        self._clamp()

    def _move(self, parameters: str) -> None:
        count, way = _number(parameters[:-1]), parameters[-1]
        if way in "AF":
            self.row -= count
        elif way in "BE":
            self.row += count
        elif way == "C":
            self.column += count
        elif way == "D":
            self.column = min(self.column, self._grid.width - 1) - count
        elif way == "G":
            self.column = count - 1
        else:
            self.row = count - 1
        if way in "EF":
            self.column = 0
        self._clamp()

    def _clamp(self) -> None:
        self.row = max(0, min(self.row, self._grid.height - 1))
        self.column = max(0, min(self.column, self._grid.width - 1))


def _number(digits: str) -> int:
    """A CSI parameter: missing and 0 mean 1; absurdly long ones are cut."""
    return int(digits[:6] or 1) or 1
