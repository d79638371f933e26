"""One queue, whole."""

from __future__ import annotations

from quarterdeck import model
from quarterdeck.model import AnyDetail, QueueDetail
from tui.rendering.block import Block
from tui.rendering.details import queue_blocks
from tui.screens.deckscreen import Target
from tui.screens.detailscreen import DetailScreen


class Queue(DetailScreen):
    """A queue's state and why, its figures, who may take what from it, and what nobody takes."""

    SCREEN = model.Screen.QUEUE

    def blocks(self, detail: AnyDetail) -> list[Block]:
        """The queue as blocks."""
        return queue_blocks(detail, self.moment()) if isinstance(detail, QueueDetail) else []

    def targets(self) -> tuple[Target, ...]:
        """The queue."""
        return (self.detail.row,) if isinstance(self.detail, QueueDetail) else ()
