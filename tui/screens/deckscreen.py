"""The base of all screens: a line above, a banner when the data is old, two lines below, a body in between."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.widget import Widget

from quarterdeck import model
from quarterdeck.model import (
    AuditRow,
    BinRow,
    BulkRow,
    FailureGroup,
    FunctionStat,
    JobRow,
    LogRow,
    QuarantineRow,
    QueueStat,
    RunRow,
    ScheduleRow,
    Selection,
    Snapshot,
    View,
    WorkerRow,
)
from tui.line import line_label
from tui.rendering.lines import key_runs, round_trip_runs, rule_runs, top_runs
from tui.rendering.moment import Moment
from tui.screens.promptscreen import PromptScreen
from tui.station import Right
from tui.widgets.banner import StaleBanner
from tui.widgets.cell import Cell
from tui.widgets.grid import Grid
from tui.widgets.painted import Painted
from tui.widgets.textlines import TextLines
from tui.widgets.toast import Toasts

Target = (
    JobRow
    | FailureGroup
    | ScheduleRow
    | WorkerRow
    | QueueStat
    | BulkRow
    | BinRow
    | QuarantineRow
    | AuditRow
    | RunRow
    | LogRow
    | FunctionStat
)
"""What a command can be aimed at."""


FRAME_LINES: Final = 3
"""Widgets of the frame: the top, the banner, the foot."""
TOAST_LINES: Final = 2
"""Lines that one sentence takes at most."""
LEAST: Final = (60, 20)
"""Columns and lines that the screens are made for at least."""


class DeckScreen(PromptScreen):
    """One screen of the deck. It asks by `view`, is answered by `accept`, and says by `targets` what acts are for."""

    SCREEN: ClassVar[model.Screen]
    TITLE_WORD: ClassVar[str] = ""
    """What the top line calls it; the screen's name where empty."""
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = ()
    """Keys of widgets on this screen that belong in the footer, as (key, word)."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.answered = False
        """Whether any snapshot has been shown."""
        self.shown_ms: int | None = None
        """When what the body shows was so; a snapshot for another screen may be newer."""
        self._left_at: Widget | None = None

    def compose(self) -> ComposeResult:
        """The frame; the body is the subclass's."""
        yield TextLines(id="top", classes="frame")
        yield StaleBanner(id="banner", classes="frame")
        yield from self.compose_body()
        yield TextLines(id="foot", classes="frame")
        yield Toasts(id="toasts")
        yield TextLines(id="small")

    def compose_body(self) -> ComposeResult:
        """What is between the frame's lines."""
        yield from ()

    @property
    def composed(self) -> bool:
        """Whether the widgets are there: before the first layout, and while the app ends, they are not."""
        return self.is_mounted and len(self.query(".frame")) >= FRAME_LINES

    # Asking and being answered.

    def view(self) -> View:
        """What this screen needs to know now: what was asked for, and where there is one the window that is seen."""
        return self.asked

    def answers(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot was taken for what this screen shows (reads in flight outlive a change of screen)."""
        asked, got = self.view(), snapshot.view
        return (got.screen, got.queue, got.state, got.subject, got.filter, got.sort, got.descending) == (
            asked.screen,
            asked.queue,
            asked.state,
            asked.subject,
            asked.filter,
            asked.sort,
            asked.descending,
        )

    def accept(self, snapshot: Snapshot) -> None:
        """Paint a snapshot: the frame from any, the body only from one that answers this screen."""
        if not self.composed:
            return
        if self.answers(snapshot):
            self.answered = True
            self.shown_ms = snapshot.taken_ms
            self.show(snapshot)
        self.paint_frame()

    def show(self, snapshot: Snapshot) -> None:
        """Update the body in place."""

    # What acts are for.

    def targets(self) -> tuple[Target, ...]:
        """What is marked, else what is under the cursor, else nothing."""
        return ()

    def aimed(self) -> tuple[Target, ...]:
        """What tells which acts make sense: the targets, or one of all that match where those are meant."""
        return self.targets()

    def queries(self) -> tuple[Selection, ...]:
        """The jobs that an act on many is for, as queries or references; empty when there is nothing to act on."""
        return ()

    def everything(self) -> Selection | None:
        """All that this screen lists, as a query; None where the server can't take it so."""
        return None

    def mark_all_matching(self) -> None:
        """Aim acts at everything that matches, or at the marked again; for lists."""

    def unmark(self) -> None:
        """Take off all marks: what they were for is done."""
        for grid in self.query(Grid):
            grid.unmark()

    def search_on(self) -> None:
        """Let a search that ran out of its budget go on; for lists."""

    def step_back(self) -> bool:
        """Undo one step within the screen (a filter, say); False when there is nothing to step back from."""
        return False

    def place(self) -> str:
        """Where one is, for the top line."""
        word = self.TITLE_WORD or str(self.SCREEN)
        queue = f" @{self.moment().text(self.asked.queue, 60)}" if self.asked.queue else ""
        return f"{word}{queue}"

    def copied(self) -> str:
        """What `c` copies: text of the thing under the cursor."""
        return ""

    # Painting.

    def moment(self) -> Moment:
        """When and for whom it is painted now."""
        return self.deck.moment()

    def paint_frame(self) -> None:
        """Bring the lines around the body up to date."""
        if not self.composed:
            return
        deck, width = self.deck, self.app.size.width
        moment = self.moment()
        place = moment.glyphs.plain(self.place())
        name, doubt = moment.text(deck.station.name, 30), deck.doubt()
        top = top_runs(name, self.flags(), place, deck.snapshot, moment, width, doubt=doubt)
        self.query_one("#top", TextLines).say(Cell(runs=top))
        self._paint_banner()
        rule = rule_runs(deck.station.name, deck.snapshot, deck.station.operator_id, moment, width)
        stale = deck.stale_since_ms is not None
        right = round_trip_runs(deck.snapshot, line_label(deck.driver), stale, deck.round_trip.ms)
        keys = key_runs(self.hints(), right, width)
        self.query_one("#foot", TextLines).say(Cell(runs=rule), Cell(runs=keys))

    def _paint_banner(self) -> None:
        """Say since when the data is old, while the server does not answer."""
        banner, deck = self.query_one("#banner", StaleBanner), self.deck
        if deck.stale_since_ms is None:
            banner.fresh()
        else:
            since_ms = min(deck.stale_since_ms, self.shown_ms or deck.stale_since_ms)
            banner.stale(since_ms, str(deck.read_error) if deck.read_error else "no answer yet")

    def toast(self, text: str, style: str = "", command: str = "") -> None:
        """Say for a few seconds what was done, and the same act as a command line; on lines of their own if need be."""
        if not self.composed:
            return
        toasts, width = self.query_one("#toasts", Toasts), self.app.size.width - 2
        if len(text) + len(command) + 3 <= width:
            toasts.toast(text, style, command)
            return
        for line in wrap_words(text, width)[:TOAST_LINES]:
            toasts.toast(line, style)
        if command:
            toasts.toast("", "", command)

    def flags(self) -> list[tuple[str, str]]:
        """What holds here and must not be forgotten, as (words, style)."""
        deck = self.deck
        flags: list[tuple[str, str]] = []
        if deck.station.rights is Right.VIEW:
            flags.append(("read-only", "note"))
        if deck.station.protected:
            flags.append(("protected", "warn"))
        if deck.playback.past_ms is not None:
            flags.append((f"past {self.moment().clock_time(deck.playback.past_ms)}", "warn"))
        if deck.playback.frozen:
            flags.append(("frozen", "paused"))
        return flags

    def hints(self) -> list[tuple[str, str]]:
        """The keys for the footer as (key, word), the most useful here first."""
        return [*self.HINTS, *self.deck.footer_keys()]

    def tick(self) -> None:
        """A second has gone by: countdowns and ages go on between reads."""
        for widget in self.query(Painted):
            widget.tick()

    async def on_screen_resume(self) -> None:
        """Back on top: paint what is known at once, and ask for what this screen needs."""
        self.deck.wake()
        if self.deck.snapshot is not None:
            self.accept(self.deck.snapshot)
        else:
            self.paint_frame()

    def on_resize(self) -> None:
        """The frame's lines are laid out for a width; below 60×20 a clear word takes the screen."""
        width, height = self.app.size
        small, was_small = self.too_small, self.has_class("too-small")
        if small and not was_small:
            self._left_at = self.focused  # what is not displayed loses the focus
        self.set_class(small, "too-small")
        if was_small and not small:
            self.call_after_refresh(self._focus_again)
        if small and self.composed:
            words = f"{width}x{height} is too small: the deck needs {LEAST[0]}x{LEAST[1]}. Enlarge, or q quits."
            self.query_one("#small", TextLines).say(*wrap_words(words, width))
        self.paint_frame()

    @property
    def too_small(self) -> bool:
        """Whether the terminal is too small to show what is done in it."""
        return self.app.size.width < LEAST[0] or self.app.size.height < LEAST[1]

    def _focus_again(self) -> None:
        """The focus goes back to where it was, or to the list where the screen was opened unseen."""
        if self.focused is None and self._left_at is not None and self._left_at.is_attached:
            self._left_at.focus()
        elif self.focused is None:
            self.refocus()


def wrap_words(text: str, width: int) -> list[str]:
    """Words on lines of at most `width` cells."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
