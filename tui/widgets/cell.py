"""What stands in a row of a grid: plain cells, and cells that change as time goes by."""

from __future__ import annotations

import msgspec

from quarterdeck.text import countdown, human_age


class Cell(msgspec.Struct, frozen=True, gc=False):
    """A piece of text in a style. Never markup: what looks like markup is shown as it is written.

    `style` names a component class without its `deck--` (`bad`, `muted`, …). Where parts differ in style, `runs`
    holds them as `(text, style)` pairs and `text` is not looked at.
    """

    text: str = ""
    style: str = ""
    runs: tuple[tuple[str, str], ...] = ()


class Countdown(msgspec.Struct, frozen=True, gc=False):
    """A cell that counts down to `due_ms` on the server's clock, each second, without new data."""

    due_ms: int | None
    style: str = ""
    overdue: str = "warn"

    def at(self, now_ms: int) -> Cell:
        """The cell as it is painted at `now_ms`."""
        if self.due_ms is None:
            return Cell("-", "muted")
        left_ms = self.due_ms - now_ms
        return Cell(countdown(left_ms), self.overdue if left_ms <= -1_000 else self.style)


class Age(msgspec.Struct, frozen=True, gc=False):
    """A cell that tells how long ago `since_ms` was on the server's clock; from `alarm_ms` on in another style."""

    since_ms: int | None
    style: str = ""
    alarm_ms: int | None = None
    alarm: str = "warn"

    def at(self, now_ms: int) -> Cell:
        """The cell as it is painted at `now_ms`."""
        if self.since_ms is None:
            return Cell("-", "muted")
        age_ms = now_ms - self.since_ms
        old = self.alarm_ms is not None and age_ms >= self.alarm_ms
        return Cell(human_age(age_ms), self.alarm if old else self.style)


AnyCell = str | Cell | Countdown | Age


class GridRow(msgspec.Struct, frozen=True):
    """One row of a grid: who it is, what it shows (a cell per declared column, in that order), and its style."""

    key: str
    cells: tuple[AnyCell, ...]
    style: str = ""

    def at(self, now_ms: int) -> GridRow:
        """The row as it is painted at `now_ms`: itself where nothing in it ticks."""
        if not any(isinstance(cell, (Countdown, Age)) for cell in self.cells):
            return self
        cells = tuple(cell.at(now_ms) if isinstance(cell, (Countdown, Age)) else cell for cell in self.cells)
        return GridRow(self.key, cells, self.style)
