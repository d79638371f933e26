"""Screen 3: jobs, by state."""

from __future__ import annotations

from typing import ClassVar, Final, cast

from msgspec.structs import replace

from quarterdeck import model
from quarterdeck.model import JobRow, JobState, Selection, View
from tui.rendering import jobs
from tui.screens.deckscreen import Target
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import GridRow

STATES: Final = (
    JobState.QUEUED,
    JobState.ACTIVE,
    JobState.SCHEDULED,
    JobState.FAILED,
    JobState.ABORTED,
    JobState.COMPLETE,
)


class Jobs(ListScreen):
    """The jobs in one state; `[` and `]` go to the next state."""

    SCREEN = model.Screen.JOBS
    COLUMNS = jobs.COLUMNS
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("[ ]", "state"), ("enter", "open"))

    def __init__(self, view: View) -> None:
        super().__init__(view if view.state else replace(view, state=JobState.QUEUED))

    def row_of(self, target: Target) -> GridRow:
        """A job as cells."""
        return jobs.job_row(cast("JobRow", target), self.moment())

    def turn(self, step: int) -> None:
        """Go to the next state, or to the one before."""
        at = STATES.index(self.asked.state or JobState.QUEUED)
        self.ask(replace(self.asked, state=STATES[(at + step) % len(STATES)], sort=""))

    def why_empty(self) -> str:
        """Say in the empty list what is not there."""
        text = super().why_empty()
        if text is not self.EMPTY:
            return text
        where = f" in {self.moment().text(self.asked.queue, 40)}" if self.asked.queue else ""
        return f"no {self.asked.state} job{where}"

    def everything(self) -> Selection:
        """All jobs in this state that match the filter."""
        return Selection(queue=self.asked.queue, state=self.asked.state, filter=self.asked.filter)

    def place(self) -> str:
        """`jobs failed @emails · 1-20 of 1,204`. The history lists each attempt, those that were retried among them."""
        every = ", each attempt" if self.asked.state is JobState.COMPLETE else ""
        return super().place().replace("jobs", f"jobs {self.asked.state}{every}", 1)
