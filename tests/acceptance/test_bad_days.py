"""Bad input and bad days: a sentence on stderr that names what, where and the cure, a status, never a traceback."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from operator_seat import Seat, command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import StartValkey

pytestmark = pytest.mark.slow

NOWHERE = "redis://127.0.0.1:1"
"""Port 1 is tcpmux: nothing listens there."""


@pytest.fixture
def no_redis() -> Iterator[str]:
    """The URL of a port that answers, but not as Redis does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    yield f"redis://127.0.0.1:{listener.getsockname()[1]}"
    listener.close()


def told(seat: Seat, status: int, *said: str) -> None:
    """It ended with `status`, and on the terminal stands what it said, however its lines are broken."""
    assert seat.wait_exit() == status
    seat.wait(lambda: all(word in " ".join(seat.text.split()) for word in said))
    assert "Traceback" not in seat.text


@pytest.mark.parametrize("words", [("status",), ("jobs",), ("retry", "--all", "--yes"), ("queues", "list")])
def test_no_server_at_the_url(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = command(tmp_path, *words, "--url", NOWHERE)
    assert done.returncode == 3, done.stderr
    assert "127.0.0.1:1" in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_no_server_at_the_url_of_a_dashboard(tmp_path: Path) -> None:
    with Seat(tmp_path, "--url", NOWHERE) as seat:
        told(seat, 3, "127.0.0.1:1")


def test_a_port_that_is_not_redis(tmp_path: Path, no_redis: str) -> None:
    with Seat(tmp_path, "--url", no_redis) as seat:
        told(seat, 3, no_redis.removeprefix("redis://"))


def test_a_wrong_password_is_refused_and_shown_nowhere(tmp_path: Path, start_valkey: StartValkey) -> None:
    server = start_valkey(requirepass="open-sesame")
    with Seat(tmp_path, "--url", server.url.replace("unix://", "unix://:s3cret-wrong@")) as seat:
        told(seat, 3, "password")
        assert b"s3cret-wrong" not in seat.received


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--nonsense",), "--nonsense"),
        (("--url", "gopher://x"), "gopher"),
        (("--env", "prodd"), "prodd"),
        (("--style", "no-such.tcss"), "no-such.tcss"),
        (("--view", ":nowhere"), "nowhere"),
    ],
)
def test_a_wrong_word_on_the_command_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    with Seat(tmp_path, *words) as seat:
        told(seat, 2, said)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("no_such_module:app", "no_such_module"),
        ("night_app:missing", "missing"),
        ("json:dumps", "json"),
    ],
)
def test_an_app_that_does_not_import(tmp_path: Path, target: str, said: str, start_valkey: StartValkey) -> None:
    done = command(tmp_path, "worker", target, "--url", start_valkey().url)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_schedule_that_is_not_cron(
    tmp_path: Path, start_valkey: StartValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad_cron.py").write_text(
        "from quarterdeck import App\napp = App('x')\n@app.schedule('every tuesday')\nasync def job() -> None: ...\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    done = command(tmp_path, "worker", "bad_cron:app", "--url", start_valkey().url)
    assert done.returncode == 2, done.stderr
    assert "every tuesday" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_terminal_at_all(tmp_path: Path) -> None:
    done = command(tmp_path)
    assert done.returncode == 2
    assert "quarterdeck status" in done.stderr


def test_a_dumb_terminal_gets_plain_lines(tmp_path: Path, start_valkey: StartValkey) -> None:
    url = start_valkey().url
    with Seat(tmp_path, "--url", url, environ={"TERM": "dumb"}) as seat:
        seat.wait(lambda: b"well" in seat.received or b"queue" in seat.received.lower())
        seat.keys("ctrl-c")
        seat.wait_exit()
        assert b"\x1b" not in seat.received


@pytest.mark.parametrize("size", [(20, 5), (1, 1), (59, 20)])
def test_a_terminal_that_is_too_small_gets_a_clear_word(
    tmp_path: Path, size: tuple[int, int], start_valkey: StartValkey
) -> None:
    with Seat(tmp_path, "--url", start_valkey().url, size=size) as seat:
        if size[0] > 10:
            seat.see("too small")
        else:
            seat.wait(lambda: seat.received)
        seat.resize(80, 24)
        seat.see("QUEUE", "SCHEDULE")
        assert seat.quit() == 0


def test_60_by_20_is_usable(tmp_path: Path, start_valkey: StartValkey) -> None:
    with Seat(tmp_path, "--url", start_valkey().url, size=(60, 20)) as seat:
        seat.see("QUEUE", "SCHEDULE")
        for key, place in zip(
            "2345678", ("queues", "jobs", "failures", "schedules", "workers", "logs", "metrics"), strict=True
        ):
            seat.keys(key)
            seat.at(place)
        assert seat.quit() == 0


def test_no_color_sends_no_colour(tmp_path: Path, start_valkey: StartValkey) -> None:
    with Seat(tmp_path, "--url", start_valkey().url, environ={"NO_COLOR": "1"}) as seat:
        seat.see("QUEUE", "SCHEDULE")
        seat.keys("4")
        seat.at("failures")
        assert b"[38;" not in seat.received
        assert b"[48;" not in seat.received
        assert seat.quit() == 0


def test_ascii_is_ascii(tmp_path: Path, start_valkey: StartValkey) -> None:
    with Seat(tmp_path, "--url", start_valkey().url, "--ascii") as seat:
        seat.see("QUEUE", "SCHEDULE")
        seat.keys("?")
        seat.at("help")
        assert seat.received.isascii()
        assert seat.quit() == 0
