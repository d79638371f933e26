"""The `[keys]` table of the settings: which ids can be remapped, and what is said of one that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from textual.binding import Binding

from quarterdeck.errors import SettingsError
from quarterdeck.settings import Settings, nearest
from tui.commands import COMMANDS
from tui.widgets.dialog import Card
from tui.widgets.document import Document
from tui.widgets.grid import Grid
from tui.widgets.log_tail import LogTail

_ALT: Final = re.compile(r"(?:^|,)\s*alt\+[^,+]\s*(?:,|$)")


def remappable() -> set[str]:
    """The ids of all commands that have a key, and of the keys that belong to a kind of widget."""
    return {command.id for command in COMMANDS} | set(_of_widgets())


def _of_widgets() -> Iterator[str]:
    for widget in (Grid, LogTail, Document, Card):
        for binding in widget.BINDINGS:
            if isinstance(binding, Binding) and binding.id:
                yield binding.id


def remapped(settings: Settings) -> dict[str, str]:
    """The keys that the settings remap, by id.

    Raises `SettingsError` for an id that nothing has, and for Alt with a character: a terminal sends that as Escape and
    the character.
    """
    known = remappable()
    place = ", ".join(settings.files) or "the settings"
    for name, keys in settings.keys.items():
        if name not in known:
            raise SettingsError(f"{place}: 'keys.{name}' is no command's id.", nearest(name, known))
        if _ALT.search(keys):
            why = f"{place}: 'keys.{name}' is {keys!r}, which can't be told from Escape and another key."
            raise SettingsError(why, "Choose a key without Alt.")
    return dict(settings.keys)
