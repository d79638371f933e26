"""Screen 1: is something wrong, since when, how much, and what is it?"""

from __future__ import annotations

from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult

from quarterdeck import model
from quarterdeck.model import Selection, Snapshot, View
from tui.rendering import failures, queues, schedules, workers
from tui.rendering.lines import deployment_text
from tui.rendering.sharing import share_lines
from tui.screens.deckscreen import DeckScreen, Target
from tui.widgets.cell import GridRow
from tui.widgets.grid import Grid
from tui.widgets.gridnews import EdgeReached, RowOpened

PANELS: Final = ("queues", "workers", "schedules", "groups")
EMPTY: Final = {
    "queues": "no queue yet: `e` enqueues a job",
    "workers": "no worker is alive",
    "schedules": "no schedule",
    "groups": "nothing has failed",
}
STARTING: Final = {**EMPTY, "workers": "the worker is starting"}
UNKEPT: Final = frozenset({"workers", "schedules"})
"""What is not remembered of the past."""
_FRAME_LINES: Final = 3


class Overview(DeckScreen):
    """Queues, workers, schedules and failures, a panel each; `Tab` or running over an edge goes to the next one."""

    SCREEN = model.Screen.OVERVIEW
    FILTERED = True
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("2", "queues"),
        ("3", "jobs"),
        ("4", "fail"),
        ("5", "sched"),
        ("6", "work"),
        ("7", "logs"),
    )

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._known: dict[str, dict[str, Target]] = {panel: {} for panel in PANELS}
        self._heights: tuple[int, ...] = ()
        self._unseen = False

    def compose(self) -> ComposeResult:
        """The frame and the panels; nothing where the dashboard opens with another screen upon this one.

        To make, style and lay out all of it unseen would keep that screen's rows waiting.
        """
        self._unseen = not self.deck.boarded and self.deck.station.first.screen is not self.SCREEN
        if not self._unseen:
            yield from super().compose()

    async def on_screen_resume(self) -> None:
        """Come to light: what was not made at the start is made now, before the data is painted on it."""
        if self._unseen and self.deck.boarded:
            await self.recompose()
            self.on_resize()

    def compose_body(self) -> ComposeResult:
        """A panel for each kind of thing."""
        wide = self.app.size.width >= 110
        self._spark = 20 if wide else 9
        columns = queues.columns(self._spark)
        yield self._panel(Grid(columns, id="queues", classes="panel", gap=1))
        yield self._panel(Grid(workers.COLUMNS, id="workers", classes="panel"))
        yield self._panel(Grid(schedules.OVERVIEW_COLUMNS, id="schedules", classes="panel"))
        yield self._panel(Grid(failures.COLUMNS, id="groups", classes="panel"))

    def _panel(self, grid: Grid) -> Grid:
        """A panel that says why it is empty: what the flight recorder does not keep was not away."""
        panel = grid.id or ""
        if self.deck.playback.past_ms is not None and panel in UNKEPT:
            grid.empty_text = "the flight recorder does not keep this"
        elif self.deck.worker_starts:
            grid.empty_text = STARTING[panel]
        else:
            grid.empty_text = EMPTY[panel]
        return grid

    def place(self) -> str:
        """The size of the deployment; the screen's name would say nothing here."""
        return deployment_text(self.deck.snapshot) or "overview"

    def show(self, snapshot: Snapshot) -> None:
        """Update each panel in place, then share out the lines."""
        moment = self.moment()
        newest = workers.newest_version(snapshot.workers)
        known = self.deck.playback.past_ms is None or bool(snapshot.workers)
        self._known = {
            "queues": {queue.name: queue for queue in snapshot.queues},
            "workers": {worker.id: worker for worker in snapshot.workers},
            "schedules": {schedule.id: schedule for schedule in snapshot.schedules},
            "groups": {group.id: group for group in snapshot.groups},
        }
        rows: dict[str, list[GridRow]] = {
            "queues": [queues.queue_row(queue, moment, self._spark, workers_known=known) for queue in snapshot.queues],
            "workers": [workers.worker_row(worker, moment, newest_version=newest) for worker in snapshot.workers],
            "schedules": [schedules.overview_row(schedule, moment) for schedule in snapshot.schedules],
            "groups": [failures.group_row(group, moment) for group in snapshot.groups],
        }
        with self.app.batch_update():
            for panel, shown in rows.items():
                self._panel(self.query_one(f"#{panel}", Grid)).show(shown)
            self._share(tuple(len(rows[panel]) for panel in PANELS))

    def _share(self, wanted: tuple[int, ...]) -> None:
        """Give each panel a header, a line for each row while there is room, and the last one the rest."""
        banner = int(self.query_one("#banner").display)
        room = self.app.size.height - _FRAME_LINES - banner - len(PANELS)
        heights = share_lines(tuple(max(1, count) for count in wanted), room)
        if heights == self._heights:
            return
        self._heights = heights
        for panel, lines in zip(PANELS, heights, strict=True):
            self.query_one(f"#{panel}").styles.height = lines + 1

    def on_resize(self) -> None:
        """Share out the lines of the new size."""
        super().on_resize()
        self._heights = ()
        if self.composed and self.deck.snapshot is not None and self.answers(self.deck.snapshot):
            self.show(self.deck.snapshot)

    def narrow(self, text: str) -> None:
        """Look for failed jobs that match: there is no one list here to be narrowed."""
        if text:
            view = View(screen=model.Screen.JOBS, state=model.JobState.FAILED, filter=text)
            self.app.call_later(self.deck.go, view)

    def _focused_panel(self) -> str:
        """The panel that has the focus, or had it when the prompt was opened: what is typed there is for its row."""
        panel = self.focused if isinstance(self.focused, Grid) else self.asked_from
        return (panel.id or "") if isinstance(panel, Grid) else ""

    def targets(self) -> tuple[Target, ...]:
        """What is marked or under the cursor in the panel that has the focus."""
        panel = self._focused_panel()
        if panel not in self._known:
            return ()
        known = self._known[panel]
        return tuple(known[key] for key in self.query_one(f"#{panel}", Grid).targets if key in known)

    def queries(self) -> tuple[Selection, ...]:
        """The failure groups that are marked or under the cursor, a query each."""
        groups = (target for target in self.targets() if isinstance(target, model.FailureGroup))
        return tuple(
            Selection(queue=group.queue, signature=group.signature, state=model.JobState.FAILED) for group in groups
        )

    @on(Grid.EdgeReached)
    def _go_over(self, message: EdgeReached) -> None:
        """Running over the edge of a panel goes on in the next one."""
        at = PANELS.index(message.grid.id or "") + (1 if message.step > 0 else -1)
        if 0 <= at < len(PANELS):
            grid = self.query_one(f"#{PANELS[at]}", Grid)
            grid.move_to(0 if message.step > 0 else grid.total - 1)
            grid.focus()

    @on(Grid.RowOpened)
    async def _open(self, message: RowOpened) -> None:
        target = self._known.get(message.grid.id or "", {}).get(message.key)
        if target is not None:
            await self.deck.open_target(target)
