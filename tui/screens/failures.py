"""Screen 4: failures, grouped by what broke."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from quarterdeck import model
from quarterdeck.model import FailureGroup, JobState, Selection, Snapshot
from tui.rendering import failures
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Failures(ListScreen):
    """Failure groups; `Enter` opens the jobs of one."""

    SCREEN = model.Screen.FAILURES
    COLUMNS = failures.COLUMNS
    EMPTY = "nothing has failed"
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("enter", "jobs"),)

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """The groups: the page where there is one, else all that the snapshot holds."""
        if snapshot.page is not None:
            return super().rows_of(snapshot)
        return snapshot.groups, 0, len(snapshot.groups)

    def row_of(self, target: Target) -> GridRow:
        """A group as cells."""
        return failures.group_row(cast("FailureGroup", target), self.moment())

    def everything(self) -> Selection:
        """All failed jobs that match."""
        return Selection(queue=self.asked.queue, state=JobState.FAILED, filter=self.asked.filter)

    def queries(self) -> tuple[Selection, ...]:
        """A query for each group that is marked or under the cursor."""
        if self.all_matching:
            return (self.everything(),)
        return tuple(query_of(target) for target in self.targets() if isinstance(target, FailureGroup))


def query_of(group: FailureGroup) -> Selection:
    """All failed jobs of a group."""
    return Selection(queue=group.queue, state=JobState.FAILED, signature=group.signature)
