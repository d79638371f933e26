"""The schedules of the next hours on one line each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from quarterdeck.errors import QuarterdeckError
from quarterdeck.model import ScheduleRow
from tui.rendering.block import doc_line
from tui.rendering.timeline import HOURS, timeline_lines
from tui.screens.record import Record

if TYPE_CHECKING:
    from tui.app import Deck

_MOST_FIRES = 2_000


async def show_timeline(deck: Deck) -> None:
    """Read all schedules and show when they fire."""
    snapshot = await deck.read(replace(deck.deck_screen.asked, offset=0, limit=200))
    rows = snapshot.page.rows if snapshot.page is not None else snapshot.schedules
    moment = deck.moment()
    fires = {row.name: fires_of(row, moment.now_ms) for row in rows if isinstance(row, ScheduleRow)}
    lines = [doc_line(runs) for runs in timeline_lines(fires, moment, deck.size.width - 2)]
    await deck.push_screen(Record(f"the next {HOURS} hours", lines, deck.deck_screen.asked))


def fires_of(row: ScheduleRow, now_ms: int) -> list[int]:
    """When a schedule fires within the next hours, epoch ms; nothing while it is broken or paused for all of them."""
    from quarterdeck.schedule.expression import parse
    from quarterdeck.schedule.saq_cron import from_saq
    from quarterdeck.schedule.zones import zone

    if row.broken or (row.paused is not None and row.paused.until_ms is None):
        return []
    start = datetime.fromtimestamp(now_ms / 1000, UTC)
    try:
        read = from_saq if row.origin == "stock" else parse
        found = read(row.expression).between(start, start + timedelta(hours=HOURS), zone(row.tz), limit=_MOST_FIRES)
    except QuarterdeckError:
        return [row.next_ms] if row.next_ms else []
    until_ms = (row.paused.until_ms or 0) if row.paused is not None else 0
    return [at for fire in found if (at := int(fire.timestamp() * 1000)) >= until_ms]
