"""Bulk operations: objects on the server that anyone can look at, pause and stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from quarterdeck import model
from quarterdeck.model import BulkRow, Snapshot
from tui.rendering import acts
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Bulks(ListScreen):
    """What is under way: `s` pauses and resumes, `x` stops."""

    SCREEN = model.Screen.BULKS
    COLUMNS = acts.BULK_COLUMNS
    EMPTY = "no bulk operation is under way"

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """The page where there is one, else those that are not done."""
        if snapshot.page is not None:
            return super().rows_of(snapshot)
        return snapshot.bulks, 0, len(snapshot.bulks)

    def row_of(self, target: Target) -> GridRow:
        """A bulk operation as cells."""
        return acts.bulk_row(cast("BulkRow", target), self.moment())
