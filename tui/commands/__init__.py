"""The commands: everything that a key or a word on the command line can do, one class each."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from quarterdeck.errors import UsageError
from tui.commands.command import Command
from tui.commands.deckacts import DECK_ACTS
from tui.commands.going import SCREENS
from tui.commands.jobacts import JOB_ACTS
from tui.commands.keeping import KEEPING
from tui.commands.looking import LOOKS
from tui.commands.moving import MOVES
from tui.commands.pausing import PAUSES
from tui.commands.turning import TURNS

COMMANDS: Final[tuple[type[Command], ...]] = (
    *SCREENS,
    *MOVES,
    *DECK_ACTS,
    *JOB_ACTS,
    *PAUSES,
    *KEEPING,
    *TURNS,
    *LOOKS,
)
"""All commands, in the order of the help screen."""

_BY_VERB: Final = {verb: command for command in COMMANDS for verb in command.verbs}


def command_named(word: str) -> type[Command]:
    """The command of a word on the command line; an unambiguous beginning will do. Raises UsageError."""
    if word in _BY_VERB:
        return _BY_VERB[word]
    begun = {_BY_VERB[verb] for verb in _BY_VERB if verb.startswith(word)}
    if len(begun) == 1:
        return begun.pop()
    close = get_close_matches(word, _BY_VERB, 1)
    cure = f"Did you mean :{close[0]}?" if close else "Tab completes, ? lists the keys."
    raise UsageError(f"There is no command :{word[:40]}.", cure)


__all__ = ["COMMANDS", "Command", "command_named"]
