"""Pictures of every screen in its states, at 80x24 and 120x40, on a frozen clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from boards import Bridge, busy, calm, empty
from conftest import keys, settled
from textual.pilot import Pilot

SIZES = ((80, 24), (120, 40))

SCREENS = {
    "overview": (),
    "queues": ("2",),
    "jobs": ("3",),
    "jobs-scheduled": ("3", "right_square_bracket", "right_square_bracket"),
    "failures": ("4",),
    "group": ("4", "enter"),
    "job": ("4", "enter", "enter"),
    "schedules": ("5",),
    "schedule": ("5", "enter"),
    "workers": ("6",),
    "worker": ("6", "enter"),
    "logs": ("7",),
    "metrics": ("8",),
    "audit": ("9",),
    "bin": ":bin",
    "bulks": ":bulks",
    "quarantine": ":quarantine",
    "queue": ("2", "j", "enter"),
    "help": ("question_mark",),
    "timeline": ("5", "T"),
    "raw": ("4", "enter", "enter", "y"),
}

ASKING = {
    "retry-card": ("4", "r"),
    "delete-card": ("4", "enter", "ctrl+d"),
    "pause-card": ("5", "s"),
    "enqueue-form": ("e", *"send", "enter"),
    "set-aside-card": ("4", "z"),
    "sandbox": ("5", "X"),
    "quit": ("q",),
    "command-line": ("colon", "s"),
    "filter": ("4", "slash", *"err"),
    "toast": ("4", "enter", "r"),
    "marked": ("4", "enter", "space", "space"),
}

STATES: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "empty": (empty, {}),
    "calm": (calm, {}),
    "read-only": (busy, {"read_only": True}),
    "protected": (busy, {"protected": True, "name": "production"}),
    "ascii": (busy, {"ascii": True}),
    "light": (busy, {"theme": "deck-light"}),
}


@pytest.fixture
def picture(snap_compare: Callable[..., bool]) -> Callable[..., None]:
    """Compare a deck, after some keys, with its accepted picture."""

    def compare(bridge: Bridge, size: tuple[int, int], pressed: tuple[str, ...] | str = (), then: Any = None) -> None:
        async def act(pilot: Pilot[None]) -> None:
            await settled(bridge, pilot)
            if isinstance(pressed, str):
                await bridge.deck.obey(pressed)
                await settled(bridge, pilot)
            else:
                await keys(bridge, pilot, *pressed)
            if then is not None:
                await then(pilot)

        assert snap_compare(bridge.deck, terminal_size=size, run_before=act)

    return compare


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("screen", SCREENS)
def test_screen(picture: Callable[..., None], screen: str, size: tuple[int, int]) -> None:
    picture(Bridge(busy), size, SCREENS[screen])


@pytest.mark.slow
@pytest.mark.parametrize("asked", ASKING)
def test_asking(picture: Callable[..., None], asked: str) -> None:
    picture(Bridge(busy), (80, 24), ASKING[asked])


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_overview_in_state(picture: Callable[..., None], state: str, size: tuple[int, int]) -> None:
    answer, station = STATES[state]
    picture(Bridge(answer, **station), size)


@pytest.mark.slow
@pytest.mark.parametrize("screen", ["queues", "jobs", "failures", "schedules", "workers", "logs", "metrics", "audit"])
def test_screen_when_there_is_nothing(picture: Callable[..., None], screen: str) -> None:
    picture(Bridge(empty), (80, 24), SCREENS[screen])


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_overview_when_the_server_went_away(picture: Callable[..., None], size: tuple[int, int]) -> None:
    bridge = Bridge(busy)

    async def lose(pilot: Pilot[None]) -> None:
        from quarterdeck.errors import UnreachableError
        from tui.messages import ReadFailed

        bridge.deck.on_read_failed(ReadFailed(UnreachableError("The server at 10.0.0.7:6379 does not answer."), 0.5))
        await pilot.pause()

    picture(bridge, size, (), lose)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(60, 20), (59, 19), (20, 5)], ids=lambda size: f"{size[0]}x{size[1]}")
def test_small_terminals(picture: Callable[..., None], size: tuple[int, int]) -> None:
    picture(Bridge(busy), size)
