"""A one-line input that holds plain, clean text."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from quarterdeck.text import clean

LIMIT = 4_096
"""Characters that can be typed or pasted."""


class LineInput(Input):
    """Textual's input, with what is pasted made clean and a cursor that does not blink: that would be bytes."""

    def __init__(
        self,
        value: str = "",
        placeholder: str = "",
        *,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
    ) -> None:
        super().__init__(
            clean(value, LIMIT),
            clean(placeholder, 200),
            id=id,
            classes=classes,
            compact=True,
            max_length=LIMIT,
            select_on_focus=False,
        )
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        """Take the first line of what is pasted, without anything that is not text."""
        event.stop()
        event.prevent_default()
        line = event.text.strip("\r\n").partition("\n")[0].removesuffix("\r")
        self.insert_text_at_cursor(clean(line, LIMIT))
