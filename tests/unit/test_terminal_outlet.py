"""The way out never blocks, whoever owns the terminal's device, and leaves no flag behind."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import time
import tty
from typing import TYPE_CHECKING

import pytest

from tui.terminal import outlet as module
from tui.terminal.outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOOD = b"x" * 1_000_000


@pytest.fixture
def pty() -> Iterator[tuple[int, int]]:
    master, slave = os.openpty()
    tty.setraw(slave)
    yield master, slave
    os.close(master)
    os.close(slave)


@pytest.fixture(params=["own", "shared"])
def make(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, pty: tuple[int, int]) -> object:
    if request.param == "shared":
        monkeypatch.setattr(module, "_reopen", lambda fileno: None)
    return lambda drained=lambda: None: Outlet(pty[1], asyncio.get_running_loop(), drained)


async def test_small_pieces_go_at_once(make: object, pty: tuple[int, int]) -> None:
    outlet = make()  # type: ignore[operator]
    outlet.send(b"hello")
    assert outlet.idle
    assert os.read(pty[0], 100) == b"hello"
    outlet.close()


async def test_a_deaf_terminal_blocks_nothing_and_gets_the_rest_later(make: object, pty: tuple[int, int]) -> None:
    done = asyncio.Event()
    outlet = make(done.set)  # type: ignore[operator]
    began = time.monotonic()
    outlet.send(FLOOD)
    assert time.monotonic() - began < 30  # for ever, if it blocked
    assert not outlet.idle
    os.set_blocking(pty[0], False)
    got = 0
    while got < len(FLOOD):
        with contextlib.suppress(BlockingIOError):  # all that came through was read, and the loop must write more
            got += len(os.read(pty[0], 65536))
        await asyncio.sleep(0)
    await done.wait()
    assert outlet.idle
    outlet.close()


async def test_what_the_kernel_holds_can_be_thrown_away(make: object, pty: tuple[int, int]) -> None:
    outlet = make()  # type: ignore[operator]
    outlet.send(FLOOD)
    assert outlet.discard(unread=True)
    assert outlet.force(b"last words", within_s=30)
    got = b""
    while not got.endswith(b"last words"):
        got += os.read(pty[0], 65536)
    assert len(got) < 10_000  # the kernel may keep one page
    outlet.close()


async def test_the_shared_file_keeps_its_flags(make: object, pty: tuple[int, int]) -> None:
    before = fcntl.fcntl(pty[1], fcntl.F_GETFL)
    outlet = make()  # type: ignore[operator]
    outlet.send(FLOOD)
    assert fcntl.fcntl(pty[1], fcntl.F_GETFL) == before
    outlet.close()
    assert fcntl.fcntl(pty[1], fcntl.F_GETFL) == before


async def test_a_terminal_that_is_gone_swallows_all(make: object, pty: tuple[int, int]) -> None:
    outlet = make()  # type: ignore[operator]
    os.close(os.dup(pty[0]))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, pty[0])
    os.close(null)
    outlet.send(b"x")
    outlet.send(FLOOD)
    assert outlet.force(b"y", within_s=30)
    outlet.close()
    outlet.close()
    outlet.send(b"z")
    assert outlet.idle
