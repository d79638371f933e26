"""The guardian is light, and stays out of the way where there is no terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tui.terminal import modes
from tui.terminal.guardian import Bond, bond, guard

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ("textual", "rich", "asyncio", "redis", "saq", "quarterdeck", "subprocess", "ctypes", "multiprocessing")


def test_it_forks_before_anything_heavy_is_imported() -> None:
    code = "import sys, tui.terminal.guardian; print('\\n'.join(sys.modules))"
    out = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {name.partition(".")[0] for name in out.stdout.split()} & set(HEAVY)


def test_without_a_terminal_it_does_nothing() -> None:
    code = "from tui.terminal.guardian import guard, bond; guard(); print(bond())"
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "None"


def test_this_process_has_none() -> None:
    assert bond() is None
    assert callable(guard)


def test_the_bond_tells_who_has_the_terminal() -> None:
    shared = Bond()
    assert not shared.taken
    shared.take()
    assert shared.taken
    shared.release()
    assert not shared.taken
    shared.keep_child_end()


def test_leaving_undoes_all_that_entering_does() -> None:
    switched_on = set(modes.ENTER.split("\x1b[?")) | set((modes.MOUSE_ON + modes.MOUSE_ON_LEAN).split("\x1b[?"))
    for mode in switched_on:
        if mode[-1:] == "h":
            assert f"\x1b[?{mode[:-1]}l" in modes.LEAVE
    assert "\x1b[?7h" in modes.LEAVE
    assert "\x1b[?25h" in modes.LEAVE
    assert modes.LEAVE.index("\x1b[<u") < modes.LEAVE.index("\x1b[?1049l")
