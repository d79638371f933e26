"""Acts that need nothing under the cursor: enqueue, undo, notes, the demo's traffic."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, ClassVar

from quarterdeck.errors import UsageError
from tui.commands.command import Command
from tui.line import turn_mouse
from tui.station import Right

if TYPE_CHECKING:
    from tui.app import Deck


class Enqueue(Command):
    """Enqueue a job: functions complete, arguments are checked."""

    id, keys, verbs, label, usage = "enqueue", "e", ("enqueue",), "new", "[FUNCTION] [@queue] [name=value ...]"
    right, acts = Right.OPERATE, True

    async def run(self, deck: Deck, words: str) -> None:
        """Open the form, filled in with what was typed."""
        from tui.screens.enqueuing import enqueue

        await enqueue(deck, words)


class Undo(Command):
    """Undo your newest act that can be undone."""

    id, keys, verbs, usage = "undo", "u", ("undo",), "[ID]"
    right, acts = Right.RETRY, True

    async def run(self, deck: Deck, words: str) -> None:
        """Undo an act by its id, the act under the cursor on the audit, or one's own newest."""
        from quarterdeck.model import AuditRow, BinRow

        target = next(iter(deck.deck_screen.targets()), None)
        act = words
        if not act and isinstance(target, AuditRow):
            act = target.undo
            if not act:
                raise UsageError(f"'{target.verb}' can't be undone.")
        elif not act and isinstance(target, BinRow):
            act = target.act
        await deck.perform(lambda it: it.undo(act), Right.RETRY)


class Note(Command):
    """Add a line to the audit, for the others."""

    id, verbs, usage = "note", ("note",), "TEXT"
    right, acts = Right.RETRY, True

    async def run(self, deck: Deck, words: str) -> None:
        """Take it from the command line, or ask for it."""
        from tui.screens.asking import ask_text

        text = words or await ask_text(deck, "A note for the others", "note", yes="Add")
        if text:
            await deck.perform(lambda it: it.note(text), Right.RETRY)


class Incident(Command):
    """Write an incident note: what was seen and done, as Markdown, to a file."""

    id, verbs, usage = "incident", ("incident",), "[FILE]"

    async def run(self, deck: Deck, words: str) -> None:
        """Collect it from the newest snapshots and acts."""
        from tui.screens.incident import write_incident

        await write_incident(deck, words)


class SaveView(Command):
    """Save what is shown as text to a file."""

    id, verbs, usage = "save", ("save",), "[FILE]"

    async def run(self, deck: Deck, words: str) -> None:
        """Write the document or the log, masked and clean."""
        from tui.screens.incident import save_shown

        await save_shown(deck, words)


class Traffic(Command):
    """The demo's traffic: up, down, off."""

    id, usage = "traffic", "up|down|off"
    verbs: ClassVar[tuple[str, ...]] = ("traffic",)
    right, acts = Right.OPERATE, True
    word: ClassVar[str] = ""

    def offered(self, deck: Deck) -> bool:
        """In the demo."""
        return deck.station.demo

    async def run(self, deck: Deck, words: str) -> None:
        """Turn it."""
        command = words or self.word
        if command not in {"up", "down", "off", "on"}:
            raise UsageError("The traffic goes up, down or off.", "For instance :traffic up")
        await deck.perform(lambda it: it.traffic(command))


class TrafficUp(Traffic):
    """The demo's traffic: more."""

    id, keys, shown, word = "traffic.up", "plus", "+", "up"
    verbs = ()


class TrafficDown(Traffic):
    """The demo's traffic: less."""

    id, keys, shown, word = "traffic.down", "minus", "-", "down"
    verbs = ()


class TrafficOff(Traffic):
    """The demo's traffic: off."""

    id, keys, shown, word = "traffic.off", "underscore", "_", "off"
    verbs = ()


class Mouse(Command):
    """The mouse on or off; off, the terminal can select text."""

    id, keys, verbs = "mouse", "M", ("mouse",)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Turn it."""
        deck.say(turn_mouse(deck.driver))


class Suspend(Command):
    """Suspend: back to the shell for a while; `fg` comes back here."""

    id, verbs = "suspend", ("suspend",)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Stop as Ctrl-Z stops other programs. Raises UsageError where no shell could bring it back."""
        if os.getpgrp() == os.getsid(0):
            raise UsageError("No shell with job control started the deck: there is nothing to go back to.")
        deck.action_suspend_process()


DECK_ACTS = (Enqueue, Undo, Note, Incident, SaveView, Traffic, TrafficUp, TrafficDown, TrafficOff, Mouse, Suspend)
