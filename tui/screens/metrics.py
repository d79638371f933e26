"""Screen 8: metrics by function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from quarterdeck import model
from quarterdeck.model import FunctionStat, Snapshot
from tui.rendering import metrics
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Metrics(ListScreen):
    """What each function did in the last hour: counts, failures, percentiles."""

    SCREEN = model.Screen.METRICS
    COLUMNS = metrics.COLUMNS
    EMPTY = "nothing has finished yet"

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """All functions, sorted and filtered here."""
        wanted = self.asked.filter.lower()
        found = tuple(stat for stat in snapshot.function_stats if wanted in stat.name.lower())
        stats = metrics.sort_functions(found, self.asked.sort, self.asked.descending)
        return stats, 0, len(stats)

    def row_of(self, target: Target) -> GridRow:
        """A function as cells."""
        return metrics.function_row(cast("FunctionStat", target), self.moment())
