"""Toasts: what was done, said for a few seconds at the foot of the screen."""

from __future__ import annotations

from typing import Final

from tui.widgets.cell import Cell
from tui.widgets.textlines import TextLines

MOST: Final = 3
"""Toasts that are shown at once; an older one makes room."""

SECONDS: Final = 6.0


class Toasts(TextLines):
    """Plain text over the foot of the screen, gone by itself. In place of `App.notify`, which reads markup."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.display = False
        self._said: list[Cell] = []

    def toast(self, text: str, style: str = "", command: str = "", seconds: float = SECONDS) -> None:
        """Say what was done and, in a lighter style, the same act as a command line."""
        runs = [(f" {text} ", style)]
        if command:
            runs.append((f" {command} ", "muted"))
        cell = Cell(runs=tuple(runs))
        self._said = [*self._said, cell][-MOST:]
        self._show()
        self.set_timer(seconds, lambda: self._forget(cell))

    def _forget(self, cell: Cell) -> None:
        self._said = [said for said in self._said if said is not cell]
        self._show()

    def _show(self) -> None:
        self.display = bool(self._said)
        self.say(*self._said)
