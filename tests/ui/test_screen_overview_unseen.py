"""The overview under the screen that the dashboard opens with: not made before it is seen, and whole when it is."""

from __future__ import annotations

from conftest import Aboard, keys, settled, shown

from quarterdeck.model import JobState, Screen, View
from tui.screens.overview import Overview
from tui.widgets.grid import Grid

FAILED = View(screen=Screen.JOBS, state=JobState.FAILED)


def _overview(deck: object) -> Overview:
    """The screen at the root."""
    found = deck.screen_stack[0]  # type: ignore[attr-defined]
    assert isinstance(found, Overview)
    return found


async def test_it_is_not_made_where_another_screen_was_named(aboard: Aboard) -> None:
    async with aboard(first=FAILED) as (bridge, _):
        assert bridge.deck.deck_screen.SCREEN is Screen.JOBS
        assert not _overview(bridge.deck).query("*")
        assert [view.screen for view in bridge.source.asked] == [Screen.JOBS]


async def test_it_is_whole_when_one_comes_back_to_it(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        at_once = shown(bridge)
    async with aboard(first=FAILED) as (bridge, pilot):
        await keys(bridge, pilot, "escape")
        assert bridge.deck.deck_screen is _overview(bridge.deck)
        assert shown(bridge) == at_once
        focused = bridge.deck.deck_screen.focused
        assert isinstance(focused, Grid)
        assert focused.id == "queues"
        await keys(bridge, pilot, "3", "escape")
        assert shown(bridge) == at_once


async def test_a_terminal_that_is_too_small_says_so_there_too(aboard: Aboard) -> None:
    async with aboard(size=(50, 15), first=FAILED) as (bridge, pilot):
        assert "too small" in shown(bridge)
        await keys(bridge, pilot, "escape")
        assert bridge.deck.deck_screen is _overview(bridge.deck)
        assert "too small" in shown(bridge)
        await pilot.resize_terminal(80, 24)
        await settled(bridge, pilot)
        assert "FAILURES" in shown(bridge)


async def test_a_new_size_meanwhile_is_its_size(aboard: Aboard) -> None:
    async with aboard(size=(120, 40)) as (bridge, pilot):
        at_once = shown(bridge)
    async with aboard(size=(80, 24), first=FAILED) as (bridge, pilot):
        await pilot.resize_terminal(120, 40)
        await settled(bridge, pilot)
        await keys(bridge, pilot, "1")
        assert shown(bridge) == at_once
