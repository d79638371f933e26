"""The app behind ``terminal_sample.py``."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Footer, Static

ROWS = 200


class LineTable(ScrollView, can_focus=True):
    """A table over the line API with a cursor; each row is two counters and a name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "down", "down"),
        Binding("up,k", "up", "up"),
        Binding("pagedown", "page_down", "page", show=False),
        Binding("pageup", "page_up", "page", show=False),
    ]

    def __init__(self, name: str, change: str) -> None:
        super().__init__(id=name)
        self.label, self.change, self.cursor, self.ticks = name, change, 0, 0
        self.virtual_size = Size(40, ROWS)

    def line(self, index: int) -> str:
        ticks = self.ticks
        if self.change == "all":
            # All figures move, as figures do: by a little.
            count, spent = index * 7919 % 99999 + ticks * (1 + index % 7), index % 1000 + ticks * 37 % 23
            figures = f"{count:>7,} {spent:>5} ms"
        elif self.change == "countdowns" and index < 3 and self.label == "schedules":
            figures = (
                f"{index * 1000 + 42:>7,} {(3600 * (index + 1) - ticks) % 3600 // 60:02}:{(3600 - ticks) % 60:02}  "
            )
        else:
            figures = f"{index * 7919 % 99999:>7,} {index % 1000:>5} ms"
        return f"{self.label}_{index:<4} {figures}"

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        if y == 0:
            return Strip(
                [Segment(f"{self.label.upper()}  count  time".ljust(self.size.width), base + Style(bold=True))]
            )
        index = y - 1 + self.scroll_offset.y
        line = self.line(index) if index < ROWS else ""
        style = base
        if index == self.cursor and self.has_focus:
            style = base + Style(color="#ffffff", bgcolor="#0178d4", bold=True)
            line = ">" + line
        else:
            line = " " + line
        width = self.size.width
        name, rest = line[:18], line[18:width]
        quiet = style + Style(color="#9e9e9e") if style is base else style
        return Strip(
            [Segment(name, style), Segment(rest, quiet), Segment(" " * max(0, width - len(name) - len(rest)), style)],
            width,
        ).crop(0, width)

    def action_down(self) -> None:
        self._to(self.cursor + 1)

    def action_up(self) -> None:
        self._to(self.cursor - 1)

    def action_page_down(self) -> None:
        self._to(self.cursor + self.size.height - 1, page=True)

    def action_page_up(self) -> None:
        self._to(self.cursor - self.size.height + 1, page=True)

    def _to(self, cursor: int, page: bool = False) -> None:
        self.cursor = max(0, min(ROWS - 1, cursor))
        top = self.scroll_offset.y
        visible = self.size.height - 1
        if page:
            top = min(self.cursor, ROWS - visible)
        elif self.cursor < top:
            top = self.cursor
        elif self.cursor >= top + visible:
            top = self.cursor - visible + 1
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        self.refresh()

    def tick(self, ticks: int) -> None:
        self.ticks = ticks
        if self.change == "all" or (self.change == "countdowns" and self.label == "schedules"):
            self.refresh()


class SampleApp(App[None]):
    CSS = """
    Screen { layers: base; }
    #head { height: 1; background: $primary; }
    LineTable { height: 1fr; scrollbar-size: 0 0; border-top: solid $primary; background: $surface; }
    Horizontal { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("s", "shell", "shell"),
        Binding("m", "mouse", "mouse"),
        Binding("c", "copy", "copy"),
        Binding("i", "line", "line"),
        Binding("z", "suspend_process", "stop"),
        Binding("ctrl+c", "quit", "quit", show=False),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, change: str = "nothing", die: str | None = None, stalls: Path | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.change, self.die, self.stalls, self.ticks = change, die, stalls, 0
        self.pressed: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static("sample ready", id="head", markup=False)
        yield LineTable("queues", self.change)
        with Horizontal():
            yield LineTable("workers", self.change)
            yield LineTable("schedules", self.change)
        with Horizontal():
            yield LineTable("failures", self.change)
            yield LineTable("jobs", self.change)
        yield Footer()

    def on_mount(self) -> None:
        self.set_interval(1.0, self.tick)
        if self.stalls is not None:
            self.beat = asyncio.create_task(self._beat(self.stalls))

    def on_ready(self) -> None:
        self.say(f"sample ready {os.getpid()}")

    def on_key(self, event: Any) -> None:
        self.pressed.append(event.key)
        if event.key == "exclamation_mark":
            self.perish()
        elif event.key == "equals_sign":
            self.say("keys " + ",".join(self.pressed[:-1]))

    def say(self, text: str) -> None:
        self.query_one("#head", Static).update(text)

    def tick(self) -> None:
        self.ticks += 1
        for table in self.query(LineTable):
            table.tick(self.ticks)

    def action_mouse(self) -> None:
        self.say(f"mouse {self._driver.toggle_mouse()}")  # type: ignore[union-attr]

    def action_copy(self) -> None:
        self.say(f"copied {self._driver.copy('hello').how}")  # type: ignore[union-attr]

    def action_line(self) -> None:
        self.say(f"line {self._driver.line_quality}")  # type: ignore[union-attr]

    def action_shell(self) -> None:
        with self.suspend():
            os.system("echo SHELL; read line; echo got $line")

    async def _beat(self, path: Path) -> None:
        """Write how long the loop did not turn, in ms, whenever it was longer than ever in this second."""
        worst, second = 0.0, 0
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - began - 0.01)
            if int(began) != second:
                second = int(began)
                with path.open("a") as file:
                    file.write(f"{began} {worst * 1000:.1f}\n")
                worst = 0.0

    def perish(self) -> None:
        """End in the way that was asked for."""
        if self.die == "crash":
            raise RuntimeError("perished in a handler")
        if self.die == "task":
            asyncio.create_task(self._stray())  # noqa: RUF006 - nobody keeps it: that is the case under test
        elif self.die == "thread":
            threading.Thread(target=lambda: 1 / 0).start()
        elif self.die == "exit":
            os._exit(7)
        elif self.die == "kill":
            os.kill(os.getpid(), signal.SIGKILL)

        elif self.die == "hang":
            self.say("hanging")
            self.set_timer(0.2, lambda: time.sleep(60))

    async def _stray(self) -> None:
        raise RuntimeError("perished in a task")


HOSTILE = (
    "\x1b[2J\x1b[H wiped",
    "\x1b[?1049l left",
    "\x1b[?1000h mouse",
    "\x1b]0;title\x07 titled",
    "\x1b]52;c;ZXZpbA==\x07 copied",
    "\x1b]8;;http://evil\x1b\\ linked",
    "\x1b]unfinished string",
    "\x1bP+q544e\x1b\\ queried",
    "\x1b[c\x1b[6n\x1b[5n asked",
    "\x1b(0 lines \x0e shifted \x0f",
    "\x1bc reset \x1b7 \x1b#8",
    "\x9b2J \x9d0;c1\x9c \x85",
    "\x00\x07\x08\x0b\x0c\x7f",
    "\u202eright to left\u202c \u2066 \u200b \ufeff \U000e0041",
    "broken \ud800 surrogate",
    "zalgo" + "\u0301" * 300,
    "long" * 300_000,
)


class HostileApp(App[None]):
    """Paints what nobody cleaned: the driver is the last line of defence."""

    CSS = "Screen { overflow: hidden; } Static { height: 1; }"

    def compose(self) -> ComposeResult:
        yield Static("sample ready ", markup=False)
        for text in HOSTILE:
            yield Static(text, markup=False)
        yield Static("end of hostility", markup=False)
