"""The form that adds a schedule or changes one; what its expression means follows as one types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from quarterdeck.errors import UsageError
from quarterdeck.model import Outcome, ScheduleRow
from tui.rendering.moment import Moment
from tui.screens.argumentfields import FieldError, json_document
from tui.screens.asking import holding
from tui.screens.form import Form
from tui.screens.sandbox import expression_lines
from tui.widgets.cell import Cell
from tui.widgets.dialog import Answer
from tui.widgets.lineinput import LineInput
from tui.widgets.textlines import TextLines

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tui.app import Deck

_LABEL_CELLS: Final = 12
_MEANING_LINES: Final = 3
_FIELDS: Final = (
    ("name", "name", "what it is called"),
    ("queue", "queue", "where its jobs go"),
    ("expression", "cron", "*/15 * * * *"),
    ("tz", "zone", "UTC"),
    ("function", "function", "what it runs"),
    ("arguments", "arguments", '{"name": value} as JSON'),
    ("overlap", "overlap", "skip, queue, allow or cancel"),
    ("catch_up", "catch up", "latest, none or all"),
    ("description", "for", "what it is good for"),
)
"""Field, its label, and what is said while it is empty."""


class ScheduleForm(Form):
    """A line for each field. `save` is awaited with all of them; when it raises, the form stays open and says why."""

    def __init__(
        self,
        title: str,
        values: dict[str, str],
        moment: Moment,
        save: Callable[[dict[str, str]], Awaitable[Outcome]],
        *,
        fixed: tuple[str, ...] = (),
    ) -> None:
        super().__init__(title, (), (("save", "Save"),))
        self._values = values
        self._moment = moment
        self._save = save
        self._fixed = fixed

    def compose(self) -> ComposeResult:
        """The fields that can be changed, what the expression means, the answers."""
        with Vertical(id="card"):
            yield TextLines([Cell(self._asked, "strong"), ""], id="title")
            for field, label, hint in _FIELDS:
                if field not in self._fixed:
                    with Horizontal(classes="field"):
                        yield TextLines([f"{label:<{_LABEL_CELLS}} "])
                        yield LineInput(self._values.get(field, ""), hint, id=field)
            yield TextLines(id="meaning")
            yield TextLines(id="wrong")
            with Horizontal(id="answers"):
                yield Answer("", "Cancel")
                yield Answer("save", "Save")

    def on_mount(self) -> None:
        """Say what the expression means that it begins with."""
        super().on_mount()
        self._tell()

    def typed(self) -> dict[str, str]:
        """Field → what stands in it, without spaces around it."""
        return {str(field.id): field.value.strip() for field in self.query(LineInput)}

    @on(LineInput.Changed, "#expression, #tz")
    def _tell(self) -> None:
        typed = self.typed()
        lines = expression_lines(typed["expression"], typed["tz"] or "UTC", self._moment)
        self.query_one("#meaning", TextLines).say(*lines[:_MEANING_LINES])

    async def send(self) -> Outcome:
        """Save what stands in the fields."""
        return await self._save(self.typed())


def fields_of(typed: dict[str, str]) -> dict[str, Any]:
    """The typed lines as fields of a schedule; empty ones are left out. Raises FieldError."""
    for needed in ("name", "expression", "function"):
        if needed in typed and not typed[needed]:
            raise FieldError(f"Name the {needed}.", needed)
    fields: dict[str, Any] = {name: value for name, value in typed.items() if value and name != "queue"}
    if "arguments" in fields:
        try:
            fields["arguments"] = json_document(fields["arguments"])
        except FieldError as error:
            raise FieldError(error.message, "arguments") from None
    return fields


async def add_schedule(deck: Deck) -> None:
    """Open an empty form."""

    async def save(typed: dict[str, str]) -> Outcome:
        fields = fields_of(typed)
        if not typed["queue"]:
            raise FieldError("Name the queue.", "queue")
        return await deck.perform(lambda it: it.add_schedule(typed["queue"], fields))

    queue = deck.deck_screen.asked.queue or (deck.snapshot.queues[0].name if deck.snapshot else "")
    form = ScheduleForm("Add a schedule", {"queue": queue, "tz": "UTC"}, deck.moment(), save)
    with holding(deck):
        await deck.push_screen_wait(form)


async def edit_schedule(deck: Deck, row: ScheduleRow) -> None:
    """Open the form with what the schedule is; only what was changed is sent."""
    if row.origin == "stock":
        raise UsageError(f"{row.name} is a stock SAQ cron: it can be paused, not changed.")
    before = {
        "expression": row.expression,
        "tz": row.tz,
        "function": row.function,
        "arguments": row.arguments if row.arguments not in {"", "{}", "null"} else "",
        "overlap": row.overlap,
        "catch_up": row.catch_up,
        "description": row.description,
    }

    async def save(typed: dict[str, str]) -> Outcome:
        changed = {name: value for name, value in typed.items() if value != before[name]}
        if not changed:
            raise UsageError("Nothing was changed.")
        return await deck.perform(lambda it: it.edit_schedule(row.queue, row.name, fields_of(changed)))

    form = ScheduleForm(f"Change the schedule {row.name}", before, deck.moment(), save, fixed=("name", "queue"))
    with holding(deck):
        await deck.push_screen_wait(form)
