"""Every ending gives the terminal back and tells the shell the truth; seen from the other side of a real pty."""

from __future__ import annotations

import os
import signal
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from terminal_lab import Lab, children

SAMPLE = str(Path(__file__).resolve().parent.parent / "terminal_sample.py")
SWITCHED_OFF = ("?1049l", "?25h", "?2004l", "?1004l", "?1000l", "?1003l", "?1006l", "?7h", "<u")


def sample(*options: str, **lab: Any) -> Lab:
    return Lab([sys.executable, SAMPLE, *options], **lab)


def ready(lab: Lab) -> int:
    """Wait for the whole first screen; the pid of the process that paints it."""
    lab.wait_text("sample ready ")
    lab.wait_text("schedules_1")
    return int(lab.emulator.text().split("sample ready ", 1)[1].split()[0])


def assert_restored(lab: Lab, before: list[Any]) -> None:
    def switched_off() -> bool:
        last = lab.received.rpartition(b"\x1b[?1049h")[2]
        return all(f"\x1b[{mode}".encode() in last for mode in SWITCHED_OFF)

    lab.wait(switched_off)
    lab.wait(lambda: lab.modes()[:4] == before[:4])


@pytest.fixture
def before() -> list[Any]:
    """The line discipline of a new pty."""
    master, slave = os.openpty()
    try:
        return termios.tcgetattr(slave)
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.slow
@pytest.mark.parametrize("guard", [[], ["--guard"]], ids=["alone", "guarded"])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_to_the_pid_the_shell_knows_ends_in_order(
    guard: list[str], number: int, status: int, before: list[Any]
) -> None:
    with sample(*guard) as lab:
        ready(lab)
        os.kill(lab.pid, number)
        assert lab.wait_exit() == status
        assert_restored(lab, before)


def test_a_signal_to_the_whole_process_group_ends_in_order(before: list[Any]) -> None:
    with sample("--guard") as lab:
        ready(lab)
        os.killpg(lab.pid, signal.SIGTERM)
        assert lab.wait_exit() == 143
        assert_restored(lab, before)


def test_q_leaves_with_status_0(before: list[Any]) -> None:
    with sample("--guard") as lab:
        ready(lab)
        lab.send("q")
        assert lab.wait_exit() == 0
        assert_restored(lab, before)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "text"),
    [("crash", "perished in a handler"), ("task", "perished in a task"), ("thread", "ZeroDivisionError")],
)
def test_an_exception_anywhere_shows_its_traceback_and_a_status(how: str, text: str, before: list[Any]) -> None:
    with sample("--die", how) as lab:
        ready(lab)
        lab.send("!")
        assert lab.wait_exit() == 1
        assert_restored(lab, before)
        lab.wait(lambda: text.encode() in lab.received.rpartition(b"\x1b[?1049l")[2])


@pytest.mark.parametrize(("how", "status"), [("exit", 7), ("kill", 137)])
def test_the_guardian_restores_what_the_child_could_not(how: str, status: int, before: list[Any]) -> None:
    with sample("--guard", "--die", how) as lab:
        ready(lab)
        lab.send("!")
        assert lab.wait_exit() == status
        assert_restored(lab, before)


@pytest.mark.slow
def test_the_guardian_restores_for_textuals_own_driver_too(before: list[Any]) -> None:
    with sample("--guard", "--plain-driver", "--die", "kill") as lab:
        ready(lab)
        lab.send("!")
        assert lab.wait_exit() == 137
        assert_restored(lab, before)


def test_the_child_restores_and_leaves_when_the_guardian_is_killed(before: list[Any]) -> None:
    with sample("--guard") as lab:
        child = ready(lab)
        assert child != lab.pid
        os.kill(lab.pid, signal.SIGKILL)
        assert lab.wait_exit() == 137
        assert_restored(lab, before)
        lab.wait(lambda: _state(child) in {"gone", "Z"})


@pytest.mark.slow
def test_an_app_that_hangs_is_ended_after_the_grace_time(before: list[Any]) -> None:
    with sample("--die", "hang") as lab:
        ready(lab)
        lab.send("!")
        lab.wait(lambda: "hanging" in lab.emulator.text())
        time.sleep(0.8)  # now its loop does not turn any more; if it does, it leaves in order with the same status
        os.kill(lab.pid, signal.SIGTERM)
        assert lab.wait_exit() == 143
        assert_restored(lab, before)


@pytest.mark.slow
@pytest.mark.parametrize("guard", [[], ["--guard"]], ids=["alone", "guarded"])
def test_it_leaves_when_its_terminal_is_gone_even_with_hangups_ignored(guard: list[str]) -> None:
    lab = Lab(["/bin/sh", "-c", f"trap '' HUP; exec {sys.executable} {SAMPLE} {' '.join(guard)}"])
    ready(lab)
    lab.hang_up()
    assert lab.wait_exit() == 129
    lab.close()


@pytest.mark.slow
@pytest.mark.parametrize("guard", [[], ["--guard"]], ids=["alone", "guarded"])
def test_stop_and_continue_by_key(guard: list[str], before: list[Any]) -> None:
    with sample(*guard) as lab:
        child = ready(lab)
        lab.send("z")
        lab.wait(lambda: _state(lab.pid) == "T" and _state(child) == "T")
        assert_restored(lab, before)
        painted = len(lab.received)
        os.killpg(lab.pid, signal.SIGCONT)
        lab.wait(lambda: b"\x1b[?1049h" in lab.received[painted:])
        ready(lab)
        lab.send("\t\x1b[B")
        lab.wait_text(">workers_1")
        lab.send("q")
        assert lab.wait_exit() == 0
        assert_restored(lab, before)


@pytest.mark.slow
def test_waking_the_guardian_alone_wakes_the_child() -> None:
    with sample("--guard") as lab:
        child = ready(lab)
        os.kill(lab.pid, signal.SIGTSTP)
        lab.wait(lambda: _state(lab.pid) == "T" and _state(child) == "T")
        os.kill(lab.pid, signal.SIGCONT)
        lab.wait(lambda: lab.received.count(b"\x1b[?1049h") == 2)
        lab.send("q")
        assert lab.wait_exit() == 0


@pytest.mark.slow
def test_after_an_unseen_stop_the_screen_is_painted_anew() -> None:
    with sample() as lab:
        ready(lab)
        lab.settle()
        os.kill(lab.pid, signal.SIGSTOP)
        lab.wait(lambda: _state(lab.pid) == "T")
        lab.feed("\x1b[2J\x1b[Hthe shell was here")
        os.kill(lab.pid, signal.SIGCONT)
        ready(lab)
        lab.wait(lambda: "the shell was here" not in lab.emulator.text())


@pytest.mark.slow
def test_another_program_gets_the_terminal_and_gives_it_back(before: list[Any]) -> None:
    with sample("--change", "all") as lab:
        ready(lab)
        lab.send("s")
        lab.wait_text("SHELL")
        assert lab.modes()[:4] == before[:4]
        time.sleep(1.2)  # ticks come due meanwhile: with Textual's own driver repaints would fill its queue
        lab.send("hello\n")
        lab.wait(lambda: lab.received.count(b"\x1b[?1049h") == 2)
        ready(lab)
        lab.send("\t\x1b[B")
        lab.wait_text(">workers_1")


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def test_the_guardian_is_the_only_other_process() -> None:
    with sample("--guard") as lab:
        child = ready(lab)
        assert children(lab.pid) == [child]
