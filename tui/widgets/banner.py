"""Lines that say how things stand: the verdict on top, the banner over data that is old."""

from __future__ import annotations

from quarterdeck.text import human_age
from tui.look.glyphs import Glyphs
from tui.widgets.cell import Cell
from tui.widgets.textlines import TextLines


class Verdict(TextLines):
    """One line: a sign and a sentence. Silent when all is well, and told from trouble by its sign alone."""

    def judge(self, wrong: str, calm: str = "") -> None:
        """Say what is wrong; where nothing is, say what is calm, without any colour."""
        self.say(verdict_cell(wrong, calm, self.glyphs))


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


def verdict_cell(wrong: str, calm: str, glyphs: Glyphs) -> Cell:
    """The verdict as a cell."""
    if wrong:
        return Cell(f"{glyphs.warning} {wrong}", "bad")
    return Cell(f"{glyphs.ok} {calm}" if calm else "", "muted")
