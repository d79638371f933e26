"""Screen 8: metrics by function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from quarterdeck import model
from quarterdeck.model import FunctionStat, Snapshot
from tui.rendering import metrics
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.screens.sought import Names, matching
from tui.widgets.cell import GridRow


class Metrics(ListScreen):
    """What each function did in the last hour: counts, failures, percentiles."""

    SCREEN = model.Screen.METRICS
    COLUMNS = metrics.COLUMNS
    EMPTY = "nothing has finished yet"

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """All functions, the first one's index and how many; sorted and filtered here."""
        found = matching(self.asked.filter, ((stat, _names_of(stat)) for stat in snapshot.function_stats))
        stats = metrics.sort_functions(tuple(found), self.asked.sort, self.asked.descending)
        return stats, 0, len(stats)

    def row_of(self, target: Target) -> GridRow:
        """A function as cells."""
        return metrics.function_row(cast("FunctionStat", target), self.moment())


def _names_of(stat: FunctionStat) -> Names:
    return Names(id=stat.name, name=stat.name, queue=stat.queue, function=stat.name)
