"""The last runs of a schedule or the attempts of a job as a strip of signs: `✓✓✗✓–▶`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tui.look.glyphs import Glyphs
from tui.widgets.cell import Cell

_STYLES: Final = {
    "ok": "muted",
    "complete": "muted",
    "completed": "muted",
    "ran": "muted",
    "bad": "bad",
    "failed": "bad",
    "aborted": "warn",
    "late": "warn",
    "skipped": "warn",
    "missed": "warn",
    "running": "busy",
    "active": "busy",
    "paused": "paused",
    "queued": "wait",
    "scheduled": "wait",
}


def outcome_sign(outcome: str, glyphs: Glyphs) -> str:
    """The sign of an outcome, by SAQ's word or the ledger's, in any case; `?` for one that is not known."""
    signs = {
        "ok": glyphs.ok,
        "complete": glyphs.ok,
        "completed": glyphs.ok,
        "ran": glyphs.ok,
        "bad": glyphs.bad,
        "failed": glyphs.bad,
        "aborted": glyphs.bad,
        "late": glyphs.late,
        "skipped": glyphs.skipped,
        "missed": glyphs.skipped,
        "running": glyphs.running,
        "active": glyphs.running,
        "paused": glyphs.paused,
        "queued": glyphs.waiting,
        "scheduled": glyphs.waiting,
    }
    return signs.get(outcome.lower(), glyphs.unknown)


def outcome_style(outcome: str) -> str:
    """The style of an outcome; what went well is muted, so that a strip of successes does not shout."""
    return _STYLES.get(outcome.lower(), "muted")


def run_history(outcomes: Iterable[str], width: int, glyphs: Glyphs) -> Cell:
    """Return the newest outcomes (given oldest first) as a cell of at most `width` signs, the newest at the right."""
    newest = list(outcomes)[-width:] if width > 0 else []
    return Cell(runs=tuple((outcome_sign(outcome, glyphs), outcome_style(outcome)) for outcome in newest))
