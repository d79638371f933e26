"""The recycle bin: what was deleted, for as long as it can be brought back."""

from __future__ import annotations

from typing import cast

from quarterdeck import model
from quarterdeck.model import BinRow, JobRef, Selection
from tui.rendering import acts
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class RecycleBin(ListScreen):
    """Deleted jobs; `r` brings back the marked ones."""

    SCREEN = model.Screen.BIN
    COLUMNS = acts.BIN_COLUMNS
    EMPTY = "the bin is empty"

    def row_of(self, target: Target) -> GridRow:
        """A deleted job as cells."""
        return acts.bin_row(cast("BinRow", target), self.moment())

    def queries(self) -> tuple[Selection, ...]:
        """The marked jobs, or the one under the cursor."""
        rows = [target for target in self.targets() if isinstance(target, BinRow)]
        return (Selection(refs=tuple(JobRef(queue=row.queue, key=member_of(row)) for row in rows)),) if rows else ()


def member_of(row: BinRow) -> str:
    """The name by which the bin holds a job: the same key may have been deleted twice."""
    return row.id.removeprefix(f"{row.queue}/")
