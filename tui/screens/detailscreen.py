"""The base of the screens that show one thing whole."""

from __future__ import annotations

from textual.app import ComposeResult

from quarterdeck.model import AnyDetail, Snapshot, View
from tui.rendering.block import Block, document_of
from tui.screens.deckscreen import DeckScreen
from tui.widgets.document import Document


class DetailScreen(DeckScreen):
    """One document that is updated in place; subclasses say what its blocks are."""

    def __init__(self, view: View) -> None:
        super().__init__(view)
        self.detail: AnyDetail | None = None
        """What was last read of it; None while nothing was, or when it is gone."""

    def compose_body(self) -> ComposeResult:
        """The document alone."""
        yield Document(id="document")

    def blocks(self, detail: AnyDetail) -> list[Block]:
        """The detail as blocks."""
        raise TypeError(f"{type(self).__name__} does not say what it shows: {detail!r:.80}")

    def show(self, snapshot: Snapshot) -> None:
        """Update the document; where the thing is gone, say so and keep what was known."""
        if snapshot.detail is not None:
            self.detail = snapshot.detail
            self.query_one(Document).show(document_of(self.blocks(snapshot.detail)))
        elif self.detail is None:
            self.query_one(Document).show_text(f"There is no {self.SCREEN} {self.asked.subject} any more.")

    def flags(self) -> list[tuple[str, str]]:
        """Say when what is shown is gone."""
        snapshot = self.deck.snapshot
        gone = snapshot is not None and self.answers(snapshot) and snapshot.detail is None
        return [*super().flags(), *([("gone", "warn")] if gone else [])]

    def place(self) -> str:
        """`job e7`."""
        return f"{self.SCREEN} {self.moment().text(self.asked.subject or '', 60)}"

    def copied(self) -> str:
        """The whole document."""
        return self.query_one(Document).text()
