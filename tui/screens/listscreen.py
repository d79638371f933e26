"""The base of the screens that are one list: a window over the server, filtered and sorted there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult

from quarterdeck.model import JobRef, JobRow, JobState, Selection, Snapshot, View
from tui.screens.deckscreen import DeckScreen, Target
from tui.widgets.cell import GridRow
from tui.widgets.columns import Column
from tui.widgets.grid import Grid
from tui.widgets.gridnews import RowOpened, SortWanted

BUDGET_STEP: Final = 200_000
"""How many rows more a search looks at when it is told to go on."""


class ListScreen(DeckScreen):
    """One grid whose rows come by index range. Subclasses say what a snapshot's rows are and how they look."""

    FILTERED = True
    EMPTY: ClassVar[str] = "nothing here"
    COLUMNS: ClassVar[tuple[Column, ...]] = ()

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.known: dict[str, Target] = {}
        """What the keys of the rows stand for: those of the last answer, and the marked ones."""
        self.all_matching = False
        """Whether acts are for everything that matches, seen or not."""
        self.total = 0
        self.error = ""
        """What of the list can't be read, and why."""
        self._title_due = False

    # What a subclass says.

    def rows_of(self, snapshot: Snapshot) -> tuple[Sequence[Target], int, int]:
        """The rows in a snapshot, the index of the first, and how many there are in all."""
        page = snapshot.page
        if page is None:
            return (), 0, 0
        return page.rows, page.offset, page.total  # type: ignore[return-value]  # a page holds this screen's rows

    def row_of(self, target: Target) -> GridRow:
        """One of them as cells."""
        raise TypeError(f"{type(self).__name__} does not say how its rows look: {target!r:.80}")

    def columns(self) -> tuple[Column, ...]:
        """The columns there are."""
        return self.COLUMNS

    # The body.

    def compose_body(self) -> ComposeResult:
        """The grid alone."""
        grid = Grid(self.columns(), id="grid")
        grid.empty_text = self.EMPTY
        yield grid

    @property
    def grid(self) -> Grid:
        """The list."""
        return self.query_one("#grid", Grid)

    def view(self) -> View:
        """What was asked for, and the window that can be seen."""
        offset, limit = self.grid.wanted if self.composed else (0, 0)
        return replace(self.asked, offset=offset, limit=limit or 60)

    def show(self, snapshot: Snapshot) -> None:
        """Update the rows in place."""
        targets, offset, self.total = self.rows_of(snapshot)
        rows = [self.row_of(target) for target in targets]
        marked = {key: self.known[key] for key in self.grid.marked if key in self.known}
        self.known = marked | {row.key: target for row, target in zip(rows, targets, strict=True)}
        self.error = self.moment().text(snapshot.page.error) if snapshot.page is not None else ""
        self.grid.empty_text = self.why_empty()
        self.grid.show(rows, offset, self.total)

    def why_empty(self) -> str:
        """What an empty list says: that nothing is there, or why it can't be known."""
        if self.deck.playback.past_ms is not None:
            return "the flight recorder keeps the overview, not this (= comes back to now)"
        if self.error:
            return f"it can't be read: {self.error}"
        if self.asked.filter:
            return f"nothing matches {self.asked.filter!r} (Esc takes the filter off)"
        return self.EMPTY

    @on(Grid.WindowWanted)
    def _read_window(self) -> None:
        self.deck.wake()

    @on(Grid.RowOpened)
    async def _open_row(self, message: RowOpened) -> None:
        if message.key in self.known:
            await self.deck.open_target(self.known[message.key])

    @on(Grid.SortWanted)
    def _sort(self, message: SortWanted) -> None:
        self.ask(replace(self.asked, sort=message.column, descending=message.descending))

    @on(Grid.Marked)
    @on(Grid.CursorMoved)
    def _repaint_title(self) -> None:
        """The rows first: what a key did to them is not kept waiting by the lines around them."""
        if not self._title_due and not self.grid.awaiting:  # else the title comes with the rows
            self._title_due = True
            self.call_after_refresh(self._paint_title)

    def _paint_title(self) -> None:
        self._title_due = False
        self.paint_frame()

    # Asking otherwise.

    def ask(self, view: View) -> None:
        """Ask for another list: another filter, order, state or queue."""
        self.asked = view
        self.all_matching = False
        self.grid.unmark()
        self.grid.reset()
        self.grid.sorted_by(view.sort or None, view.descending)
        self.answered = False
        self.deck.wake()
        self.paint_frame()

    def search_on(self) -> None:
        """Let a search that ran out of its budget go on."""
        self.asked = replace(self.asked, budget=self.asked.budget + BUDGET_STEP)
        self.deck.wake()

    def mark_all_matching(self) -> None:
        """Aim acts at everything that matches the filter, or at the marked rows again."""
        self.all_matching = not self.all_matching
        self.paint_frame()

    def unmark(self) -> None:
        """Take off all marks, and aim at the cursor again."""
        self.all_matching = False
        super().unmark()
        self.paint_frame()

    def narrow(self, text: str) -> None:
        """Filter the list on the server."""
        self.ask(replace(self.asked, filter=text, budget=View().budget))

    def step_back(self) -> bool:
        """Take off what narrows the list, one thing at a time."""
        if self.all_matching:
            self.mark_all_matching()
            return True
        if self.asked.filter:
            self.ask(replace(self.asked, filter=""))
            return True
        return False

    # What acts are for.

    def targets(self) -> tuple[Target, ...]:
        """The marked rows, else the one under the cursor."""
        return tuple(self.known[key] for key in self.grid.targets if key in self.known)

    def aimed(self) -> tuple[Target, ...]:
        """The targets; where all that match are meant, any row tells what they are: the cursor's may be gone."""
        if self.all_matching and self.everything() is not None:
            return tuple(self.known.values())[:1]
        return self.targets()

    def everything(self) -> Selection | None:
        """The whole list as a query for acts on all that match, where the server can take it so."""
        return None

    def queries(self) -> tuple[Selection, ...]:
        """The jobs that acts on many are for."""
        whole = self.everything() if self.all_matching else None
        if whole is not None:
            return (whole,)
        jobs = [target for target in self.targets() if isinstance(target, JobRow)]
        return (Selection(refs=tuple(ref_of(job) for job in jobs), state=jobs[0].state),) if jobs else ()

    # The title.

    def place(self) -> str:
        """Where one is, how much there is, and what narrows it."""
        parts = [super().place()]
        if self.composed and self.answered:
            parts.append("all that match" if self.all_matching else self.grid.position)
        if self.error and self.total:
            parts.append(f"not all can be read: {self.error}")
        if self.asked.filter:
            parts.append(f"/{self.moment().text(self.asked.filter, 60)}")
            parts.extend(self._searched())
        return " · ".join(parts)

    def _searched(self) -> list[str]:
        """How far a search has come, while it is not through."""
        snapshot = self.deck.snapshot
        page = snapshot.page if snapshot is not None and self.answers(snapshot) else None
        if page is None or page.searched >= page.total_unfiltered:
            return []
        return [f"searched {page.searched:,} of {page.total_unfiltered:,}, n goes on"]


def ref_of(job: JobRow) -> JobRef:
    """A job as it was seen: acting on it is compare-and-set."""
    ended = job.state in {JobState.FAILED, JobState.ABORTED}
    return JobRef(queue=job.queue, key=job.key, seen_ms=job.finished_ms if ended else 0)
