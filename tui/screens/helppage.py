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
    here: list[DocLine] = []
    elsewhere: list[DocLine] = []
    typed: list[DocLine] = []
    for command in deck.commands.values():
        key = keys_of(type(command), deck.station.keys)
        if command.verbs:
            typed.append(DocLine(f":{command.verbs[0]:<14} {command.usage:<32} {command.help()}"))
        if key:
            line = DocLine(f"{key:<16} {command.help()}")
            (here if deck.available(command) else elsewhere).append(line)
    return [
        *section(f"keys on {deck.deck_screen.SCREEN}", here),
        *section("keys of other screens, or not allowed here", elsewhere, folded=True),
        *section("on the command line, after :", typed, folded=True),
    ]


async def show_help(deck: Deck) -> None:
    """Open the page."""
    await deck.push_screen(Record("help", help_lines(deck), deck.deck_screen.asked))
