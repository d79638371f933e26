"""Screen 9: who did what, from where and why."""

from __future__ import annotations

from typing import cast

from quarterdeck import model
from quarterdeck.model import AuditRow
from tui.rendering import acts
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow


class Audit(ListScreen):
    """Every act of every operator, newest first."""

    SCREEN = model.Screen.AUDIT
    COLUMNS = acts.AUDIT_COLUMNS
    EMPTY = "nobody has done anything yet"

    def row_of(self, target: Target) -> GridRow:
        """An act as cells."""
        return acts.audit_row(cast("AuditRow", target), self.moment())
