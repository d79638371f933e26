"""Frames as Textual itself writes them while an app is used: straight into a terminal, and by way of the grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from terminal_lab import Emulator, Feed
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static

from tui.terminal import modes
from tui.terminal.capabilities import ColourDepth
from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder
from tui.terminal.frame import FrameParser
from tui.terminal.styles import StyleTable

if TYPE_CHECKING:
    from textual.pilot import Pilot

SIZE = (60, 18)
NAMES = (
    "send_email",
    "表を作る",
    "cafe\u0301",
    "\u0645\u0631\u062d\u0628\u0627",
    "🎉 party",
    "a\u200bb\u202ec",
    "❤\ufe0f like",
    "x" * 70,
)


class Recorder(Driver):
    """Keeps what Textual writes; switches nothing."""

    written: ClassVar[list[str]] = []

    def write(self, data: str) -> None:
        self.written.append(data)

    def start_application_mode(self) -> None:
        self.written.clear()

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...


class Question(ModalScreen[None]):
    """A dialog over the rest."""

    CSS = "Question { align: center middle; } #ask { width: 21; height: 5; border: round $warning; }"
    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "no")]

    def compose(self) -> ComposeResult:
        yield Static("retry 4,811 字字字 ?", id="ask", markup=False)


class Used(App[None]):
    """A table whose rows scroll, an input, notifications, and a dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "ask", "ask"),
        Binding("f3", "say", "say"),
        Binding("f4", "tick", "tick"),
        Binding("f5", "dark", "dark"),
    ]

    def compose(self) -> ComposeResult:
        yield Input(placeholder="filter 字", id="filter")
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("name", "depth", "state")
        for index in range(40):
            table.add_row(NAMES[index % len(NAMES)], str(index * 37), "running", key=str(index))
        table.focus()

    def action_ask(self) -> None:
        self.push_screen(Question())

    def action_say(self) -> None:
        self.notify("paused emails 字\u0301 for 1 h", timeout=30, markup=False)

    def action_tick(self) -> None:
        table = self.query_one(DataTable)
        for index in range(0, 40, 3):
            value = int(str(table.get_cell_at((index, 1)))) + 13  # type: ignore[arg-type]
            table.update_cell_at((index, 1), str(value))  # type: ignore[arg-type]

    def action_dark(self) -> None:
        self.theme = "textual-light" if self.theme == "textual-dark" else "textual-dark"


KEYS = ("down", "pagedown", "end", "home", "right", "tab", "x", "字", "backspace", "f2", "escape", "f3", "f4", "f5")


async def record(keys: list[str]) -> list[list[str]]:
    """The frames after each key, the first screen first."""
    steps: list[list[str]] = []

    async def use(pilot: Pilot[Any]) -> None:
        for key in ("", *keys):
            if key:
                await pilot.press(key)
            await pilot.pause()
            steps.append(list(Recorder.written))
            Recorder.written.clear()
        pilot.app.exit()

    await Used(driver_class=Recorder).run_async(size=SIZE, auto_pilot=use)
    return steps


def check(steps: list[list[str]], limits: list[int], *, erases: bool, feeds: bool = True) -> tuple[int, int]:
    """Compare the pictures after each step; bytes of Textual's and of ours."""
    theirs, ours = Emulator(*SIZE), Emulator(*SIZE)
    feed_theirs, feed_ours = Feed(theirs), Feed(ours)
    feed_theirs(modes.ENTER)
    feed_ours(modes.ENTER)
    styles = StyleTable(ColourDepth.TRUE)
    grid = Grid(*SIZE, styles.default)
    parser, encoder = FrameParser(grid, styles), Encoder(grid, styles, erases_in_colour=erases)
    encoder.feeds = feeds
    encoder.blank()
    stock = sent = 0
    for number, frames in enumerate(steps):
        for frame in frames:
            stock += len(frame.encode())
            feed_theirs(frame)
            parser.feed(frame)
            data = encoder.encode(limits[number % len(limits)])
            sent += len(data)
            feed_ours(data)
        while encoder.pending:
            data = encoder.encode(2048)
            sent += len(data)
            feed_ours(data)
        assert ours.seen() == theirs.seen()
    return stock, sent


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    keys=st.lists(st.sampled_from(KEYS), min_size=3, max_size=12),
    limits=st.lists(st.integers(40, 3000), min_size=1, max_size=4),
    erases=st.booleans(),
    feeds=st.booleans(),
)
async def test_the_same_picture_after_every_key(keys: list[str], limits: list[int], erases: bool, feeds: bool) -> None:
    check(await record(keys), limits, erases=erases, feeds=feeds)


async def test_a_long_use_costs_a_fraction() -> None:
    keys = ["f4", "down", "down", "f4", "pagedown", "f2", "escape", "f4", "tab", "x", "backspace", "tab", "end", "home"]
    stock, sent = check(await record(keys), [100_000], erases=True)
    assert sent * 3 < stock


@pytest.mark.parametrize("name", NAMES)
async def test_odd_names_neither_shift_nor_leak(name: str) -> None:
    class One(App[None]):
        def compose(self) -> ComposeResult:
            yield Static(f"{name}|end", markup=False)
            yield Static("second row", markup=False)

    async def look(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        pilot.app.exit()

    await One(driver_class=Recorder).run_async(size=SIZE, auto_pilot=look)
    styles = StyleTable(ColourDepth.TRUE)
    grid = Grid(*SIZE, styles.default)
    FrameParser(grid, styles).feed("".join(Recorder.written))
    rows = ["".join(row) for row in grid.glyphs]
    assert any(row.startswith("second row") for row in rows)
    assert not set("\u200b\u202e\ufeff") & set("".join(rows))
