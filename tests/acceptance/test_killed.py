"""SIGKILL of anything at any moment, and the same command again: every accepted job is accounted for."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from operator_seat import Home, Seat, kill, ledger, until
from terminal_lab import children

from quarterdeck.broker.queue import Queue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

JOBS = 300
SPENT_S = 0.01


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for one test; whatever runs in it is ended."""
    path = tmp_path_factory.mktemp("k", numbered=True)
    yield path
    Home(path).end()


async def enqueue(url: str, numbers: range) -> None:
    """Enqueue jobs as a client of the app would; when it returns they are accepted."""
    queue = Queue.from_url(url, name="default")
    try:
        for number in numbers:
            await queue.enqueue("crawl", number=number, pause_s=SPENT_S, timeout=0)
    finally:
        await queue.disconnect()


def dashboard(home: Home, seat: Seat) -> list[int]:
    return [seat.pid, *children(seat.pid)]


def worker(home: Home, seat: Seat) -> list[int]:
    return [int(home.state()["worker_pid"])]


def supervisor(home: Home, seat: Seat) -> list[int]:
    return [int(home.state()["supervisor_pid"])]


def everything(home: Home, seat: Seat) -> list[int]:
    names = ("supervisor_pid", "worker_pid", "server_pid")
    return [*(int(home.state()[name]) for name in names), *dashboard(home, seat)]


@pytest.mark.parametrize("victims", [worker, supervisor, everything])
def test_every_accepted_job_is_accounted_for(place: Path, victims: Callable[[Home, Seat], list[int]]) -> None:
    home = Home(place)
    with Seat(place, "--app", "night_app:app") as seat:
        seat.see("0/10")
        asyncio.run(enqueue(home.state()["url"], range(JOBS)))
        until(lambda: len(ledger(place, "end")) > JOBS // 20)
        for pid in victims(home, seat):
            kill(pid)
        if victims is everything:
            assert seat.wait_exit() == 128 + signal.SIGKILL
            again: Any = Seat(place, "--app", "night_app:app")
        else:
            again = seat
        with again:
            again.see("QUEUE", "default")
            if victims is supervisor:
                # Server and worker went on without it; who is attached ends them in order, starts anew, and says so.
                again.see("Recovered")
            until(lambda: {int(it) for it in ledger(place, "end")} == set(range(JOBS)), 60)
            again.keys("3")
            again.see("no queued job")
            for _ in range(2):
                again.keys("]")
            again.see_re(r"no \w+ job")
            assert again.quit() == 0
    home.gone()
    until(lambda: not everyone_of(place))


def everyone_of(place: Path) -> list[int]:
    """Processes of this test that are still there."""
    wanted = f"NIGHT_DIR={place}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environ = (entry / "environ").read_bytes()
        except OSError:  # gone meanwhile
            continue
        if wanted in environ.split(b"\0"):
            found.append(int(entry.name))
    return found
