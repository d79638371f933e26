"""The log screen: it asks for the newest lines of a flood, and counts what was left out."""

from __future__ import annotations

from pathlib import Path

from boards import NOW_MS, busy
from conftest import Aboard, keys, settled, shown
from msgspec.structs import replace

from quarterdeck.model import LogRow, Page, Screen, Snapshot, View
from tui.screens.logs import FIRST_LINES, MORE_LINES
from tui.widgets.log_tail import LogTail


class Stream:
    """A source of log lines: what came since the last read, of which each read takes the newest."""

    def __init__(self, counts: bool = True) -> None:
        self.counts = counts
        self.written = self.read = 0

    def __call__(self, view: View) -> Snapshot:
        if view.screen is not Screen.LOGS:
            return busy(view)
        since = self.written - self.read
        first = self.written - min(since, view.limit) if self.counts else self.read
        last = min(self.written, first + view.limit)
        rows = tuple(LogRow(id=str(at), at_ms=NOW_MS, level="INFO", text=f"line {at}") for at in range(first, last))
        dropped, self.read = first - self.read, last
        page = Page(rows=rows, cursor=f"{last}-0", dropped=dropped)
        return replace(busy(view), page=page)


async def test_of_a_flood_the_newest_lines_are_asked_for_once(aboard: Aboard) -> None:
    stream = Stream()
    async with aboard(stream) as (bridge, pilot):
        stream.written = 10
        await keys(bridge, pilot, "7")
        stream.written += 10_000
        bridge.deck.wake()
        await settled(bridge, pilot)
        first, second, *more = [view for view in bridge.source.asked if view.screen is Screen.LOGS]
        assert not more
        assert (first.newest, first.after, first.limit) == (True, "", FIRST_LINES)
        assert (second.newest, second.after, second.limit) == (True, "10-0", MORE_LINES)
        tail = bridge.deck.screen.query_one(LogTail)
        assert [tail.lines()[at].text for at in (9, 10, -1)] == ["line 9", "line 8010", "line 10009"]
        assert tail.ring.dropped == 8_000


async def test_a_server_that_leaves_nothing_out_is_asked_until_all_is_read(aboard: Aboard) -> None:
    stream = Stream(counts=False)
    async with aboard(stream) as (bridge, pilot):
        stream.written = 10
        await keys(bridge, pilot, "7")
        stream.written += 2 * MORE_LINES + 5
        bridge.deck.wake()
        while stream.read < stream.written:
            await pilot.pause()
        await settled(bridge, pilot)
        tail = bridge.deck.screen.query_one(LogTail)
        assert [line.text for line in tail.lines()] == [f"line {at}" for at in range(stream.written)]
        assert tail.ring.dropped == 0


async def test_the_lines_are_saved_to_a_file_and_where_it_is_is_said(aboard: Aboard, tmp_path: Path) -> None:
    async with aboard(notes=tmp_path, size=(120, 24)) as (bridge, pilot):
        await keys(bridge, pilot, "7", "colon", *"save", "space", *"log.txt", "enter")
        assert f"Wrote log.txt in {tmp_path}"[:100] in " ".join(shown(bridge).split())
        saved = tmp_path / "log.txt"
        assert saved.stat().st_mode & 0o077 == 0
        assert len(saved.read_text().splitlines()) == bridge.deck.screen.query_one(LogTail).ring.count
        await bridge.deck.obey("save log.txt")
        await settled(bridge, pilot)
        assert "log.txt exists already" in shown(bridge)


async def test_that_stock_workers_keep_no_logs_is_said(aboard: Aboard) -> None:
    def stock(view: View) -> Snapshot:
        found = busy(view)
        queues = tuple(replace(queue, deck=False) for queue in found.queues)
        return replace(found, queues=queues, page=Page()) if view.screen is Screen.LOGS else found

    async with aboard(stock) as (bridge, pilot):
        await keys(bridge, pilot, "7")
        assert "stock SAQ workers keep no logs" in shown(bridge)
    async with aboard(Stream()) as (bridge, pilot):  # ours do, and have written nothing yet
        await keys(bridge, pilot, "7")
        assert "stock SAQ" not in shown(bridge)
