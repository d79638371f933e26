"""Lists: what they say where there is nothing to list, or where it can't be read."""

from __future__ import annotations

import pytest
from boards import busy
from conftest import Aboard, keys, settled, shown
from msgspec.structs import replace

from quarterdeck.model import Page, Screen, Snapshot, View

BROKEN = "qd:failed-fn:emails:send is of a wrong type (set)"


def unreadable(view: View) -> Snapshot:
    return replace(busy(view), page=Page(error=BROKEN)) if view.screen is Screen.JOBS else busy(view)


def partly(view: View) -> Snapshot:
    seen = busy(view)
    return replace(seen, page=replace(seen.page, error=BROKEN)) if view.screen is Screen.JOBS else seen  # type: ignore[type-var]


@pytest.mark.parametrize("words", ["jobs failed fn:=send", "jobs failed", "jobs"])
async def test_a_list_that_cannot_be_read_says_so_and_not_that_nothing_is_there(aboard: Aboard, words: str) -> None:
    async with aboard(unreadable, size=(120, 24)) as (bridge, pilot):
        await bridge.deck.obey(words)
        await settled(bridge, pilot)
        text = shown(bridge)
        assert f"it can't be read: {BROKEN}" in text
        assert "nothing matches" not in text
        assert "job" not in text.splitlines()[3]


async def test_a_list_of_which_a_part_cannot_be_read_says_so_above_the_rest(aboard: Aboard) -> None:
    async with aboard(partly, size=(160, 24)) as (bridge, pilot):
        await bridge.deck.obey("jobs failed")
        await settled(bridge, pilot)
        assert "not all can be read: qd:failed-fn:emails" in shown(bridge).splitlines()[0]
        assert len(bridge.deck.deck_screen.targets()) == 1


async def test_an_empty_list_says_which_jobs_are_not_there(aboard: Aboard) -> None:
    def nothing(view: View) -> Snapshot:
        return replace(busy(view), page=Page()) if view.screen is Screen.JOBS else busy(view)

    async with aboard(nothing) as (bridge, pilot):
        await bridge.deck.obey("jobs @emails complete")
        await settled(bridge, pilot)
        assert "no complete job in emails" in shown(bridge)
        await bridge.deck.obey("jobs failed err:x")
        await settled(bridge, pilot)
        assert "nothing matches 'err:x'" in shown(bridge)
        await keys(bridge, pilot, "less_than_sign")
        assert "the flight recorder keeps the overview, not this" in shown(bridge)


async def test_the_history_says_that_it_lists_every_attempt(aboard: Aboard) -> None:
    async with aboard(size=(120, 24)) as (bridge, pilot):
        await bridge.deck.obey("jobs complete")
        await settled(bridge, pilot)
        assert "jobs complete, each attempt · 1-" in shown(bridge).splitlines()[0]
        await keys(bridge, pilot, "left_square_bracket")
        assert "each attempt" not in shown(bridge)


@pytest.mark.parametrize(
    ("words", "queues"),
    [
        ("queues q:mail", ["emails"]),
        ("queues NOT name:emails", ["default", "reports"]),
        ("queues ~^d.*t$", ["default"]),
        ("queues MAIL OR rep", ["emails", "reports"]),
    ],
)
async def test_queues_are_filtered_by_the_grammar_of_all_lists(aboard: Aboard, words: str, queues: list[str]) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey(words)
        await settled(bridge, pilot)
        screen = bridge.deck.deck_screen
        assert sorted(screen.known) == queues  # type: ignore[attr-defined]


async def test_functions_are_filtered_by_name_and_queue(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        for words, found in (("fn:send", {"send_email"}), ("NOT q:emails NOT fn:send", None)):
            await bridge.deck.obey(f"metrics {words}")
            await settled(bridge, pilot)
            names = {stat.name for stat in bridge.deck.deck_screen.known.values()}  # type: ignore[attr-defined]
            assert names == found if found else names and "send_email" not in names


async def test_a_filter_that_cannot_be_read_is_told_and_nothing_is_left_for_it(aboard: Aboard) -> None:
    async with aboard(size=(120, 24)) as (bridge, pilot):
        await bridge.deck.obey("jobs age>")
        await settled(bridge, pilot)
        text = shown(bridge)
        assert "The filter can't be read at character 1" in text
        assert "stale" not in text
        assert bridge.deck.deck_screen.SCREEN is Screen.OVERVIEW


async def test_a_schedule_that_is_not_there_is_said_not_to_be(aboard: Aboard) -> None:
    def gone(view: View) -> Snapshot:
        return replace(busy(view), detail=None, page=None) if view.screen is Screen.SCHEDULE else busy(view)

    async with aboard(gone) as (bridge, pilot):
        await bridge.deck.open(View(screen=Screen.SCHEDULE, subject="x"))
        await settled(bridge, pilot)
        assert "There is no schedule x any more." in shown(bridge)
