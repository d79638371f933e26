"""The keys as a table, for the README and the help screen: there is no second list of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tui.commands import COMMANDS
from tui.commands.command import Command


def keys_of(command: type[Command], remapped: Mapping[str, str] | None = None) -> str:
    """The keys of a command as one writes them for people, or an empty text."""
    if remapped and command.id in remapped:
        return remapped[command.id]
    return command.shown or command.keys


def table(commands: Iterable[type[Command]] = COMMANDS) -> str:
    """The keys table in Markdown: key, what it does, the same on the command line."""
    lines = ["| Key | Does | On the command line |", "| --- | --- | --- |"]
    for command in commands:
        key = keys_of(command)
        verb = f":{command.verbs[0]} {command.usage}".rstrip() if command.verbs else ""
        cells = (f"`{key}`" if key else "", command.help(), f"`{verb}`" if verb else "")
        # A bar inside a cell, as in `up|down`, would begin a new one.
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)
