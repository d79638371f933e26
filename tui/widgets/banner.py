"""The banner over data that is old."""

from __future__ import annotations

from quarterdeck.text import human_age
from tui.widgets.cell import Cell
from tui.widgets.textlines import TextLines


class StaleBanner(TextLines):
    """One line over data that is no longer fresh; not there at all while it is."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self.display = False
        self._since_ms: int | None = None
        self._why = ""

    def stale(self, since_ms: int, why: str) -> None:
        """Show it: the data is from `since_ms` on the server's clock, and why no newer came."""
        self._since_ms, self._why = since_ms, why
        self.display = True
        self.tick()

    def fresh(self) -> None:
        """Take it away."""
        self._since_ms = None
        self.display = False

    def tick(self) -> None:
        """Tell the age anew."""
        if self._since_ms is None:
            return
        age = human_age(self.clock.now_ms() - self._since_ms)
        self.say(Cell(f" {self.glyphs.warning} stale for {age}: {self._why}; acting is off", "bad"))
