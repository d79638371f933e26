"""Writes the difference between the wanted and the sent grid in as few bytes as the terminal needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tui.terminal.cells import UNKNOWN, Grid
from tui.terminal.strokes import How, Row, Stroke, by_style

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tui.terminal.styles import Style, StyleTable


_RETURNS: Final = 2
"""Rows that returns and line feeds go down where the line discipline may make three bytes of the two."""

_BACKSPACES: Final = 3
"""Above that a jump is as short."""


class Position(NamedTuple):
    """A place on the screen, from 0."""

    row: int
    column: int | None
    """None where only the row is sure: terminals differ in where writing the last cell leaves the cursor."""


class State(NamedTuple):
    """Where the terminal's cursor is and in which style it writes; None is "don't know"."""

    cursor: Position | None
    style: Style | None


class Step(NamedTuple):
    """Text that paints a stroke, and the state it leaves."""

    data: str
    stroke: Stroke
    after: State


class Encoder:
    """Knows which cells the terminal has, and in what state it is."""

    def __init__(self, wanted: Grid, styles: StyleTable, *, erases_in_colour: bool = True) -> None:
        self._wanted: Final = wanted
        self._styles: Final = styles
        self._erases_in_colour: Final = erases_in_colour
        self.feeds = False
        """A line feed goes straight down: the line discipline puts no carriage return before it."""
        self._sent = Grid(wanted.width, wanted.height, styles.default)
        self._state = State(None, None)
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

    def resume(self, shown: Grid) -> None:
        """The terminal shows just these cells, which are as many as the wanted ones; nothing else is known of it."""
        self.forget()
        self._sent = shown

    def _start_over(self, glyph: str) -> None:
        wanted = self._wanted
        if (self._sent.width, self._sent.height) != (wanted.width, wanted.height):
            self._sent = Grid(wanted.width, wanted.height, self._styles.default)
        self._sent.fill(glyph)
        self._state = State(None, None)
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
        move = way(self._state.cursor, there, feeds=self.feeds)
        self._state = self._state._replace(cursor=there)
        return move.encode()

    def _encode_row(self, number: int, out: list[str], room: int) -> int:
        """Append what brings one row up to date; the room that is left, negative when it did not suffice."""
        wanted, sent = self._wanted, self._sent
        glyphs, styles = wanted.glyphs[number], wanted.styles[number]
        if glyphs == sent.glyphs[number] and styles == sent.styles[number]:
            return room
        row = Row(
            glyphs,
            styles,
            sent.glyphs[number],
            sent.styles[number],
            erases_in_colour=self._erases_in_colour,
        )
        for step in self._steps(number, row):
            size = len(step.data) if step.data.isascii() else len(step.data.encode())
            if size > room and out:
                return -1
            out.append(step.data)
            room -= size
            start, end = step.stroke.start, step.stroke.end
            sent.glyphs[number][start:end] = glyphs[start:end]
            sent.styles[number][start:end] = styles[start:end]
            self._state = step.after
        # What was not sent looks the same, so that the next comparison may take it for the same.
        sent.styles[number][:] = styles
        return room

    def _steps(self, number: int, row: Row) -> list[Step]:
        """The strokes of a row as text, in whichever order is shorter: from left to right, or style by style."""
        strokes = row.strokes()
        steps = self._painted(number, row, strokes)
        other = by_style(strokes, self._state.style)
        if other is not None:
            grouped = self._painted(number, row, other)
            if sum(len(step.data) for step in grouped) < sum(len(step.data) for step in steps):
                return grouped
        return steps

    def _painted(self, number: int, row: Row, strokes: Iterable[Stroke]) -> list[Step]:
        """The strokes as text, each going on in the state that the one before leaves."""
        steps, state = [], self._state
        for stroke in strokes:
            step = self._paint(number, row, stroke, state)
            steps.append(step)
            state = step.after
        return steps

    def _paint(self, number: int, row: Row, stroke: Stroke, state: State) -> Step:
        """One stroke as text."""
        style = stroke.style
        if stroke.blank and state.style is not None and state.style.paper is style.paper:
            style = state.style
        here = Position(number, stroke.start)
        lead = way(state.cursor, here, feeds=self.feeds) + self._styles.delta(state.style, style)
        cursor: Position | None = here
        if stroke.how is How.ERASE_LINE:
            data = "\x1b[K"
        elif stroke.how is How.ERASE_RUN:
            data = f"\x1b[{stroke.end - stroke.start}X"
        else:
            data = row.text(stroke)
            if stroke.how is How.UNSTEADY:
                # Some terminals draw it in another width: blank its cells first, trust no cursor after it.
                wide = stroke.end - stroke.start == 2
                data = f"  \x1b[2D{data}" if wide and stroke.end < self._wanted.width else data
                cursor = None
            else:
                # Wrapping is off, so that the last cell leaves the cursor in its row.
                cursor = Position(number, stroke.end if stroke.end < self._wanted.width else None)
        return Step(lead + data, stroke, State(cursor, style))


def way(here: Position | None, there: Position, *, feeds: bool = False) -> str:
    """The shortest sequence that brings the cursor ``there``, a place with a column; empty when it is."""
    if here == there:
        return ""
    row, column = there
    if not row and not column:
        return "\x1b[H"
    absolute = f"\x1b[{row + 1};{column + 1}H" if column else f"\x1b[{row + 1}H"
    if here is None:
        return absolute
    down = row - here.row
    vertical = "" if down == 0 else _relative(down, "B", "A")
    if feeds and 0 < down <= len(vertical):
        vertical = "\n" * down
    ways = [absolute, vertical + _sideways(here.column, column or 0)]
    if feeds or down == 0:
        ways.append("\r" + vertical + _sideways(0, column or 0))
    elif 0 < down <= _RETURNS:
        ways.append("\r\n" * down + _sideways(0, column or 0))
    return min(ways, key=len)


def _relative(count: int, forward: str, back: str) -> str:
    way, distance = (forward, count) if count > 0 else (back, -count)
    return f"\x1b[{way}" if distance == 1 else f"\x1b[{distance}{way}"


def _sideways(here: int | None, there: int) -> str:
    if here == there:
        return ""
    ways = [f"\x1b[{there + 1}G"]
    if here is not None:
        ways.append(_relative(there - here, "C", "D"))
        if 1 <= here - there <= _BACKSPACES:
            ways.append("\b" * (here - there))
    if there == 0:
        ways.append("\r")
    return min(ways, key=len)
