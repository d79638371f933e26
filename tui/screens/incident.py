"""Writing files: the incident note, and what a screen shows."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.model import BulkRow, Screen, View
from tui.rendering.incident import incident_note

if TYPE_CHECKING:
    from tui.app import Deck


BULKS: Final = 100
"""Bulk operations that a note tells of at most, the newest."""


async def write_incident(deck: Deck, words: str) -> None:
    """Write what is seen and was done to a Markdown file, by default named after the moment."""
    snapshot = await deck.read(View())
    deck.sightings.notice(snapshot)
    seen = deck.sightings.groups()
    page = (await deck.read(View(screen=Screen.BULKS, limit=BULKS))).page
    bulks = [row for row in page.rows if isinstance(row, BulkRow)] if page is not None else []
    text = incident_note(deck.station.name, snapshot, deck.acting.outcomes, deck.moment(), seen, bulks)
    _write(deck, words or f"incident-{_stamp(deck)}.md", text)


async def save_shown(deck: Deck, words: str) -> None:
    """Write the document, log or row that is shown to a file."""
    text = deck.deck_screen.copied()
    if not text:
        raise UsageError("There is nothing to save here.")
    _write(deck, words or f"{deck.deck_screen.SCREEN}-{_stamp(deck)}.txt", text + "\n")


def _stamp(deck: Deck) -> str:
    at = datetime.fromtimestamp(deck.clock.now_ms() / 1000, deck.station.zone)
    return at.strftime("%Y%m%d-%H%M%S")


def _write(deck: Deck, name: str, text: str) -> None:
    """Write a new file, readable by its owner alone: payloads may hold what others should not read."""
    path = Path(name).expanduser()
    path = path if path.is_absolute() else deck.station.notes / path
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text, encoding="utf-8")
    except FileExistsError:
        raise UsageError(f"{path.name} exists already.", "Name another file.") from None
    except OSError as error:
        raise QuarterdeckError(f"{path} can't be written: {error.strerror}.") from error
    deck.say(f"Wrote {path.name} in {path.parent}", "ok")
