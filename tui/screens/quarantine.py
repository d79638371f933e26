"""The quarantine: garbage that can't be read, and jobs that a rule set aside."""

from __future__ import annotations

from typing import ClassVar, cast

from quarterdeck import model
from quarterdeck.model import JobRef, QuarantineRow, Selection
from tui.rendering import acts
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Quarantine(ListScreen):
    """What was set aside and why; `r` releases it."""

    SCREEN = model.Screen.QUARANTINE
    COLUMNS = acts.QUARANTINE_COLUMNS
    EMPTY = "nothing is set aside"
    VERB: ClassVar[model.Verb] = model.Verb.RELEASE

    def row_of(self, target: Target) -> GridRow:
        """Something set aside as cells."""
        return acts.quarantine_row(cast("QuarantineRow", target), self.moment())

    def queries(self) -> tuple[Selection, ...]:
        """What is marked, or under the cursor."""
        rows = [target for target in self.targets() if isinstance(target, QuarantineRow)]
        return (Selection(refs=tuple(JobRef(queue=row.queue, key=row.key) for row in rows)),) if rows else ()
