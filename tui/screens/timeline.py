"""The schedules of the next hours on one line each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from quarterdeck.errors import QuarterdeckError
from quarterdeck.model import ScheduleRow
from tui.rendering.block import doc_line
from tui.rendering.timeline import HOURS, MOST_TOLD, SPAN_MS, cells_of, timeline_lines
from tui.screens.record import Record

if TYPE_CHECKING:
    from tui.app import Deck


async def show_timeline(deck: Deck) -> None:
    """Read all schedules and show when they fire."""
    snapshot = await deck.read(replace(deck.deck_screen.asked, offset=0, limit=200))
    rows = snapshot.page.rows if snapshot.page is not None else snapshot.schedules
    moment, width = deck.moment(), deck.size.width - 2
    timed = [row for row in rows if isinstance(row, ScheduleRow)]
    # Seconds of reckoning when hundreds fire every second: keys are answered meanwhile.
    fires = await asyncio.to_thread(_fires, timed, moment.now_ms, cells_of(width))
    lines = [doc_line(runs) for runs in timeline_lines(fires, moment, width)]
    await deck.push_screen(Record(f"the next {HOURS} hours", lines, deck.deck_screen.asked))


def _fires(rows: Sequence[ScheduleRow], now_ms: int, cells: int) -> dict[str, list[int]]:
    """Fires by name; by name and queue where several queues have one of that name."""
    names = Counter(row.name for row in rows)
    return {
        row.name if names[row.name] == 1 else f"{row.name} @{row.queue}": fires_of(row, now_ms, cells) for row in rows
    }


def fires_of(row: ScheduleRow, now_ms: int, cells: int) -> list[int]:
    """When a schedule fires within the next hours, epoch ms; nothing while it is broken or paused for all of them.

    The hours are `cells` long on the screen: of each cell no more fires are looked for than it tells apart.
    """
    from quarterdeck.schedule.expression import epoch_ms, parse, utc
    from quarterdeck.schedule.saq_cron import from_saq
    from quarterdeck.schedule.zones import zone

    if row.broken or (row.paused is not None and row.paused.until_ms is None):
        return []
    until_ms = (row.paused.until_ms or 0) if row.paused is not None else 0
    found: list[int] = []
    try:
        expression, tz = (from_saq if row.origin == "stock" else parse)(row.expression), zone(row.tz)
        at_ms, cell, in_cell = max(now_ms, until_ms), -1, 0
        while (at_ms := epoch_ms(expression.next_after(utc(at_ms), tz))) < now_ms + SPAN_MS:
            found.append(at_ms)
            before, cell = cell, (at_ms - now_ms) * cells // SPAN_MS
            in_cell = in_cell + 1 if cell == before else 1
            if in_cell == MOST_TOLD:
                at_ms = max(at_ms, now_ms + (cell + 1) * SPAN_MS // cells - 1)
    except QuarterdeckError:
        return found or ([row.next_ms] if row.next_ms else [])
    return found
