"""One worker, whole: what it runs now, and what it is."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult

from quarterdeck import model
from quarterdeck.model import AnyDetail, CurrentJob, Snapshot, View, WorkerDetail
from quarterdeck.text import human_duration
from tui.rendering.block import Block
from tui.rendering.details import worker_blocks
from tui.rendering.workers import is_overdue
from tui.screens.deckscreen import Target
from tui.screens.detailscreen import DetailScreen
from tui.widgets.cell import Age, Cell, GridRow
from tui.widgets.columns import Column
from tui.widgets.document import Document
from tui.widgets.grid import Grid
from tui.widgets.gridnews import RowOpened

CURRENT_COLUMNS = (
    Column("function", "CURRENT JOB", 16, flex=2),
    Column("key", "key", 14, flex=2, style="muted"),
    Column("age", "runs for", 8, align="right"),
    Column("usual", "usually", 8, align="right"),
    Column("queue", "queue", 9, priority=1),
)


class Worker(DetailScreen):
    """The current jobs of a worker, and below them all that it says of itself. `d` on a job asks for its stack."""

    SCREEN = model.Screen.WORKER
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("d", "stack"), ("tab", "switch"))

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.current: dict[str, CurrentJob] = {}

    def compose_body(self) -> ComposeResult:
        """Jobs above, facts below."""
        grid = Grid(CURRENT_COLUMNS, id="current", classes="panel")
        grid.empty_text = "idle"
        yield grid
        yield Document(id="document")

    def show(self, snapshot: Snapshot) -> None:
        """Update both in place."""
        super().show(snapshot)
        if isinstance(snapshot.detail, WorkerDetail):
            jobs = snapshot.detail.row.current
            self.current = {job.key: job for job in jobs}
            grid = self.query_one("#current", Grid)
            grid.show([self._row(job) for job in jobs])
            grid.styles.height = min(max(2, len(jobs) + 1), self.size.height // 2)

    def _row(self, job: CurrentJob) -> GridRow:
        late = is_overdue(job, self.moment().now_ms)
        usual = Cell(human_duration(job.expected_ms), "muted")
        return GridRow(job.key, (job.function, job.key, Age(job.started_ms, "warn" if late else ""), usual, job.queue))

    def blocks(self, detail: AnyDetail) -> list[Block]:
        """The worker as blocks."""
        if not isinstance(detail, WorkerDetail):
            return []
        return [it for it in worker_blocks(detail, self.moment()) if it.title != "current jobs"]

    def targets(self) -> tuple[Target, ...]:
        """The worker."""
        return (self.detail.row,) if isinstance(self.detail, WorkerDetail) else ()

    def current_job(self) -> CurrentJob | None:
        """The job under the cursor, when the focus is among them."""
        grid = self.query_one("#current", Grid)
        return self.current.get(grid.cursor_key or "") if grid.has_focus else None

    @on(Grid.RowOpened)
    async def _open(self, message: RowOpened) -> None:
        job = self.current.get(message.key)
        if job is not None:
            await self.deck.open(View(screen=model.Screen.JOB, queue=job.queue or self.asked.queue, subject=job.key))
