"""What the line widgets cost. Run: `python tests/benchmarks/widgets.py`; prints a figure a line.

The app runs headless at 120x40: the times are those of composing and painting, without a terminal.
"""

from __future__ import annotations

import asyncio
import random
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.widgets.cell import Age, Cell, GridRow
from tui.widgets.columns import Column
from tui.widgets.doclines import json_lines
from tui.widgets.document import Document
from tui.widgets.grid import Grid
from tui.widgets.log_tail import LogTail
from tui.widgets.logring import LogLine

SIZE = (120, 40)
ROWS = 1_000_000
LINES_PER_S = 10_000
LOG_SECONDS = 8.0
KEYS = 60
CHINESE = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000))) * 17

COLUMNS = (
    Column("key", "KEY", 20),
    Column("function", "function", 16, flex=1, sortable=True),
    Column("error", "what broke", 20, flex=2),
    Column("age", "age", 6, align="right"),
    Column("attempt", "try", 4, align="right", priority=1),
)


class Painting(App[None]):
    """An app that knows when it last painted."""

    CSS_PATH = Path(__file__).parents[2] / "tui" / "look" / "deck.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.painted = asyncio.Event()
        self.painted_s = 0.0

    def _display(self, screen, renderable) -> None:  # type: ignore[no-untyped-def]
        super()._display(screen, renderable)
        self.painted_s = time.perf_counter()
        self.painted.set()

    async def timed_ms(self, act: Callable[[], None]) -> float:
        """Milliseconds from an act to the painting that follows it."""
        self.painted.clear()
        started = time.perf_counter()
        act()
        await asyncio.wait_for(self.painted.wait(), 5)
        return (self.painted_s - started) * 1_000


class GridApp(Painting):
    """A grid over a million rows, read as they are asked for."""

    def compose(self) -> ComposeResult:
        yield Grid(COLUMNS)

    def on_grid_window_wanted(self, event: Grid.WindowWanted) -> None:
        rows = [row(at) for at in range(event.offset, min(ROWS, event.offset + event.limit))]
        event.grid.show(rows, event.offset, ROWS)


class LogApp(Painting):
    """A log view."""

    def compose(self) -> ComposeResult:
        yield LogTail()


class DocumentApp(Painting):
    """A document view."""

    def compose(self) -> ComposeResult:
        yield Document()


def row(at: int, salt: int = 0) -> GridRow:
    """A row as a failures list has it."""
    error = f"ConnectionError: smtp-{at % 7}:25 refused [{salt}]"
    return GridRow(f"job-{at}", (f"saq:job:{at}", "send_email", Cell(error, "bad"), Age(0), str(at % 4)))


def spread(name: str, values: list[float], unit: str = "ms") -> None:
    """Print median, 95th and largest of some values."""
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    print(f"{name:<46} p50 {statistics.median(ordered):7.1f}  p95 {p95:7.1f}  max {ordered[-1]:7.1f} {unit}")


def figure(name: str, value: float, unit: str) -> None:
    """Print one value."""
    print(f"{name:<46} {value:11.1f} {unit}")


def peak_mb() -> float:
    """The largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


async def keys_ms(app: Painting, pilot: Pilot[None], *keys: str) -> list[float]:
    """Press keys one after the other; milliseconds from each to the painting after it."""
    times = []
    for key in keys:
        times.append(await app.timed_ms(lambda key=key: app.simulate_key(key)))
        await pilot.pause()
    return times


async def grid() -> None:
    """A million rows: open, page, jump, move, refresh."""
    started = time.perf_counter()
    app = GridApp()
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        figure("grid, 1,000,000 rows: app start to painted", (time.perf_counter() - started) * 1_000, "ms")
        shown = app.query_one(Grid)
        spread("grid, 1,000,000 rows: arrow key", await keys_ms(app, pilot, *["j"] * KEYS))
        spread("grid, 1,000,000 rows: PageDown", await keys_ms(app, pilot, *["pagedown"] * KEYS))
        spread("grid, 1,000,000 rows: End and Home", await keys_ms(app, pilot, *["G", "g"] * (KEYS // 2)))
        times = []
        for salt in range(1, KEYS + 1):
            rows = [row(at, salt) for at in range(3 * SIZE[1])]
            times.append(await app.timed_ms(lambda rows=rows: shown.show(rows, 0, ROWS)))
        spread("grid: every row changed", times)
        rows = [row(at) for at in range(3 * SIZE[1])]
        shown.show(rows, 0, ROWS)
        await pilot.pause()
        started = time.process_time()
        for _ in range(100):
            shown.show(rows, 0, ROWS)
        figure("grid: nothing changed, CPU a refresh", (time.process_time() - started) * 10, "ms")
        figure("grid: rows held", len(shown._window.rows), "rows")
    figure("memory at its peak (Python and Textual included)", peak_mb(), "MB")


async def log() -> None:
    """Ten thousand lines a second, with a key now and then."""
    app = LogApp()
    async with app.run_test(size=SIZE) as pilot:
        tail = app.query_one(LogTail)
        tail.focus()
        await pilot.pause()
        words = ["delivered", "retrying", "connection refused", "payload of 3 items", "[bold]done[/]"]
        levels = ["INFO", "INFO", "DEBUG", "WARNING", "ERROR"]
        choose = random.Random(1)
        batch_s, fed, late = 0.02, 0, []
        started, cpu = time.perf_counter(), time.process_time()
        key_ms: list[float] = []
        beat = started
        next_key = started + 0.5
        while time.perf_counter() - started < LOG_SECONDS:
            now_ms = time.time_ns() // 1_000_000
            lines = [
                LogLine(f"job {fed + at}: {choose.choice(words)} in {at} ms", now_ms, choose.choice(levels), "send")
                for at in range(int(LINES_PER_S * batch_s))
            ]
            tail.feed(lines)
            fed += len(lines)
            if time.perf_counter() > next_key:
                next_key += 0.1
                key_ms.append(await app.timed_ms(lambda: app.simulate_key("t")))
            beat += batch_s
            pause = beat - time.perf_counter()
            late.append(max(0.0, -pause * 1_000))
            await asyncio.sleep(max(0.0, pause))
        wall, used = time.perf_counter() - started, time.process_time() - cpu
        figure("log: lines a second", fed / wall, "lines/s")
        figure("log: CPU, feeding included", used / wall * 100, "% of a core")
        spread("log: key to painted under load", key_ms)
        spread("log: event loop late by", late)
        figure("log: lines held / dropped", tail.ring.count, f"/ {tail.ring.dropped:,}")
        found = time.perf_counter()
        tail.search("refused")
        figure("log: search in what is held", (time.perf_counter() - found) * 1_000, "ms")
    figure("memory at its peak", peak_mb(), "MB")


async def document() -> None:
    """A payload of a megabyte: shown, paged, searched."""
    app = DocumentApp()
    async with app.run_test(size=SIZE) as pilot:
        view = app.query_one(Document)
        view.focus()
        await pilot.pause()
        items = {"items": [{"id": at, "text": "x" * 60, "tags": ["a", "b"]} for at in range(9_000)]}
        for name, act in (
            ("document: 1 MB of JSON", lambda: view.show(json_lines(items))),
            ("document: 1 MB on one line", lambda: view.show_text("".join(map(str, range(170_000))))),
            ("document: 1 MB of Chinese on one line", lambda: view.show_text(CHINESE)),
        ):
            figure(f"{name}: shown", await app.timed_ms(act), "ms")
            app.query_one(Document).action_to_row(0)
            await pilot.pause()
            spread(f"{name}: PageDown", await keys_ms(app, pilot, *["pagedown"] * 20))
            figure(f"{name}: End", (await keys_ms(app, pilot, "G"))[0], "ms")
    figure("memory at its peak", peak_mb(), "MB")


SUITES: dict[str, Callable[[], Awaitable[None]]] = {"grid": grid, "log": log, "document": document}


async def main(names: list[str]) -> None:
    """Run the named suites, or each in a process of its own so that their memory is told apart."""
    if names:
        await SUITES[names[0]]()
        return
    for name in SUITES:
        process = await asyncio.create_subprocess_exec(sys.executable, __file__, name)
        await process.wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
