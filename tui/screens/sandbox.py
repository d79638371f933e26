"""The sandbox: what a cron expression means and when it would fire, before it is used."""

from __future__ import annotations

from datetime import UTC, datetime
from textwrap import wrap
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from quarterdeck.errors import QuarterdeckError
from quarterdeck.text import clean
from tui.rendering.details import fire_line
from tui.rendering.moment import Moment
from tui.widgets.cell import Cell
from tui.widgets.dialog import Answer, Card
from tui.widgets.lineinput import LineInput
from tui.widgets.textlines import TextLines

if TYPE_CHECKING:
    from tui.app import Deck

_FIRES = 10
_REASON_CELLS = 64
"""Of a line that says why an expression can't be used: what a card has room for at 80 columns."""


class Sandbox(Card):
    """An expression and a zone; words and fires follow as one types. Nothing is changed by it."""

    AUTO_FOCUS = "#expression"

    def __init__(self, expression: str, tz: str, moment: Moment) -> None:
        super().__init__("Try an expression", (), ())
        self._start = (expression, tz)
        self._moment = moment

    def compose(self) -> ComposeResult:
        """Two fields, and what they mean."""
        with Vertical(id="card"):
            yield TextLines([Cell(self._asked, "strong"), ""], id="title")
            for id_, value, hint in (("expression", self._start[0], "*/15 * * * *"), ("zone", self._start[1], "UTC")):
                with Horizontal(classes="field"):
                    yield TextLines([f"{id_:<11}"])
                    yield LineInput(value, hint, id=id_)
            yield TextLines(id="lines")
            yield TextLines(id="wrong")
            with Horizontal(id="answers"):
                yield Answer("", "Close")

    def on_mount(self) -> None:
        """Say what it begins with means."""
        super().on_mount()
        self._read()

    @on(LineInput.Changed)
    def _read(self) -> None:
        expression = self.query_one("#expression", LineInput).value.strip()
        tz = self.query_one("#zone", LineInput).value.strip() or "UTC"
        self.query_one("#lines", TextLines).say(*expression_lines(expression, tz, self._moment))


def expression_lines(expression: str, tz: str, moment: Moment) -> list[Cell]:
    """An expression in words and its next fires, or why it can't be used."""
    from quarterdeck.schedule.sandbox import preview

    if not expression:
        return [Cell("minute hour day month weekday, six with the seconds first, or @daily", "muted")]
    try:
        read = preview(expression, tz, datetime.fromtimestamp(moment.now_ms / 1000, UTC), _FIRES)
    except QuarterdeckError as error:
        return [Cell(line, "bad") for line in wrap(clean(str(error), 300), _REASON_CELLS)]
    fires = [Cell(runs=fire_line(int(fire.timestamp() * 1000), tz, moment)) for fire in read.fires]
    return [Cell(read.words, "strong"), *fires]


async def show_sandbox(deck: Deck, words: str) -> None:
    """Open it with what was typed, or with the schedule under the cursor."""
    target = next(iter(deck.deck_screen.targets()), None)
    expression = words or getattr(target, "expression", "")
    await deck.push_screen_wait(Sandbox(expression, getattr(target, "tz", "UTC"), deck.moment()))
