"""The real dashboard: the terminal is given back, the server ends in order, bad times are lived through."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from operator_seat import Home, Seat, deck_worker, kill, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import StartValkey

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for one test; whatever runs in it is ended."""
    path = tmp_path_factory.mktemp("e", numbered=True)
    yield path
    Home(path).end()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_dashboard_and_embedded_server_in_order(place: Path, number: int, status: int) -> None:
    with Seat(place, "--app", "night_app:app") as seat:
        seat.see("0/10")
        os.kill(seat.pid, number)
        assert seat.wait_exit() == status
        seat.wait(lambda: b"\x1b[?1049l" in seat.received.rpartition(b"\x1b[?1049h")[2])
    Home(place).gone()


def test_the_terminal_goes_away(place: Path) -> None:
    seat = Seat(place, "--app", "night_app:app")
    seat.see("0/10")
    seat.hang_up()
    assert seat.wait_exit() == 129
    seat.close()
    Home(place).gone()


def test_a_second_dashboard_attaches_and_the_last_one_out_shuts_down(place: Path) -> None:
    with Seat(place, "--app", "night_app:app") as first:
        first.see("0/10")
        pids = Home(place).state()
        with Seat(place, "--app", "night_app:app") as second:
            second.see("0/10")
            assert first.quit() == 0
            assert Home(place).state()["server_pid"] == pids["server_pid"]
            second.keys("e")
            second.see("Enqueue a job")
            second.keys("esc")
            second.lose("Enqueue a job")
            assert second.quit() == 0
    Home(place).gone()


def test_a_server_that_freezes_dies_and_comes_back(tmp_path: Path, start_valkey: StartValkey) -> None:
    server = start_valkey(appendonly="yes")
    with deck_worker(server.url, tmp_path), Seat(tmp_path, "--url", server.url) as seat:
        seat.see("0/10")
        server.freeze()
        seat.see("stale for")
        seat.keys("2")
        seat.at("queues")
        seat.keys("e")  # acting on old rows is refused, or the form says why; nothing falls over
        seat.settle(0.5, 2.0)
        seat.keys("esc")
        server.thaw()
        seat.lose("stale for")
        server.kill()
        seat.see("stale for")
        server.start()
        seat.lose("stale for")
        seat.keys("1")
        seat.see("tick")
        assert seat.quit() == 0


def test_resized_suspended_and_stopped_it_shows_the_same(tmp_path: Path, start_valkey: StartValkey) -> None:
    server = start_valkey()
    with deck_worker(server.url, tmp_path), Seat(tmp_path, "--url", server.url) as seat:
        seat.see("0/10", "SCHEDULE")
        for size in ((120, 40), (60, 20), (200, 50), (30, 8), (80, 24)):
            seat.resize(*size)
            seat.wait(lambda size=size: "too small" in seat.text if size[0] < 60 else "0/10" in seat.text)
        os.kill(seat.pid, signal.SIGTSTP)
        until(lambda: "T" in Path(f"/proc/{seat.pid}/stat").read_text().rpartition(")")[2].split()[0])
        seat.feed("\x1b[2J\x1b[Hsome shell")
        os.kill(seat.pid, signal.SIGCONT)
        seat.see("0/10", "SCHEDULE")
        seat.lose("some shell")
        kill(seat.painter)
        assert seat.wait_exit() == 137
        seat.wait(lambda: b"\x1b[?1049l" in seat.received.rpartition(b"\x1b[?1049h")[2])


def test_read_only_binds_no_act_and_writes_nothing(tmp_path: Path, start_valkey: StartValkey) -> None:
    server = start_valkey()
    with deck_worker(server.url, tmp_path), Seat(tmp_path, "--url", server.url, "--read-only") as seat:
        seat.see("0/10", "read-only")
        for key in ("e", "r", "x", "s", "t", "u", "z", "ctrl-d", "E", "S"):
            seat.keys(key)
        seat.keys(":", "note hello", "enter")
        seat.see("Not allowed here")
        seat.keys("9")
        seat.see("nobody has done anything yet")
        assert seat.quit() == 0


def test_a_stylesheet_of_ones_own_and_one_that_is_broken(tmp_path: Path, start_valkey: StartValkey) -> None:
    url = start_valkey().url
    good, bad = tmp_path / "good.tcss", tmp_path / "bad.tcss"
    good.write_text("Screen { background: #102030; }\n")
    bad.write_text("Screen { background: }}} not a style\n")
    with Seat(tmp_path, "--url", url, "--style", str(good)) as seat:
        seat.see("QUEUE")
        assert seat.quit() == 0
    with Seat(tmp_path, "--url", url, "--style", str(bad)) as seat:
        assert seat.wait_exit() in {1, 2}
        seat.settle(0.2)
        assert "bad.tcss" in seat.text.replace("\n", "")  # wherever the path is broken into lines
