"""The first painting: there before the screen is loaded, true to what follows, and never left on the terminal.

Textual is held back by a package of its name that waits for a file, so that what is seen before it is loaded can be
looked at without a clock.
"""

from __future__ import annotations

import os
import signal
import termios
from typing import TYPE_CHECKING

import pytest
from operator_seat import Seat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import ValkeyServer

pytestmark = pytest.mark.slow

HELD_BACK = """
import os, sys, time
open(f"{os.environ['GATE']}-reached-{os.getpid()}", "w").close()
while not os.path.exists(os.environ["GATE"]):
    time.sleep(0.01)
if os.environ.get("BROKEN"):
    raise ImportError("no screen today")
sys.path = [path for path in sys.path if path != os.environ["HELD"]]
sys.path_importer_cache.clear()
del sys.modules["textual"]
import textual
"""


@pytest.fixture
def seat(tmp_path: Path, valkey: ValkeyServer) -> Iterator[Callable[..., Seat]]:
    """Seats at a dashboard whose Textual is held back until `open_gate`."""
    held = tmp_path / "held"
    (held / "textual").mkdir(parents=True)
    (held / "textual" / "__init__.py").write_text(HELD_BACK)
    taken: list[Seat] = []

    def sit(size: tuple[int, int] = (80, 24), *words: str, hold: bool = True, **environ: str) -> Seat:
        if hold:
            environ |= {"GATE": str(tmp_path / "gate"), "HELD": str(held), "PYTHONPATH": str(held)}
        taken.append(Seat(tmp_path, "--url", valkey.url, *words, size=size, environ=environ))
        return taken[-1]

    yield sit
    for each in taken:
        each.close()


@pytest.fixture
def kept(seat: Callable[..., Seat], tmp_path: Path) -> Seat:
    """A dashboard that was here before, and has left its painting."""
    first = seat(hold=False)
    first.wait(lambda: list((tmp_path / "data" / "paintings").glob("*")))
    assert first.quit() == 0
    return first


def reached_gate(tmp_path: Path, count: int) -> bool:
    """Whether so many dashboards have come to where Textual is loaded: what is painted before was painted."""
    return len(list(tmp_path.glob("gate-reached-*"))) >= count


def open_gate(tmp_path: Path) -> None:
    """Let Textual be loaded."""
    (tmp_path / "gate").touch()


def cooked(seat: Seat) -> bool:
    """Whether the terminal echoes and edits lines, as a shell leaves it."""
    flags = seat.modes()[3]
    return bool(flags & termios.ECHO and flags & termios.ICANON)


@pytest.mark.usefixtures("kept")
def test_it_is_there_before_the_screen_is_loaded_and_what_is_typed_is_not_lost(
    seat: Callable[..., Seat], tmp_path: Path
) -> None:
    it = seat()
    it.see("reading", "QUEUE", "WORKER", "SCHEDULE", "FAILURES", "help")
    assert not cooked(it)
    it.keys("2")
    early = len(it.received)
    open_gate(tmp_path)
    it.at("queues")
    it.keys("1")
    it.lose("reading")
    # The terminal was neither cleared nor taken again, and what it showed was built upon.
    assert it.received.count(b"\x1b[?1049h") == 1
    assert it.received.count(b"\x1b[2J") == 1
    assert b"\x1b[?1049h" in it.received[:early]
    assert it.quit() == 0
    assert cooked(it)


@pytest.mark.usefixtures("kept")
def test_another_size_and_another_look_do_not_get_it(seat: Callable[..., Seat], tmp_path: Path) -> None:
    others = seat((81, 24)), seat((80, 24), "--read-only"), seat((80, 24), "--ascii"), seat((80, 24), NO_COLOR="1")
    others[0].wait(lambda: reached_gate(tmp_path, len(others)))
    for it in others:
        it.settle(0.2)
        assert it.received == b""
        assert cooked(it)


@pytest.mark.usefixtures("kept")
def test_a_window_that_changes_meanwhile_is_painted_anew(seat: Callable[..., Seat], tmp_path: Path) -> None:
    it = seat()
    it.see("reading")
    it.resize(100, 30)
    open_gate(tmp_path)
    it.lose("reading")
    it.wait(lambda: "help" in it.text.splitlines()[-1])


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, 137)])
def test_killed_before_the_screen_is_loaded_the_terminal_is_given_back(
    seat: Callable[..., Seat], number: int, status: int
) -> None:
    it = seat()
    it.see("reading")
    os.kill(it.painter, number)
    assert it.wait_exit() == status
    it.wait(lambda: b"\x1b[?1049l" in it.received)
    assert cooked(it)


@pytest.mark.usefixtures("kept")
def test_a_screen_that_can_not_be_loaded_says_so_on_the_terminal_that_was_given_back(
    seat: Callable[..., Seat], tmp_path: Path
) -> None:
    it = seat(BROKEN="1")
    it.see("reading")
    open_gate(tmp_path)
    assert it.wait_exit() == 1
    it.wait(lambda: b"no screen today" in it.received.partition(b"\x1b[?1049l")[2])
    assert cooked(it)
