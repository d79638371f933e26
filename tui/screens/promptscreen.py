"""The part of a screen that asks at its foot: the command line and the filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.screen import Screen
from textual.widget import Widget

from quarterdeck.errors import QuarterdeckError
from quarterdeck.model import View

if TYPE_CHECKING:
    from tui.app import Deck
    from tui.widgets.prompt import Prompt


class PromptScreen(Screen[None]):
    """A screen with a prompt above its last lines, made when it is first asked for."""

    FILTERED: ClassVar[bool] = False
    """Whether `/` takes the grammar of filters here; else it searches for a text."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self.asked = view
        """What the operator asked for."""
        self.asked_from: Widget | None = None
        """What had the focus when a prompt was opened."""

    @property
    def deck(self) -> Deck:
        """The app, as what it is."""
        return cast("Deck", self.app)

    async def ask_command(self, start: str = "") -> None:
        """Open the command line with a text to start from."""
        await self.prompt("command", start)

    async def ask_filter(self) -> None:
        """Open the filter with what is in force."""
        await self.prompt("filter", self.asked.filter)

    async def prompt(self, kind: str, start: str) -> None:
        """Open the `command` line or the `filter` at the foot."""
        from tui.screens.prompts import prompt_for
        from tui.widgets.prompt import Prompt

        prompt = next(iter(self.query(f"#{kind}-prompt").results(Prompt)), None)
        if prompt is None:
            prompt = prompt_for(self.deck, kind, filtered=self.FILTERED)
            await self.mount(prompt, before="#foot")
        if self.focused is not None and prompt not in self.focused.ancestors:
            self.asked_from = self.focused
        prompt.ask(start)

    def filter_by(self, text: str) -> None:
        """Show only what matches. Raises UsageError where the filter can't be read."""
        if text and self.FILTERED:
            from quarterdeck.inspect.filter import parse_filter

            parse_filter(text)
        self.narrow(text)

    def narrow(self, text: str) -> None:
        """Show only what matches; for lists, documents and logs."""

    async def on_prompt_submitted(self, message: Prompt.Submitted) -> None:
        """Do what was entered; what can't be done is said there, and the prompt stays open."""
        message.stop()
        prompt = message.prompt
        try:
            if prompt.id == "command-prompt":
                prompt.close()
                self.refocus()  # before it is obeyed: a verb is for what is under the cursor there
                await self.deck.obey(message.text)
            else:
                self.filter_by(message.text)
                prompt.close()
                self.refocus()
        except QuarterdeckError as error:
            prompt.ask(message.text)
            prompt.complain(str(error))

    def on_prompt_cancelled(self, message: Prompt.Submitted) -> None:
        """Esc: back to the list."""
        message.stop()
        self.refocus()

    def refocus(self) -> None:
        """Give the focus back after a prompt: to what had it, else to the first list or document."""
        for widget in (self.asked_from, *self.query("Grid, LogTail, Document")):
            if widget is not None and widget.is_attached and widget.can_focus and widget.display:
                self.set_focus(widget)
                return
