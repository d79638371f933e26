"""When and for whom something is painted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from quarterdeck.model import PauseStat
from quarterdeck.text import clean, sparkline, whole_minutes
from tui.look.glyphs import UNICODE, Glyphs


@dataclass(frozen=True)
class Moment:
    """The server's time in epoch ms, the viewer's time zone, and what there is to draw with."""

    now_ms: int
    zone: tzinfo = UTC
    glyphs: Glyphs = UNICODE
    coarse: bool = False
    """The line is bad: what is drawn shall change seldom."""

    def clock_time(self, at_ms: int | None) -> str:
        """`14:03:22` in the viewer's zone; with the date when it is another day; `-` when unknown (None or 0)."""
        if not at_ms:
            return "-"
        at = datetime.fromtimestamp(at_ms / 1000, self.zone)
        today = datetime.fromtimestamp(self.now_ms / 1000, self.zone).date()
        return at.strftime("%H:%M:%S" if at.date() == today else "%m-%d %H:%M")

    def stamp(self, at_ms: int | None) -> str:
        """`2026-11-22 14:03:22 CET`, for records; `-` when unknown (None or 0)."""
        if not at_ms:
            return "-"
        return datetime.fromtimestamp(at_ms / 1000, self.zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def age_ms(self, at_ms: int | None) -> int | None:
        """How long ago something was, in ms, or None when that is not known (None or 0)."""
        return max(0, self.now_ms - at_ms) if at_ms else None

    def text(self, value: str, limit: int = 200) -> str:
        """Untrusted text as one safe line in the signs there are."""
        return self.glyphs.plain(clean(value, limit))

    def spark(self, values: Sequence[float | None], cells: int) -> str:
        """The newest values as bars, `cells` wide; coarser on a bad line."""
        return sparkline(values, cells, ascii=self.glyphs.ascii, coarse=self.coarse)

    def pause(self, pause: PauseStat) -> str:
        """`paused 41m ann`: how much longer, and by whom."""
        left = "" if pause.until_ms is None else " " + whole_minutes(pause.until_ms - self.now_ms)
        owner = f" {self.text(pause.owner, 40)}" if pause.owner else ""
        return f"paused{left}{owner}"
