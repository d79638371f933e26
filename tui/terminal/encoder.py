"""Writes the difference between the wanted and the sent grid in as few bytes as the terminal needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tui.terminal.cells import REST, UNKNOWN, Grid
from tui.terminal.glyphs import steady

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.terminal.styles import Style, StyleTable

_JOIN: Final = 6
"""Equal cells between two changed ones that are rewritten rather than jumped over: a jump costs 4 to 6 bytes."""

_ERASE_LINE_FROM: Final = 4
_ERASE_RUN_FROM: Final = 14
"""Blanks in one style from which ``CSI K`` (3 bytes) or ``CSI n X`` with the jump after it (10 bytes) is shorter."""

_STEP_CELLS: Final = 64
"""Longest piece that is written or left as a whole when the budget ends."""


class Position(NamedTuple):
    """A place on the screen, from 0."""

    row: int
    column: int


class Step(NamedTuple):
    """Bytes that paint the cells from ``start`` to ``end`` of one row, and the state they leave."""

    data: str
    end: int
    cursor: Position | None


class Encoder:
    """Knows where the terminal's cursor is and in which style it writes; None is "don't know"."""

    def __init__(self, wanted: Grid, styles: StyleTable, *, erases_in_colour: bool = True) -> None:
        self._wanted: Final = wanted
        self._styles: Final = styles
        self._erases_in_colour: Final = erases_in_colour
        self._sent = Grid(wanted.width, wanted.height, styles.default)
        self._cursor: Position | None = None
        self._style: Style | None = None
        self._urgent: set[int] = set()

    def hurry(self, rows: set[int]) -> None:
        """Send these rows before the others: a key changed them."""
        self._urgent |= rows

    @property
    def hurried(self) -> bool:
        """True while rows wait that should not."""
        return bool(self._urgent)

    @property
    def pending(self) -> bool:
        """True while rows wait that were written to since they were sent last."""
        return bool(self._wanted.dirty)

    def blank(self) -> None:
        """The terminal was just cleared: all blank, default colours."""
        self._start_over(" ")

    def forget(self) -> None:
        """Nobody knows what the terminal shows: all cells will be sent."""
        self._start_over(UNKNOWN)

    def _start_over(self, glyph: str) -> None:
        wanted = self._wanted
        if (self._sent.width, self._sent.height) != (wanted.width, wanted.height):
            self._sent = Grid(wanted.width, wanted.height, self._styles.default)
        self._sent.fill(glyph)
        self._cursor = self._style = None
        wanted.dirty.update(range(wanted.height))
        self._urgent = set(wanted.dirty)

    def encode(self, limit: int) -> bytes:
        """The next bytes to send, at most ``limit`` unless a single glyph needs more; empty when all was sent.

        While rows are in a hurry the piece holds only those. Each call works on the newest wanted cells, so frames
        that came in between are never sent.
        """
        out: list[str] = []
        room = limit
        self._urgent &= self._wanted.dirty
        for row in sorted(self._urgent or self._wanted.dirty):
            room = self._encode_row(row, out, room)
            if room < 0:
                break
            self._wanted.dirty.discard(row)
            self._urgent.discard(row)
        return "".join(out).encode()

    def park(self, row: int, column: int) -> bytes:
        """Put the (hidden) cursor where Textual has it, for input methods; empty when it is there."""
        there = Position(row, column)
        if self._cursor == there:
            return b""
        move = self._move(there)
        self._cursor = there
        return move.encode()

    def _encode_row(self, row: int, out: list[str], room: int) -> int:
        """Append what brings one row up to date; the room that is left, negative when it did not suffice."""
        wanted, sent = self._wanted, self._sent
        if wanted.glyphs[row] == sent.glyphs[row] and wanted.styles[row] == sent.styles[row]:
            return room
        tail = self._blank_tail(row)
        for start, end in self._spans(row):
            column = start
            while column < end:
                step = self._step(row, column, end, tail)
                size = len(step.data) if step.data.isascii() else len(step.data.encode())
                if size > room and out:
                    return -1
                out.append(step.data)
                room -= size
                self._commit(row, column, step)
                column = step.end
        return room

    def _commit(self, row: int, column: int, step: Step) -> None:
        wanted, sent = self._wanted, self._sent
        sent.glyphs[row][column : step.end] = wanted.glyphs[row][column : step.end]
        sent.styles[row][column : step.end] = wanted.styles[row][column : step.end]
        self._style = wanted.styles[row][column]
        self._cursor = step.cursor

    def _spans(self, row: int) -> Iterator[tuple[int, int]]:
        """Runs of changed cells, near ones joined, never beginning or ending inside a wide glyph."""
        glyphs, styles = self._wanted.glyphs[row], self._wanted.styles[row]
        old_glyphs, old_styles = self._sent.glyphs[row], self._sent.styles[row]
        start = end = -1
        for column in range(self._wanted.width):
            if glyphs[column] == old_glyphs[column] and styles[column] is old_styles[column]:
                continue
            if start >= 0 and not self._joins(row, end, column):
                yield start, self._whole(glyphs, end)
                start = -1
            if start < 0:
                start = column - 1 if glyphs[column] == REST else column
            end = column + 1
        if start >= 0:
            yield start, self._whole(glyphs, end)

    def _whole(self, glyphs: list[str], end: int) -> int:
        return end + 1 if end < len(glyphs) and glyphs[end] == REST else end

    def _joins(self, row: int, end: int, start: int) -> bool:
        """True when rewriting the equal cells from ``end`` to ``start`` is no dearer than a jump."""
        if start - end >= _JOIN:
            return False
        styles = self._wanted.styles[row]
        between = styles[end:start]
        if any(style is not styles[end - 1] for style in between) and any(
            style is not styles[start] for style in between
        ):
            return False
        gap = "".join(self._wanted.glyphs[row][end:start])
        return len(gap.encode()) < _JOIN and all(map(steady, gap))

    def _blank_tail(self, row: int) -> int:
        """The column from which the row is blank in one style that erasing can make; the width if none."""
        glyphs, styles = self._wanted.glyphs[row], self._wanted.styles[row]
        column = width = self._wanted.width
        style = styles[-1]
        if not self._erasable(style):
            return width
        while column and glyphs[column - 1] == " " and styles[column - 1] is style:
            column -= 1
        return column

    def _erasable(self, style: Style) -> bool:
        return not style.inked and (self._erases_in_colour or not style.background)

    def _step(self, row: int, column: int, end: int, tail: int) -> Step:
        """Paint as many cells from ``column`` on as one style and one way of painting reach."""
        style = self._wanted.styles[row][column]
        here = Position(row, column)
        lead = self._move(here) + self._styles.delta(self._style, style)
        width = self._wanted.width
        if column >= tail and end - column >= _ERASE_LINE_FROM:
            return Step(lead + "\x1b[K", width, here)
        blanks = self._blanks(row, column, end) if self._erasable(style) else 0
        if blanks >= _ERASE_RUN_FROM:
            return Step(f"{lead}\x1b[{blanks}X", column + blanks, here)
        glyphs = self._wanted.glyphs[row]
        if not steady(glyphs[column]):
            return self._unsteady(lead, row, column)
        stop = self._stop(row, column, end, tail)
        cursor = Position(row, stop) if stop < width else None
        return Step(lead + "".join(glyphs[column:stop]), stop, cursor)

    def _unsteady(self, lead: str, row: int, column: int) -> Step:
        """A glyph that some terminals draw in another width: blank its cells first, trust no cursor after it."""
        glyphs = self._wanted.glyphs[row]
        stop = self._whole(glyphs, column + 1)
        wide = stop - column == 2
        data = f"{lead}  \x1b[2D{glyphs[column]}" if wide and stop < self._wanted.width else lead + glyphs[column]
        return Step(data, stop, None)

    def _blanks(self, row: int, column: int, end: int) -> int:
        glyphs, styles = self._wanted.glyphs[row], self._wanted.styles[row]
        stop = column
        while stop < end and glyphs[stop] == " " and styles[stop] is styles[column]:
            stop += 1
        return stop - column

    def _stop(self, row: int, column: int, end: int, tail: int) -> int:
        """Where a run of plain printing ends: style, unsteady glyph, worthwhile erasing, or length."""
        glyphs, styles = self._wanted.glyphs[row], self._wanted.styles[row]
        style = styles[column]
        erasable = self._erasable(style)
        limit = min(end, column + _STEP_CELLS)
        stop = column + 1
        while stop < limit and styles[stop] is style:
            glyph = glyphs[stop]
            if glyph == " ":
                if stop == tail and end - tail >= _ERASE_LINE_FROM:
                    break
                if erasable and glyphs[stop - 1] != " " and self._blanks(row, stop, end) >= _ERASE_RUN_FROM:
                    break
            elif glyph != REST and not steady(glyph):
                break
            stop += 1
        return self._whole(glyphs, stop)

    def _move(self, there: Position) -> str:
        """The shortest sequence that brings the cursor ``there``."""
        here = self._cursor
        if here == there:
            return ""
        row, column = there
        if row == 0 and column == 0:
            return "\x1b[H"
        absolute = f"\x1b[{row + 1};{column + 1}H" if column else f"\x1b[{row + 1}H"
        if here is None:
            return absolute
        ways = [absolute]
        down = row - here.row
        vertical = "" if down == 0 else _relative(down, "B", "A")
        ways.append(vertical + _sideways(here.column, column))
        if 0 <= down <= 2:
            # The line discipline may make three bytes of the two.
            ways.append("\r\n" * down + _sideways(0, column) if down else "\r" + _sideways(0, column))
        return min(ways, key=len)


def _relative(count: int, forward: str, back: str) -> str:
    way, distance = (forward, count) if count > 0 else (back, -count)
    return f"\x1b[{way}" if distance == 1 else f"\x1b[{distance}{way}"


def _sideways(here: int, there: int) -> str:
    if here == there:
        return ""
    ways = [f"\x1b[{there + 1}G", _relative(there - here, "C", "D")]
    if 1 <= here - there <= 3:
        ways.append("\b" * (here - there))
    if there == 0:
        ways.append("\r")
    return min(ways, key=len)
