"""`?`: the keys of the screen one is on, made from the command classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.commands.table import keys_of
from tui.screens.record import Record
from tui.widgets.doclines import DocLine, section

if TYPE_CHECKING:
    from tui.app import Deck


def help_lines(deck: Deck) -> list[DocLine]:
    """What can be done here, then everything else that there is."""
    here, elsewhere, typed = [], [], []
    remapped = deck.station.keys
    for command in deck.commands.values():
        key = keys_of(type(command), remapped)
        verb = f":{command.verbs[0]} {command.usage}".rstrip() if command.verbs else ""
        line = DocLine(f"{key:<18} {command.help():<58} {verb}".rstrip())
        if not key:
            typed.append(DocLine(f"{verb:<40} {command.help()}"))
        elif deck.available(command):
            here.append(line)
        else:
            elsewhere.append(line)
    return [
        *section(f"keys on {deck.deck_screen.SCREEN}", here),
        *section("only typed", typed),
        *section("on other screens, or not allowed here", elsewhere, folded=True),
    ]


async def show_help(deck: Deck) -> None:
    """Open the page."""
    await deck.push_screen(Record("help", help_lines(deck), deck.deck_screen.asked))
