"""What can't be read and was set aside: deleting it, putting it back as it is, or mending it first."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from quarterdeck.errors import QuarterdeckError
from quarterdeck.model import Outcome, QuarantineRow
from quarterdeck.text import clean, count_of
from tui.screens.asking import ask, holding
from tui.screens.editor import as_document, edit_text, from_document
from tui.screens.form import WIDTH_CELLS, EditedForm
from tui.station import Right
from tui.widgets.cell import Cell
from tui.widgets.dialog import Answer, Card
from tui.widgets.lineinput import LIMIT, LineInput
from tui.widgets.textlines import TextLines

if TYPE_CHECKING:
    from tui.app import Deck

_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

Send = Callable[[dict[str, Any]], Awaitable[Outcome]]


class MendForm(EditedForm):
    """A payload to be made a job that can be read: on one line, or in the operator's own editor (Ctrl-O)."""

    def __init__(self, row: QuarantineRow, send: Send, *, editor: bool = False) -> None:
        super().__init__(f"Mend {row.key} and put it back", (), (("send", "Put back"),))
        self._reason = row.reason
        self._put_back = send
        self._editor = editor
        self._text = document_of_raw(row.raw)
        self._shown = ""

    def compose(self) -> ComposeResult:
        """Why it was set aside, the payload, the answers."""
        with Vertical(id="card"):
            yield TextLines([Cell(self._asked, "strong"), ""], id="title")
            yield TextLines([Cell(clean(self._reason, WIDTH_CELLS), "warn")])
            with Horizontal(classes="field"):
                yield TextLines(["payload "])
                yield LineInput("", '{"function": "name", "kwargs": {}, "queue": "name", "key": "key"}', id="payload")
            yield TextLines(id="wrong")
            with Horizontal(id="answers"):
                yield Answer("", "Cancel")
                yield Answer("send", self._verbs[0][1])
                yield TextLines([Cell("  Ctrl-O: in your editor", "muted")])

    def on_mount(self) -> None:
        """Fill in what there is; go to the editor at once when that was asked for."""
        super().on_mount()
        self._show_text()
        if self._editor:
            self.call_later(self.action_editor)

    def _show_text(self) -> None:
        """Show the text on the one line, as far as it goes there."""
        line = self.query_one("#payload", LineInput)
        line.value = self._shown = clean(one_line(self._text), LIMIT)

    async def edit(self) -> None:
        """Hand over the payload and take back what was saved; what can't be read stays, and is said."""
        try:
            self._text = await edit_text(self.app, self._current(), "payload.json")
            self._show_text()
            from_document(self._text)
        except QuarterdeckError as error:
            self.complain_of(error)
        else:
            self.complain("")
            self.query(Answer).last().focus()

    def _current(self) -> str:
        """The payload as it stands: what was typed on the line, else the whole text."""
        typed = self.query_one("#payload", LineInput).value
        if typed == self._shown:
            return self._text
        if self._shown != one_line(self._text):
            raise QuarterdeckError("It is longer than a line, or holds what can't be shown.", "Ctrl-O edits it.")
        return typed

    async def send(self) -> Outcome:
        """Put back what the payload has become."""
        return await self._put_back(from_document(self._current()))


def document_of_raw(raw: str) -> str:
    """A payload as one edits it: indented where it is JSON, else as it is, without what a terminal would act on."""
    try:
        return as_document(from_document(raw))
    except QuarterdeckError:
        return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", raw)


def one_line(text: str) -> str:
    """The same on one line: compact where it is JSON."""
    try:
        return json.dumps(from_document(text), ensure_ascii=False)
    except QuarterdeckError:
        return " ".join(text.split())


def entry_of(row: QuarantineRow) -> str:
    """What something set aside is called within its queue."""
    return row.id.removeprefix(f"{row.queue}/")


async def put_back(deck: Deck, rows: list[QuarantineRow]) -> None:
    """Put back what a worker can read as it is; the first one that can't be says why."""
    for row in rows:
        await _put_back(deck, row)
    deck.deck_screen.unmark()


async def _put_back(deck: Deck, row: QuarantineRow) -> None:
    await deck.perform(lambda it: it.put_back(row.queue, entry_of(row)))


async def mend(deck: Deck, row: QuarantineRow, *, editor: bool = False) -> None:
    """Open the payload in the form, with `editor` in the operator's own editor at once."""

    async def send(payload: dict[str, Any]) -> Outcome:
        return await deck.perform(lambda it: it.put_back(row.queue, entry_of(row), payload))

    with holding(deck):
        await deck.push_screen_wait(MendForm(row, send, editor=editor))


async def delete_unreadable(deck: Deck, rows: list[QuarantineRow]) -> None:
    """Delete what is marked or under the cursor, or all of these queues, into the recycle bin, after asking."""
    what = count_of(len(rows), "unreadable payload")
    queues = sorted({row.queue for row in rows})
    named = ", ".join(clean(queue, 30) for queue in queues[:3])
    verbs = (("these", f"Delete {what.partition(' ')[0]}"), ("all", f"All that can't be read in {named}"))
    lines = (*(f"{row.key}: {row.reason}" for row in rows[:3]), "They go to the recycle bin; u brings them back.")
    cells = [Cell(clean(line, 90), "muted") for line in lines]
    answer = await ask(deck, Card(f"Delete {what}?", cells, verbs, danger=True))
    if answer is None:
        return
    for queue in queues:
        entries = [entry_of(row) for row in rows if row.queue == queue] if answer.verb == "these" else []
        await _delete(deck, queue, entries)
    deck.deck_screen.unmark()


async def _delete(deck: Deck, queue: str, entries: list[str]) -> None:
    await deck.perform(lambda it: it.delete_unreadable(queue, entries), Right.ADMIN)
