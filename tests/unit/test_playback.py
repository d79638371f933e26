"""Playback: which moment is asked for and shown, and what the clock makes of it."""

from __future__ import annotations

import pytest

from quarterdeck.model import Snapshot, View
from tui.playback import Playback
from tui.widgets.clock import DeckClock

NOW_MS = 1_700_000_000_000


class Played:
    """A playback on a clock that stands, and how often it turned."""

    def __init__(self) -> None:
        self.turns = 0
        self.clock = DeckClock(lambda: NOW_MS)
        self.playback = Playback(self.clock, self._turn)

    def _turn(self) -> None:
        self.turns += 1


@pytest.fixture
def at() -> Played:
    return Played()


def snapshot(taken_ms: int, at_ms: int | None = None, rtt_ms: float = 0) -> Snapshot:
    return Snapshot(view=View(at_ms=at_ms), taken_ms=taken_ms, rtt_ms=rtt_ms)


def test_the_present_is_asked_for_as_it_is(at: Played) -> None:
    view = View(queue="emails")
    assert at.playback.dated(view) is view
    assert at.playback.past_ms is None


def test_a_step_back_shows_the_past_and_the_clock_tells_its_time(at: Played) -> None:
    at.playback.scrub(-60)
    assert at.playback.past_ms == at.clock.now_ms() == NOW_MS - 60_000
    assert at.playback.dated(View(queue="emails")) == View(queue="emails", at_ms=NOW_MS - 60_000)
    assert at.turns == 1


def test_steps_add_up(at: Played) -> None:
    at.playback.scrub(-60)
    at.playback.scrub(-5)
    assert at.playback.past_ms == NOW_MS - 65_000


@pytest.mark.parametrize("step_s", [60, 61, None])
def test_running_into_the_present_comes_back_to_now(at: Played, step_s: float | None) -> None:
    at.playback.scrub(-60)
    at.playback.scrub(step_s)
    assert at.playback.past_ms is None
    assert at.clock.now_ms() == NOW_MS
    assert at.turns == 2


def test_the_future_is_not_gone_to(at: Played) -> None:
    at.playback.look_back(NOW_MS + 1)
    assert at.playback.past_ms is None


def test_what_was_under_way_when_the_moment_changed_is_not_shown_and_not_heard(at: Played) -> None:
    at.playback.scrub(-60)
    assert not at.playback.shows(snapshot(NOW_MS + 9_000))
    assert at.clock.now_ms() == NOW_MS - 60_000


def test_ages_are_those_of_the_moment_that_was_seen(at: Played) -> None:
    at.playback.scrub(-60)
    past_ms = at.playback.past_ms
    assert at.playback.shows(snapshot(NOW_MS - 62_000, at_ms=past_ms))
    assert at.clock.now_ms() == NOW_MS - 62_000
    assert at.playback.past_ms == past_ms


def test_the_present_sets_the_clock_by_the_server(at: Played) -> None:
    assert at.playback.shows(snapshot(NOW_MS + 2_000, rtt_ms=100))
    assert at.clock.now_ms() == NOW_MS + 2_050


def test_freezing_holds_the_moment_and_says_so_once_each_way(at: Played) -> None:
    at.playback.freeze(True)
    assert at.playback.frozen
    at.playback.freeze(False)
    assert not at.playback.frozen
    assert at.turns == 2
    assert at.playback.past_ms is None
