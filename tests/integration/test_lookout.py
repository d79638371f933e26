"""The lookout: it sees what is there, says nothing when it can't, and leaves nothing behind.

It forks, so each test runs it in an interpreter of its own that has no other threads.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import ValkeyServer

BEGIN = """
import asyncio, json, os, sys, time
from pathlib import Path
from quarterdeck.settings import Settings
from tui import lookout
from tui.lookout import Lookout

os.cpu_count, os.getloadavg = lambda: 2, lambda: (0.0, 0.0, 0.0)
lookout.PATIENCE_S, lookout._LIFE_S = 60.0, 100  # it is nice: a busy machine leaves it little

def children():
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()

def send(url=None, data_dir="", view=None):
    return Lookout.send(Settings(url=url, data_dir=data_dir), view)
"""


def told(code: str, *words: str) -> Any:
    """What a fresh interpreter prints as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", BEGIN + code, *words], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_it_hands_over_what_the_server_knows(valkey: ValkeyServer) -> None:
    code = """
it = send(sys.argv[1], view=":workers")
heavy = {"redis", "textual"} & set(sys.modules)
seen = asyncio.run(it.report())
print(json.dumps([seen.view.screen, seen.taken_ms > 0, seen.rtt_ms > 0, sorted(heavy), children()]))
"""
    assert told(code, valkey.url) == ["workers", True, True, [], []]


def test_it_says_nothing_of_a_server_that_is_not_there(tmp_path: Path) -> None:
    code = """
it = send("unix://" + sys.argv[1])
print(json.dumps([asyncio.run(it.report()), children()]))
"""
    assert told(code, str(tmp_path / "nobody")) == [None, []]


def test_it_says_nothing_when_it_is_killed() -> None:
    code = """
it = send(data_dir="/nowhere")
os.kill(it._pid, 9)
print(json.dumps([asyncio.run(it.report()), children()]))
"""
    assert told(code) == [None, []]


def test_it_is_not_waited_for_too_long_and_can_be_called_back(tmp_path: Path) -> None:
    code = """
lookout.PATIENCE_S = 0.01
late = send(data_dir=sys.argv[1])
forgotten = send(data_dir=sys.argv[1])
there = len(children())
began = time.monotonic()
seen = asyncio.run(late.report())
soon = time.monotonic() - began < 30  # it looks for a hundred seconds
forgotten.close()
forgotten.close()
print(json.dumps([there, seen, soon, children()]))
"""
    assert told(code, str(tmp_path)) == [2, None, True, []]


def test_it_waits_for_an_embedded_server_that_is_being_started(valkey: ValkeyServer, tmp_path: Path) -> None:
    code = """
from quarterdeck.broker.embedded_home import Home
home = Home(Path(sys.argv[2]))
home.prepare()
it = send(data_dir=sys.argv[2])
time.sleep(0.05)  # it has most likely begun to look; if not, it finds the server at once
os.symlink(sys.argv[1].removeprefix("unix://"), home.socket)
seen = asyncio.run(it.report())
os.unlink(home.socket)
print(json.dumps([seen.view.screen, children()]))
"""
    assert told(code, valkey.url, str(tmp_path / "d")) == ["overview", []]


@pytest.mark.parametrize("scarce", ["os.cpu_count = lambda: 1", "os.getloadavg = lambda: (4.1, 0.0, 0.0)"])
def test_scarce_processors_are_left_to_the_screen(scarce: str) -> None:
    assert told(f"{scarce}\nprint(json.dumps([send('redis://h'), children()]))") == [None, []]


def test_an_embedded_server_is_started_at_once_and_what_is_shown_of_it_stays(tmp_path: Path) -> None:
    code = """
from quarterdeck.broker.embedded_home import Home
from tui.mooring import Mooring

async def look():
    settings = Settings(data_dir=sys.argv[1])
    mooring = Mooring(settings, Lookout.send(settings, None))
    seen = await mooring.first_look()
    held = not Home(Path(sys.argv[1])).lock("attached").try_exclusive()
    await mooring.close()
    return [seen is not None, held, children()]

print(json.dumps(asyncio.run(look())))
"""
    assert told(code, str(tmp_path / "d")) == [True, True, []]
