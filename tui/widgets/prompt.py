"""One-line prompts at the foot of the screen: the command line and the filter, with completion and history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget

from quarterdeck.text import fit
from tui.widgets.cell import Cell
from tui.widgets.lineinput import LineInput
from tui.widgets.textlines import TextLines

_SHOWN = 8
_WORD_CELLS = 24


class Completion(msgspec.Struct, frozen=True):
    """What could be typed: the whole line as it would read, the word to show, and what it means."""

    line: str
    word: str
    meaning: str = ""


Completer = Callable[[str], Sequence[Completion]]
"""From what was typed up to the cursor to what it could become, best first. Called on each key: no waiting in it."""


class History:
    """What was entered before, newest last, bounded and without repetitions."""

    def __init__(self, most: int = 100) -> None:
        self.lines: list[str] = []
        self._most = most

    def add(self, line: str) -> None:
        """Remember a line as the newest."""
        if line:
            self.lines = [*(old for old in self.lines if old != line), line][-self._most :]


class Prompt(Widget):
    """A sign, an input and a list of completions above it. Not there until `ask`; gone with Enter or Esc.

    Tab completes (again: the next one), Up and Down walk through the completions, or through the history while there
    are none.
    """

    SIGIL: ClassVar[str] = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="prompt.cancel"),
        Binding("tab", "complete(1)", "Complete", show=False, priority=True, id="prompt.complete"),
        Binding("shift+tab", "complete(-1)", "Complete", show=False, priority=True, id="prompt.complete_back"),
        Binding("down", "walk(1)", "Next", show=False, id="prompt.next"),
        Binding("up", "walk(-1)", "Previous", show=False, id="prompt.previous"),
    ]

    class Submitted(Message):
        """A line was entered."""

        def __init__(self, prompt: Prompt, text: str) -> None:
            super().__init__()
            self.prompt = prompt
            self.text = text

        @property
        def control(self) -> Prompt:
            """The prompt, for `@on(..., "#selector")`."""
            return self.prompt

    class Changed(Submitted):
        """What is typed changed; for filters that apply as one types."""

    class Cancelled(Submitted):
        """Esc: nothing was entered. `text` is what had been typed."""

    def __init__(
        self,
        *,
        completer: Completer | None = None,
        history: History | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.display = False
        self.completer = completer
        self.history = history if history is not None else History()
        self._offers: tuple[Completion, ...] = ()
        self._chosen: int | None = None
        self._past: int | None = None
        self._typed = ""

    def compose(self) -> ComposeResult:
        """The completions, and the line under them."""
        yield TextLines(id="completions")
        with Horizontal(classes="line"):
            yield TextLines([self.SIGIL], classes="sigil")
            yield LineInput()

    @property
    def input(self) -> LineInput:
        """The input itself."""
        return self.query_one(LineInput)

    @property
    def value(self) -> str:
        """What is typed."""
        return self.input.value

    def ask(self, value: str = "", placeholder: str = "") -> None:
        """Open with a text to start from, and take the focus."""
        self.display = True
        self._past = None
        self.input.placeholder = placeholder
        self._set(value)
        self._typed = self.value
        self._offer()
        self.input.focus()

    def complain(self, text: str) -> None:
        """Say under the cursor's nose why what was entered can't be; the prompt stays open."""
        self.query_one("#completions", TextLines).say(Cell(f"  {text}", "bad"))

    def close(self) -> None:
        """Go away, leaving the focus to the screen."""
        self.display = False
        if self.input.has_focus:
            self.screen.set_focus(None)

    # Inside.

    def _set(self, value: str) -> None:
        """Put a text into the input without it counting as typed."""
        if value == self.input.value:
            return
        with self.input.prevent(LineInput.Changed):
            self.input.value = value
        self.input.cursor_position = len(value)
        self.post_message(self.Changed(self, value))

    @on(LineInput.Changed)
    def _on_typed(self, event: LineInput.Changed) -> None:
        event.stop()
        self._typed, self._past = event.value, None
        self._offer()
        self.post_message(self.Changed(self, event.value))

    @on(LineInput.Submitted)
    def _on_entered(self, event: LineInput.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        self.history.add(text)
        self.post_message(self.Submitted(self, text))

    def action_cancel(self) -> None:
        """Close without entering anything."""
        text = self.value
        self.close()
        self.post_message(self.Cancelled(self, text))

    def action_complete(self, step: int) -> None:
        """Take the next completion."""
        if self._offers:
            self._choose(step)

    def action_walk(self, step: int) -> None:
        """Walk through the completions, or through the history while nothing has been typed."""
        if self._offers and self._typed and self._past is None:
            self._choose(step)
            return
        lines = self.history.lines
        at = (len(lines) if self._past is None else self._past) + step
        if not lines or at < 0:
            return
        self._past = at if at < len(lines) else None
        self._set(lines[at] if at < len(lines) else self._typed)

    def _choose(self, step: int) -> None:
        """Put a completion into the input; the last one is followed by what was typed."""
        at = -1 if self._chosen is None else self._chosen
        if self._chosen is None and step < 0:
            at = len(self._offers)
        at += step
        self._chosen = at if 0 <= at < len(self._offers) else None
        self._set(self._typed if self._chosen is None else self._offers[self._chosen].line)
        self._list()

    def _offer(self) -> None:
        """Find the completions of what is typed."""
        self._offers = tuple(self.completer(self._typed)) if self.completer else ()
        self._chosen = None
        self._list()

    def _list(self) -> None:
        """Paint the completions about the chosen one."""
        first = max(0, min((self._chosen or 0) - _SHOWN // 2, len(self._offers) - _SHOWN))
        lines = []
        for at, offer in enumerate(self._offers[first : first + _SHOWN], first):
            style = "cursor" if at == self._chosen else ""
            lines.append(Cell(runs=((f"  {fit(offer.word, _WORD_CELLS)} ", style), (offer.meaning, "muted"))))
        self.query_one("#completions", TextLines).say(*lines)


class CommandLine(Prompt):
    """`:` and a command."""

    SIGIL = ":"


class FilterLine(Prompt):
    """`/` and what the rows must be like."""

    SIGIL = "/"
