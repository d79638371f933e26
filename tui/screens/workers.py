"""Screen 6: workers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from quarterdeck import model
from quarterdeck.model import Snapshot, WorkerRow
from tui.rendering import workers
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Workers(ListScreen):
    """Worker processes, the lost ones with what they held; `Enter` opens one."""

    SCREEN = model.Screen.WORKERS
    COLUMNS = workers.COLUMNS
    EMPTY = "no worker is alive: quarterdeck worker TARGET starts one"

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """The page where there is one, else all that the snapshot holds."""
        self._newest = workers.newest_version(snapshot.workers)
        if snapshot.page is not None:
            return super().rows_of(snapshot)
        return snapshot.workers, 0, len(snapshot.workers)

    def row_of(self, target: Target) -> GridRow:
        """A worker as cells; one that lags behind in version draws the eye."""
        return workers.worker_row(cast("WorkerRow", target), self.moment(), newest_version=self._newest)
