"""Screen 5: schedules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from quarterdeck import model
from quarterdeck.model import ScheduleRow, Snapshot
from tui.rendering import schedules
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Schedules(ListScreen):
    """Schedules with their next fire counting down; `Enter` opens one, `T` shows the next hours, `X` tries words."""

    SCREEN = model.Screen.SCHEDULES
    COLUMNS = schedules.COLUMNS
    EMPTY = "no schedule: workers bring theirs along"
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """The page where there is one, else all that the snapshot holds."""
        if snapshot.page is not None:
            return super().rows_of(snapshot)
        return snapshot.schedules, 0, len(snapshot.schedules)

    def row_of(self, target: Target) -> GridRow:
        """A schedule as cells."""
        return schedules.schedule_row(cast("ScheduleRow", target), self.moment())
