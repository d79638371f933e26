"""The base of the forms: cards that send what was filled in, and stay open while it is refused."""

from __future__ import annotations

from typing import ClassVar, Final, cast

from textual import on
from textual.binding import Binding, BindingType

from quarterdeck.errors import QuarterdeckError
from quarterdeck.text import clean
from tui.screens.argumentfields import FieldError
from tui.screens.deckscreen import wrap_words
from tui.widgets.cell import Cell
from tui.widgets.dialog import Answer, Card
from tui.widgets.lineinput import LineInput
from tui.widgets.textlines import TextLines

WIDTH_CELLS: Final = 68
"""Of a line of a form; the stylesheet gives its card 76."""


class Form(Card):
    """A card with one verb. What does not fit is said, at its field where it has one, with everything still there."""

    AUTO_FOCUS: ClassVar[str] = "LineInput"

    async def send(self) -> object:
        """Send what was filled in. Raises FieldError for what a field holds, QuarterdeckError for what is refused."""
        raise TypeError(f"{type(self).__name__} does not say what it sends")

    def complain(self, text: str, field: str = "") -> None:
        """Say what is wrong, or nothing any more, and go to the field of that id."""
        lines = wrap_words(clean(text, 300), WIDTH_CELLS)
        self.query_one("#wrong", TextLines).say(*(Cell(line, "bad") for line in lines if line))
        for place in self.query(f"#{field}").results(LineInput) if field else ():
            place.focus()

    def complain_of(self, error: QuarterdeckError) -> None:
        """Say what went wrong where it did."""
        self.complain(str(error), error.field if isinstance(error, FieldError) else "")

    @on(LineInput.Submitted)
    def _on_entered(self, event: LineInput.Submitted) -> None:
        """Enter goes to the next field, and from the last one to the verb: what a form does can be undone."""
        event.stop()
        event.prevent_default()  # the card's own way of going on
        fields = list(self.query(LineInput))
        at = fields.index(cast("LineInput", event.input)) + 1
        (fields[at] if at < len(fields) else self.query(Answer).last()).focus()

    @on(Answer.Chosen)
    def _on_chosen(self, message: Answer.Chosen) -> None:
        message.stop()
        message.prevent_default()
        if message.answer.verb:
            self.run_worker(self._try(), group="sending", exclusive=True)
        else:
            self.dismiss(None)

    async def _try(self) -> None:
        """Send and close, or say what is wrong."""
        try:
            await self.send()
        except QuarterdeckError as error:
            self.complain_of(error)
        else:
            self.dismiss(None)


class EditedForm(Form):
    """A form whose text can be taken to the operator's own editor (Ctrl-O), at once with `editor`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+o", "editor", "Edit in $EDITOR", show=False, priority=True, id="form.editor")
    ]

    def action_editor(self) -> None:
        """Take it there."""
        self.run_worker(self.edit(), group="sending", exclusive=True)

    async def edit(self) -> None:
        """Hand the text over and take back what was saved."""
        raise TypeError(f"{type(self).__name__} does not say what is edited")
