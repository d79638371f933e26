"""Moving about: back, out, help, the past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tui.commands.command import Command

if TYPE_CHECKING:
    from tui.app import Deck

MINUTE_S: Final = 60
LITTLE_S: Final = 5
"""The two steps through the past, seconds."""

_GOES_ON: Final = ("Workers and schedules go on without it.",)
_ENDS: Final = ("The embedded server ends with the last dashboard.", "What is queued will be there next time.")


class Open(Command):
    """Open what is under the cursor."""

    id, keys, shown, by_widget = "grid.open", "enter", "Enter", True


class Back(Command):
    """Back; takes off marks and filters first."""

    id, keys, shown = "back", "escape", "Esc"

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Leave what is on top; at the root there is nowhere to go."""
        if not deck.deck_screen.step_back():
            await deck.back()


class Leave(Command):
    """Back; at the root quits after asking."""

    id, keys, verbs = "leave", "q", ("q", "quit")

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Leave what is on top, or the dashboard."""
        if await deck.back():
            return
        from tui.screens.asking import confirm

        if await confirm(deck, "Leave the deck?", *(_ENDS if deck.station.embedded else _GOES_ON), yes="Quit"):
            deck.exit()


class Quit(Command):
    """Quit at once."""

    id, keys, shown, verbs, priority = "quit", "ctrl+c", "Ctrl-C", ("q!", "quit!"), True

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Leave, whatever is on top."""
        deck.exit()


class Repaint(Command):
    """Paint the whole screen again."""

    id, keys, shown, verbs = "repaint", "ctrl+l", "Ctrl-L", ("repaint",)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Lay out and paint again. (Ctrl-L has our driver send every cell, before the app sees the key.)"""
        deck.refresh(repaint=True, layout=True)


class Freeze(Command):
    """Freeze the screen, and thaw it."""

    id, keys, verbs = "freeze", "p", ("freeze",)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Read only when something is asked for."""
        deck.playback.freeze(not deck.playback.frozen)


class Earlier(Command):
    """The past: a minute back."""

    id, keys, shown, verbs, usage = "past.earlier", "less_than_sign", "<", ("past",), "[5m|30s|03:04]"

    async def run(self, deck: Deck, words: str) -> None:
        """Go back in time by a minute, by as long as typed, or to the moment that was typed."""
        from tui.screens.asking import past_moment

        if words:
            deck.playback.look_back(past_moment(words, deck.clock.now_ms(), deck.station.zone))
        else:
            deck.playback.scrub(-MINUTE_S)


class Later(Command):
    """The past: a minute on."""

    id, keys, shown = "past.later", "greater_than_sign", ">"

    def offered(self, deck: Deck) -> bool:
        """Only in the past is there a later."""
        return deck.playback.past_ms is not None

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Go on in time by a minute."""
        deck.playback.scrub(MINUTE_S)


class LittleEarlier(Command):
    """The past: a few seconds back."""

    id, keys, shown = "past.little-earlier", "comma", ","

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Go back by a small step: the last minutes were recorded with every refresh."""
        deck.playback.scrub(-LITTLE_S)


class LittleLater(Later):
    """The past: a few seconds on."""

    id, keys, shown = "past.little-later", "full_stop", "."

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Go on by a small step."""
        deck.playback.scrub(LITTLE_S)


class Now(Command):
    """The past: come back to now."""

    id, keys, shown, label, verbs = "past.now", "equals_sign", "=", "now", ("now",)

    def offered(self, deck: Deck) -> bool:
        """Only in the past."""
        return deck.playback.past_ms is not None

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Leave the past."""
        deck.playback.scrub(None)


MOVES = (Open, Back, Leave, Quit, Repaint, Freeze, Earlier, Later, LittleEarlier, LittleLater, Now)
