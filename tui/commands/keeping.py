"""How much a queue keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.errors import UsageError
from quarterdeck.model import QueueStat
from tui.commands.command import Command
from tui.station import Right

if TYPE_CHECKING:
    from tui.app import Deck

_CURE = "For instance :retention failed_age 30d, on the screen of a queue or with its name: @emails"


class Retention(Command):
    """Set how much a queue keeps: history, failed jobs, quarantine, logs, ledger."""

    id, verbs, usage = "retention", ("retention",), "[@queue] NAME VALUE|default"
    right, acts = Right.ADMIN, True

    async def run(self, deck: Deck, words: str) -> None:
        """Set bounds, after a card when something would be dropped. Raises UsageError without a queue or a pair."""
        from tui.screens.asking import ask_retention

        parts = words.split()
        queue = next((part[1:] for part in parts if part.startswith("@")), "") or _queue_here(deck)
        told = [part for part in parts if not part.startswith("@")]
        if not queue:
            raise UsageError("Which queue is meant is not clear.", _CURE)
        if not told or len(told) % 2:
            raise UsageError("A bound takes a name and a value.", _CURE)
        values = dict(zip(told[::2], told[1::2], strict=True))
        dropped = await (await deck.acting.operator()).preview_retention(queue, values)
        reason = await ask_retention(deck, queue, values, dropped) if dropped else ""
        if reason is not None:
            await deck.perform(lambda it: it.set_retention(queue, values, reason=reason), self.right)


def _queue_here(deck: Deck) -> str:
    """The queue of this screen, or the one under the cursor."""
    target = next(iter(deck.deck_screen.targets()), None)
    return deck.deck_screen.asked.queue or (target.name if isinstance(target, QueueStat) else "")


KEEPING = (Retention,)
