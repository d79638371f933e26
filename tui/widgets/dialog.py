"""Cards: what is asked before it is done. Cancel has the focus, unless there is something to be typed first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen
from textual.strip import Strip

from quarterdeck.text import cell_width, clean
from tui.look.glyphs import glyphs_of
from tui.widgets.cell import Cell
from tui.widgets.lineinput import LineInput
from tui.widgets.painted import Painted
from tui.widgets.textlines import TextLines


class Field(msgspec.Struct, frozen=True):
    """One line to be filled in. `check` returns what is wrong with a value, or an empty text."""

    key: str
    label: str
    value: str = ""
    hint: str = ""
    check: Callable[[str], str] | None = None


class Confirmed(msgspec.Struct, frozen=True):
    """The card was answered: by which verb, and with what in its fields."""

    verb: str
    values: dict[str, str]


class Answer(Painted, can_focus=True):
    """One of the answers of a card: chosen by Enter while it has the focus, or by a click."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", "Choose", show=False)]

    class Chosen(Message):
        """This answer was given."""

        def __init__(self, answer: Answer) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self, verb: str, label: str) -> None:
        super().__init__()
        self.verb = verb
        self.label = clean(label, 80)

    def get_content_width(self, container: Size, viewport: Size) -> int:  # noqa: ARG002  (Textual's signature)
        """As wide as its label in brackets."""
        return cell_width(self.label) + 2

    def render_line(self, y: int) -> Strip:
        """The label; in brackets while it has the focus, so that no colour is needed to tell."""
        text = f"[{self.label}]" if self.has_focus else f" {self.label} "
        return self.strip([(self.glyphs.plain(text) if y == 0 else "", self.style_of())], self.size.width)

    def action_choose(self) -> None:
        """Give this answer."""
        self.post_message(self.Chosen(self))

    def on_click(self, event: events.Click) -> None:
        """A click is an answer."""
        event.stop()
        self.action_choose()


class Card(ModalScreen[Confirmed | None]):
    """Asks: a title, some lines, fields where wanted, Cancel and one or more verbs.

    Dismissed with `Confirmed`, or with None when cancelled (Esc, `n`, `q`, Cancel). Where `type_this` is given its
    exact text (the count, a name) must be typed before any verb is taken. No single key confirms: the focus starts on
    Cancel, the verb is a Tab and an Enter away; on a card to `fill_in` it starts in the first field, so that a reason
    typed at once is no row of keys, and Enter leads from field to field to the verb.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "cancel", "Cancel", show=False, id="card.cancel"),
        Binding("right,down", "app.focus_next", "Next", show=False, id="card.next"),
        Binding("left,up", "app.focus_previous", "Previous", show=False, id="card.previous"),
        Binding("tab", "app.focus_next", "Next", show=False),
        Binding("shift+tab", "app.focus_previous", "Previous", show=False),
    ]
    AUTO_FOCUS: ClassVar[str] = "Answer"

    def __init__(
        self,
        title: str,
        lines: Sequence[str | Cell] = (),
        verbs: Sequence[tuple[str, str]] = (("ok", "OK"),),
        *,
        fields: Sequence[Field] = (),
        type_this: str = "",
        danger: bool = False,
        cancel: str = "Cancel",
        fill_in: bool = False,
    ) -> None:
        super().__init__(classes="danger" if danger else None)
        self._asked = clean(title, 200)
        self._said = tuple(lines)
        self._verbs = tuple(verbs)
        self._fields = tuple(fields)
        self._type_this = type_this
        self._way_out = cancel
        self._fill_in = fill_in
        if fill_in:
            self.AUTO_FOCUS = "LineInput"  # type: ignore[misc]  # Textual reads it from the screen

    def compose(self) -> ComposeResult:
        """Title and lines, fields, answers."""
        with Vertical(id="card"):
            yield TextLines([Cell(self._asked, "strong"), ""], id="title")
            yield TextLines(self._said, id="lines")
            for field in self._fields:
                with Horizontal(classes="field"):
                    yield TextLines([f"{field.label} "])
                    yield LineInput(field.value, field.hint, id=f"field-{field.key}")
            if self._type_this:
                with Horizontal(classes="field"):
                    yield TextLines([Cell(runs=(("type ", ""), (self._type_this, "strong"), (" to go on ", "")))])
                    yield LineInput(id="typed")
            yield TextLines(id="wrong")
            with Horizontal(id="answers"):
                yield Answer("", self._way_out)
                for verb, label in self._verbs:
                    yield Answer(verb, label)

    def on_mount(self) -> None:
        """Draw the border with the signs that the terminal has."""
        self.set_class(glyphs_of(self.app).ascii, "ascii")

    @property
    def text(self) -> str:
        """Title and lines as they are shown."""
        return "\n".join(lines.text for lines in self.query(TextLines))

    def say(self, *lines: str | Cell) -> None:
        """Replace the lines: an exact count has arrived."""
        self._said = lines
        if self.is_mounted:
            self.query_one("#lines", TextLines).say(*lines)

    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss(None)

    @on(Answer.Chosen)
    def _on_chosen(self, message: Answer.Chosen) -> None:
        verb = message.answer.verb
        if not verb:
            self.dismiss(None)
            return
        values = {field.key: self.query_one(f"#field-{field.key}", LineInput).value for field in self._fields}
        wrong = self._wrong(values)
        if wrong:
            self.query_one("#wrong", TextLines).say(Cell(wrong, "bad"))
            return
        self.dismiss(Confirmed(verb, values))

    def _wrong(self, values: dict[str, str]) -> str:
        """What stands against going on; the focus goes to where it can be put right."""
        if self._type_this:
            typed = self.query_one("#typed", LineInput)
            if typed.value.strip().replace(",", "") != self._type_this.replace(",", ""):  # counts are shown with commas
                typed.focus()
                return f"type {self._type_this} to go on"
        for field in self._fields:
            problem = field.check(values[field.key]) if field.check else ""
            if problem:
                self.query_one(f"#field-{field.key}", LineInput).focus()
                return f"{field.label}: {problem}"
        return ""

    @on(LineInput.Submitted)
    def _on_entered(self, event: LineInput.Submitted) -> None:
        """Enter in a field goes to the next thing, and never confirms by itself."""
        event.stop()
        inputs = list(self.query(LineInput))
        if self._fill_in and event.input is inputs[-1]:
            self.query(Answer)[1].focus()
        else:
            self.focus_next()
