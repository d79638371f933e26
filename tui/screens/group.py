"""One failure group: what broke, whom it hits, and its jobs."""

from __future__ import annotations

from typing import cast

from textual.app import ComposeResult

from quarterdeck import model
from quarterdeck.model import FailureGroup, GroupDetail, JobRow, JobState, Selection, Snapshot, View
from quarterdeck.text import human_age, human_count, human_percent
from tui.rendering import jobs
from tui.rendering.lines import Runs
from tui.rendering.moment import Moment
from tui.screens.deckscreen import Target
from tui.screens.failures import query_of
from tui.screens.listscreen import ListScreen
from tui.widgets.cell import Cell, GridRow
from tui.widgets.textlines import TextLines


class Group(ListScreen):
    """The failed jobs of one signature under a summary. With nothing marked `r` on a job is for that job alone; `a`
    aims at the whole group.
    """

    SCREEN = model.Screen.GROUP
    COLUMNS = jobs.GROUP_COLUMNS
    EMPTY = "no failed job is left in this group"

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.detail: GroupDetail | None = None

    def compose_body(self) -> ComposeResult:
        """A summary above the list."""
        yield TextLines(id="summary", classes="frame")
        yield from super().compose_body()

    def show(self, snapshot: Snapshot) -> None:
        """Update summary and rows."""
        if isinstance(snapshot.detail, GroupDetail):
            self.detail = snapshot.detail
            lines = summary_runs(snapshot.detail, self.moment())
            self.query_one("#summary", TextLines).say(*(Cell(runs=runs) for runs in lines))
        super().show(snapshot)

    def row_of(self, target: Target) -> GridRow:
        """A job as cells."""
        return jobs.group_job_row(cast("JobRow", target), self.moment())

    def everything(self) -> Selection:
        """The whole group, filtered as the list is."""
        asked = self.asked
        return Selection(queue=asked.queue, state=JobState.FAILED, signature=asked.subject, filter=asked.filter)

    @property
    def group(self) -> FailureGroup | None:
        """The group's row, once it was read."""
        return self.detail.row if self.detail else None

    def place(self) -> str:
        """`send_email · 1-18 of 532`."""
        name = self.group.function if self.group else self.asked.subject or ""
        return super().place().replace("group", f"group {self.moment().text(name, 40)}", 1)


def summary_runs(detail: GroupDetail, moment: Moment) -> tuple[Runs, ...]:
    """Three lines: what broke and where; how many, since when, its trend; which workers and versions."""
    group = detail.row
    said = ": ".join(filter(None, (group.exception, group.message)))
    share = f" · {human_percent(group.share)} of its runs" if group.share is not None else ""
    since, last = human_age(moment.age_ms(group.first_ms)), human_age(moment.age_ms(group.last_ms))
    trend = moment.spark(group.trend, len(group.trend))
    ended = "aborted" if group.aborted else "failed"
    hit = [f"{moment.text(name, 40)} {human_count(count)}" for name, count in detail.workers[:4]]
    versions = [f"{moment.text(name, 20) or '?'} {human_count(count)}" for name, count in detail.versions[:4]]
    return (
        ((f" {moment.text(said)}", "bad"), (f"  {moment.text(group.frame, 100)}", "muted")),
        ((f" {human_count(group.count)} {ended}{share} · first {since}, last {last} ago  ", ""), (trend, "muted")),
        ((f" workers {', '.join(hit) or '-'} · versions {', '.join(versions) or '-'}", "muted"),),
    )


__all__ = ["Group", "query_of", "summary_runs"]
