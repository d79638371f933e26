"""The quarantine: garbage that can't be read, and jobs that a rule set aside."""

from __future__ import annotations

from typing import cast

from quarterdeck import model
from quarterdeck.model import QuarantineRow
from tui.rendering import acts
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Quarantine(ListScreen):
    """What was set aside and why; `r` releases what a rule holds and puts back what can be read, `E` mends the rest."""

    SCREEN = model.Screen.QUARANTINE
    COLUMNS = acts.QUARANTINE_COLUMNS
    EMPTY = "nothing is set aside"

    def row_of(self, target: Target) -> GridRow:
        """Something set aside as cells."""
        return acts.quarantine_row(cast("QuarantineRow", target), self.moment())
