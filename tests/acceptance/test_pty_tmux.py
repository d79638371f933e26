"""tmux as the terminal: another emulator's opinion of what is on the screen, and copies that it hands on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from terminal_lab import WAIT_S, Emulator, Feed
from tmux_seat import end, new_socket, tmux_is_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import StartValkey

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = str(Path(__file__).resolve().parent.parent / "terminal_sample.py")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not tmux_is_here(), reason="tmux is another program; nothing of ours needs it"),
]


class Tmux:
    """A tmux server of its own with one session of a fixed size."""

    def __init__(self) -> None:
        self.socket = new_socket()

    def __call__(self, *arguments: str) -> str:
        env = {name: value for name, value in os.environ.items() if name != "TMUX"}
        return subprocess.run(
            ["tmux", "-S", self.socket, "-f", "/dev/null", *arguments],
            env={**env, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def start(self, *options: str, size: tuple[int, int] = (80, 24)) -> None:
        command = " ".join([sys.executable, SAMPLE, *options])
        self("new-session", "-d", "-x", str(size[0]), "-y", str(size[1]), command)

    def screen(self) -> str:
        return self("capture-pane", "-p")

    def wait(self, condition: Callable[[], bool], timeout_s: float = WAIT_S) -> None:
        until = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until, self.screen()
            time.sleep(0.05)

    def wait_text(self, text: str) -> None:
        self.wait(lambda: text in self.screen())


@pytest.fixture
def tmux() -> Iterator[Tmux]:
    server = Tmux()
    yield server
    end(server.socket)


def seen(capture: str) -> list[list[tuple[object, ...]]]:
    """Glyphs and colours as the eye has them: on a blank the ink does not show.

    tmux leaves out how a row ends in blanks, which depends on whether they were written or erased.
    """
    emulator = Emulator(80, 24)
    Feed(emulator)("\x1b[?7l" + capture.rstrip("\n").replace("\n", "\r\n"))
    rows = []
    for row in emulator.cells():
        end = max((x + 1 for x, cell in enumerate(row) if cell[0] != " "), default=0)
        rows.append([cell if cell[0] != " " else (" ", cell[2]) for cell in row[:end]])
    return rows


def used(tmux: Tmux, *options: str) -> None:
    """A sample on which somebody has pressed some keys."""
    tmux.start(*options)
    tmux.wait_text("schedules_1")
    tmux("send-keys", "Tab", "Down", "Down", "NPage", "Tab", "Down", "Escape")
    tmux.wait_text(">schedules_1 ")
    tmux("send-keys", "x")


def test_tmux_shows_what_textual_alone_would_have_shown(tmux: Tmux) -> None:
    def painted(it: Tmux) -> list[list[tuple[object, ...]]]:
        return seen(it("capture-pane", "-p", "-e", "-S", "1"))

    other = Tmux()
    try:
        used(tmux)
        used(other, "--plain-driver")
        tmux.wait(lambda: painted(tmux) == painted(other))
    finally:
        end(other.socket)


def test_resizing_and_repainting_in_tmux(tmux: Tmux) -> None:
    tmux.start("--change", "countdowns")
    tmux.wait_text("schedules_1")
    tmux("resize-window", "-x", "100", "-y", "30")
    tmux.wait(lambda: any(line.startswith("─" * 100) for line in tmux.screen().splitlines()))
    lines = len(tmux.screen().splitlines())
    tmux("send-keys", "-R")  # the terminal forgets what it shows
    tmux.wait(lambda: "queues_1" not in tmux.screen())
    tmux("send-keys", "C-l")
    tmux.wait(lambda: "queues_1" in tmux.screen() and "schedules_4" in tmux.screen())
    assert len(tmux.screen().splitlines()) == lines


def test_a_copy_reaches_tmux(tmux: Tmux) -> None:
    tmux("start-server", ";", "set-option", "-g", "set-clipboard", "on", ";", "new-session", "-d", "sleep 60")
    tmux.start()
    tmux("kill-session", "-t", "0")
    tmux.wait_text("schedules_1")
    tmux("send-keys", "c")
    tmux.wait_text("copied terminal")
    tmux.wait(lambda: bool(tmux("list-buffers")))
    assert tmux("show-buffer") == "hello"


def test_the_screen_comes_back_after_leaving(tmux: Tmux) -> None:
    tmux("new-session", "-d", "-x", "80", "-y", "24", "sh")
    tmux("send-keys", f"echo before; {sys.executable} {SAMPLE} --guard; echo status $?", "Enter")
    tmux.wait_text("schedules_1")
    tmux("send-keys", "q")
    tmux.wait_text("status 0")
    assert "before" in tmux.screen()
    assert "schedules_1" not in tmux.screen()
    tmux("send-keys", "stty -a | tr ' ;' '\\n\\n' | grep -x echo", "Enter")
    tmux.wait(lambda: "\necho\n" in tmux.screen())


def test_job_control_of_a_real_shell(tmux: Tmux) -> None:
    tmux("new-session", "-d", "-x", "80", "-y", "24", "bash --norc -i")
    tmux("send-keys", f"{sys.executable} {SAMPLE} --guard", "Enter")
    tmux.wait_text("schedules_1")
    tmux("send-keys", "z")
    tmux.wait(lambda: "Stopped" in tmux.screen())
    tmux("send-keys", "echo typed", "Enter")
    tmux.wait_text("\ntyped")
    tmux("send-keys", "fg", "Enter")
    tmux.wait_text("schedules_1")
    tmux("send-keys", "Tab", "Down")
    tmux.wait_text(">workers_1")
    tmux("send-keys", "z")
    tmux.wait(lambda: tmux.screen().count("Stopped") == 2)
    tmux("send-keys", 'bg; until [ "$(jobs -s)" ]; do sleep 0.1; done; jobs', "Enter")
    tmux.wait(lambda: tmux.screen().count("Stopped") >= 3)
    tmux("send-keys", "kill %1; until ! kill -0 %1 2>/dev/null; do sleep 0.1; done; echo gone", "Enter")
    tmux.wait_text("\ngone")
    tmux.wait_text("Exit 143")


def test_the_deck_is_suspended_by_a_word_and_comes_back(tmux: Tmux, tmp_path: Path, start_valkey: StartValkey) -> None:
    tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", str(ROOT), "bash --norc -i")
    environ = f"QUARTERDECK_DATA_DIR={tmp_path}/data HOME={tmp_path}"
    tmux("send-keys", f"{environ} {sys.executable} -m tui --url {start_valkey().url}", "Enter")
    tmux.wait_text("no worker is alive")
    tmux("send-keys", ":suspend", "Enter")
    tmux.wait_text("Stopped")
    tmux("send-keys", "echo typed", "Enter")
    tmux.wait_text("\ntyped")
    tmux("send-keys", "fg", "Enter")
    tmux.wait_text("no worker is alive")
    tmux("send-keys", "2")
    tmux.wait_text("· queues ·")
    tmux("send-keys", "C-c")
    tmux.wait(lambda: tmux.screen().rstrip().endswith("$") or tmux.screen().rstrip().endswith("#"))
