"""One job, whole."""

from __future__ import annotations

from typing import ClassVar

from quarterdeck import model
from quarterdeck.model import AnyDetail, JobDetail, Selection
from tui.rendering.block import Block
from tui.rendering.job import job_blocks, job_title
from tui.screens.deckscreen import Target
from tui.screens.detailscreen import DetailScreen
from tui.screens.listscreen import ref_of


class Job(DetailScreen):
    """Why a job is where it is, what broke, its arguments, attempts and log."""

    SCREEN = model.Screen.JOB
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (("enter", "fold"),)

    def blocks(self, detail: AnyDetail) -> list[Block]:
        """The job as blocks."""
        return job_blocks(detail, self.moment()) if isinstance(detail, JobDetail) else []

    def targets(self) -> tuple[Target, ...]:
        """The job."""
        return (self.detail.row,) if isinstance(self.detail, JobDetail) else ()

    def queries(self) -> tuple[Selection, ...]:
        """The job, as it was seen."""
        if not isinstance(self.detail, JobDetail):
            return ()
        row = self.detail.row
        return (Selection(refs=(ref_of(row),), state=row.state),)

    def place(self) -> str:
        """`job send_email e7 ✗ failed`."""
        if isinstance(self.detail, JobDetail):
            return f"job {job_title(self.detail.row, self.moment())}"
        return super().place()
