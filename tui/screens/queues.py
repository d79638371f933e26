"""Screen 2: queues."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from quarterdeck import model
from quarterdeck.model import QueueStat, Snapshot
from tui.rendering import queues
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.screens.sought import Names, matching
from tui.widgets.cell import GridRow
from tui.widgets.columns import Column

_SPARK_CELLS = 20


class Queues(ListScreen):
    """Queues with depth, age, rates, percentiles and state; `Enter` opens one."""

    SCREEN = model.Screen.QUEUES
    EMPTY = "no queue yet: e enqueues a job, a worker brings its queues along"

    def columns(self) -> tuple[Column, ...]:
        """Long sparklines where there is room for them."""
        return queues.columns(self._spark())

    def _spark(self) -> int:
        return _SPARK_CELLS if self.app.size.width >= 110 else 9

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """All queues, the first one's index and how many; they are few, so they are sorted and filtered here."""
        named = ((queue, Names(id=queue.name, name=queue.name, queue=queue.name)) for queue in snapshot.queues)
        found = matching(self.asked.filter, named)
        return sort_queues(found, self.asked.sort, self.asked.descending), 0, len(found)

    def row_of(self, target: Target) -> GridRow:
        """A queue as cells."""
        return queues.queue_row(cast("QueueStat", target), self.moment(), self._spark())


def sort_queues(found: list[QueueStat], column: str, descending: bool) -> list[QueueStat]:
    """The queues by a column; in the server's order where none was chosen."""
    keys = {
        "name": lambda queue: queue.name,
        "depth": lambda queue: queue.depth,
        "oldest": lambda queue: queue.oldest_ms or 0,
        "fail": lambda queue: queue.failure_rate or 0,
        "p95": lambda queue: queue.p95_ms or 0,
    }
    return sorted(found, key=keys[column], reverse=descending) if column in keys else found
