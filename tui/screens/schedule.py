"""One schedule, whole: its next fires, its ledger, its definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

from textual.app import ComposeResult

from quarterdeck import model
from quarterdeck.model import RunRow, ScheduleDetail, Snapshot, View
from tui.rendering import schedules
from tui.rendering.block import document_of
from tui.rendering.details import schedule_blocks
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow
from tui.widgets.document import Document
from tui.widgets.grid import Grid


class Schedule(ListScreen):
    """A schedule above, the ledger of its runs below; `Enter` on a run opens its job."""

    SCREEN = model.Screen.SCHEDULE
    COLUMNS = schedules.RUN_COLUMNS
    EMPTY = "no tick is in the ledger yet"
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("tab", "switch"),)

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.detail: ScheduleDetail | None = None

    def compose_body(self) -> ComposeResult:
        """The definition above, the ledger below."""
        yield Document(id="document", classes="upper")
        yield from super().compose_body()

    def on_mount(self) -> None:
        """The ledger is where one acts."""
        self.query_one("#grid", Grid).focus()

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """The ledger: the page where there is one, else what the detail holds."""
        if snapshot.page is not None:
            return super().rows_of(snapshot)
        runs = snapshot.detail.runs if isinstance(snapshot.detail, ScheduleDetail) else ()
        return runs, 0, len(runs)

    def row_of(self, target: Target) -> GridRow:
        """A tick as cells."""
        return schedules.run_row(cast("RunRow", target), self.moment())

    def show(self, snapshot: Snapshot) -> None:
        """Update both in place."""
        super().show(snapshot)
        if isinstance(snapshot.detail, ScheduleDetail):
            self.detail = snapshot.detail
            blocks = [it for it in schedule_blocks(snapshot.detail, self.moment()) if it.title != "ledger"]
            self.query_one(Document).show(document_of(blocks))
        elif self.detail is None:
            self.query_one(Document).show_text(f"There is no schedule {self.asked.subject} any more.")

    def tick(self) -> None:
        """The next fires count down."""
        super().tick()
        if self.detail is not None:
            blocks = [it for it in schedule_blocks(self.detail, self.moment()) if it.title != "ledger"]
            self.query_one(Document).show(document_of(blocks))

    def targets(self) -> tuple[Target, ...]:
        """The schedule itself: acts here are for it, not for its past runs."""
        return (self.detail.row,) if self.detail is not None else ()

    def place(self) -> str:
        """`schedule nightly_backup`."""
        return f"schedule {self.moment().text(self.asked.subject or '', 60)}"
