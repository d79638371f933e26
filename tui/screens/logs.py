"""Screen 7: logs, live: of a job, of what a filter names, or of all."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult

from quarterdeck import model
from quarterdeck.model import LogRow, Snapshot, View
from quarterdeck.text import shorten
from tui.screens.deckscreen import DeckScreen
from tui.widgets.log_tail import LogTail
from tui.widgets.logring import LogLine

FIRST_LINES: Final = 1_000
"""Lines that are read when a log is opened."""
NO_LOGS: Final = "stock SAQ workers keep no logs, `quarterdeck worker` does"
MORE_LINES: Final = 2_000
"""Lines that are read at a time while it goes on: of more than that a second nobody sees the rest, they are counted."""


class Logs(DeckScreen):
    """The newest lines, followed. Its keys are those of log viewers: digits jump in time, `s` follows, `w` wraps."""

    SCREEN = model.Screen.LOGS
    HINTS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("s", "follow"),
        ("/", "search"),
        ("&", "only"),
        ("L", "level"),
        ("w", "wrap"),
        ("t", "times"),
        ("0", "end"),
        ("2-6", "1-60 min"),
        ("m", "mark"),
    )

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self._cursor = ""
        self._last: tuple[int, str] | None = None
        self._only = False

    def compose_body(self) -> ComposeResult:
        """The tail alone."""
        yield LogTail(id="tail", zone=self.deck.station.zone)

    @property
    def tail(self) -> LogTail:
        """The log view."""
        return self.query_one(LogTail)

    def view(self) -> View:
        """Lines after the newest one that is here; a job's own log, which is short, whole."""
        after = "" if self.asked.subject else self._cursor
        return replace(self.asked, after=after, newest=True, limit=MORE_LINES if after else FIRST_LINES)

    def answers(self, snapshot: Snapshot) -> bool:
        """Only lines that go on where we are: a read in flight while others came would show them twice."""
        return super().answers(snapshot) and snapshot.view.after == self.view().after

    def show(self, snapshot: Snapshot) -> None:
        """Feed the new lines to the tail."""
        page = snapshot.page
        if page is None:
            return
        rows = [row for row in page.rows if isinstance(row, LogRow)]
        if self.asked.subject:
            rows = self._unseen(rows)
        self._cursor = page.cursor or self._cursor
        self.tail.empty_text = self._why_empty(snapshot)
        self.tail.feed([self._line(row) for row in rows], dropped=page.dropped)
        if len(rows) >= MORE_LINES and not page.dropped:
            self.deck.wake()  # a server that can't say how many were left out gives all of them, piece by piece

    def _why_empty(self, snapshot: Snapshot) -> str:
        """That nobody keeps logs here; empty where somebody does, or nobody is there at all."""
        served = [stat for stat in snapshot.queues if stat.workers and self.asked.queue in {None, "", stat.name}]
        return "" if not served or any(stat.deck for stat in served) else NO_LOGS

    def _unseen(self, rows: list[LogRow]) -> list[LogRow]:
        """The rows after the last one that was shown."""
        seen = [at for at, row in enumerate(rows) if (row.at_ms, row.text) == self._last]
        if rows:
            self._last = (rows[-1].at_ms, rows[-1].text)
        return rows[seen[-1] + 1 :] if seen else rows

    def _line(self, row: LogRow) -> LogLine:
        who = f"{row.function} {shorten(row.key, 12)} " if not self.asked.subject and row.key else ""
        return LogLine(f"{who}{row.text}", row.at_ms, row.level)

    @on(LogTail.SearchWanted)
    async def _ask(self, message: LogTail.SearchWanted) -> None:
        self._only = message.only
        await self.prompt("filter", self.tail.only if message.only else "")

    def narrow(self, text: str) -> None:
        """Search for a text, or show only the lines that hold it."""
        if self._only:
            self.tail.only = text
        else:
            self.tail.search(text)

    def step_back(self) -> bool:
        """Show all lines again."""
        if self.tail.only:
            self.tail.only = ""
            return True
        return False

    def place(self) -> str:
        """`logs @emails · job e7`."""
        subject = f" · job {self.moment().text(self.asked.subject, 60)}" if self.asked.subject else ""
        narrowed = f" · {self.moment().text(self.asked.filter, 60)}" if self.asked.filter else ""
        return super().place() + subject + narrowed

    def copied(self) -> str:
        """The lines that are held, as text."""
        return self.tail.text()
