"""The whole record of anything, its raw JSON, a worker's stack, and the one sentence that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from quarterdeck.errors import UsageError
from quarterdeck.model import (
    FailureGroup,
    GroupDetail,
    JobDetail,
    JobRow,
    QueueDetail,
    QueueStat,
    ScheduleRow,
    Screen,
    View,
    WorkerRow,
)
from tui.rendering.block import document_of
from tui.rendering.details import group_blocks
from tui.rendering.findings import finding_blocks
from tui.rendering.why import why_schedule, why_worker
from tui.screens.deckscreen import DeckScreen, Target
from tui.screens.places import view_of
from tui.station import Right
from tui.widgets.doclines import DocLine, json_lines, text_lines
from tui.widgets.document import Document

if TYPE_CHECKING:
    from tui.app import Deck


class Record(DeckScreen):
    """Lines of text on top of where one was; it reads on behind, and `Esc` goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+d", "app.nothing", show=False)]

    def __init__(self, title: str, lines: list[DocLine], view: View) -> None:
        super().__init__(view)
        self.SCREEN = view.screen  # type: ignore[misc]  # it stands for the screen that it was opened from
        self._title = title
        self._lines = lines

    def compose_body(self) -> ComposeResult:
        """The document alone."""
        yield Document(id="document")

    def on_mount(self) -> None:
        """Show it once: a record that changes under the eye can't be read."""
        self.query_one(Document).show(self._lines)

    def place(self) -> str:
        """What it is the record of."""
        return self._title

    def copied(self) -> str:
        """The whole text."""
        return self.query_one(Document).text()


async def show_record(deck: Deck, *, raw: bool) -> None:
    """Open the record of what is under the cursor, or its raw JSON."""
    screen = deck.deck_screen
    target = screen.targets()[0]
    detail = deck.snapshot.detail if deck.snapshot is not None and screen.answers(deck.snapshot) else None
    if raw and isinstance(target, JobRow) and not isinstance(detail, JobDetail):
        view = view_of(target)
        detail = (await deck.read(view)).detail if view is not None else None
    title, lines = _record(target, detail, deck, raw=raw)
    await deck.push_screen(Record(title, lines, screen.asked))


def _record(target: Target, detail: Any, deck: Deck, *, raw: bool) -> tuple[str, list[DocLine]]:
    """Title and lines of a record."""
    name = getattr(target, "key", "") or getattr(target, "name", "") or getattr(target, "id", "")
    title = f"{'raw ' if raw else ''}{type(target).__name__.removesuffix('Row').removesuffix('Stat').lower()} {name}"
    if isinstance(detail, JobDetail) and isinstance(target, JobRow):
        if raw and not detail.row.broken and detail.document:
            return title, json_lines(detail.document)
        return title, text_lines(detail.raw) if raw else json_lines(msgspec.to_builtins(detail))
    if isinstance(target, FailureGroup) and isinstance(detail, GroupDetail) and not raw:
        return title, document_of(group_blocks(detail, deck.moment()))
    return title, json_lines(msgspec.to_builtins(target))


async def show_findings(deck: Deck) -> None:
    """Open all that is wrong, and the server's own state."""
    if deck.snapshot is not None:
        lines = document_of(finding_blocks(deck.snapshot, deck.moment()))
        await deck.push_screen(Record("what is wrong", lines, deck.deck_screen.asked))


async def show_stack(deck: Deck) -> bool:
    """Ask a worker for the stack of the job under the cursor; False where no job is under it."""
    from tui.screens.worker import Worker

    screen = deck.deck_screen
    job = screen.current_job() if isinstance(screen, Worker) else None
    if job is None or not isinstance(screen, Worker):
        return False
    deck.acting.require(Right.OPERATE)
    await deck.perform(lambda it: it.control_worker(screen.asked.subject or "", "stack", job.key))
    return True


async def show_why(deck: Deck) -> None:
    """Say in a toast why the thing under the cursor is not running, and what to do about it."""
    target = deck.deck_screen.targets()[0]
    match target:
        case JobRow() | QueueStat():
            view = view_of(target)
            detail = (await deck.read(view)).detail if view is not None else None
            if not isinstance(detail, JobDetail | QueueDetail):
                raise UsageError("It is gone.")
            deck.say(f"{detail.why or 'Nothing keeps it.'} {detail.why_cure}".strip(), "note")
        case ScheduleRow():
            deck.say(why_schedule(target, deck.moment(), deck.snapshot.workers if deck.snapshot else ()), "note")
        case WorkerRow():
            deck.say(why_worker(target, deck.moment()), "note")
        case _:
            raise UsageError("There is no why for this.", "w is for jobs, queues, schedules and workers.")


__all__ = ["Record", "Screen", "show_findings", "show_record", "show_stack", "show_why"]
