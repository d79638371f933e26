"""The flight recorder: which moment is asked for and shown, and what the clock makes of it."""

from __future__ import annotations

import pytest

from quarterdeck.model import Snapshot, View
from tui.flightrecorder import FlightRecorder
from tui.widgets.clock import DeckClock

NOW_MS = 1_700_000_000_000


class Recorded:
    """A recorder on a clock that stands, and how often it turned."""

    def __init__(self) -> None:
        self.turns = 0
        self.clock = DeckClock(lambda: NOW_MS)
        self.recorder = FlightRecorder(self.clock, self._turn)

    def _turn(self) -> None:
        self.turns += 1


@pytest.fixture
def at() -> Recorded:
    return Recorded()


def snapshot(taken_ms: int, at_ms: int | None = None, rtt_ms: float = 0) -> Snapshot:
    return Snapshot(view=View(at_ms=at_ms), taken_ms=taken_ms, rtt_ms=rtt_ms)


def test_the_present_is_asked_for_as_it_is(at: Recorded) -> None:
    view = View(queue="emails")
    assert at.recorder.dated(view) is view
    assert at.recorder.past_ms is None


def test_a_step_back_shows_the_past_and_the_clock_tells_its_time(at: Recorded) -> None:
    at.recorder.scrub(-60)
    assert at.recorder.past_ms == at.clock.now_ms() == NOW_MS - 60_000
    assert at.recorder.dated(View(queue="emails")) == View(queue="emails", at_ms=NOW_MS - 60_000)
    assert at.turns == 1


def test_steps_add_up(at: Recorded) -> None:
    at.recorder.scrub(-60)
    at.recorder.scrub(-5)
    assert at.recorder.past_ms == NOW_MS - 65_000


@pytest.mark.parametrize("step_s", [60, 61, None])
def test_running_into_the_present_comes_back_to_now(at: Recorded, step_s: float | None) -> None:
    at.recorder.scrub(-60)
    at.recorder.scrub(step_s)
    assert at.recorder.past_ms is None
    assert at.clock.now_ms() == NOW_MS
    assert at.turns == 2


def test_the_future_is_not_gone_to(at: Recorded) -> None:
    at.recorder.look_back(NOW_MS + 1)
    assert at.recorder.past_ms is None


def test_what_was_under_way_when_the_moment_changed_is_not_shown_and_not_heard(at: Recorded) -> None:
    at.recorder.scrub(-60)
    assert not at.recorder.shows(snapshot(NOW_MS + 9_000))
    assert at.clock.now_ms() == NOW_MS - 60_000


def test_ages_are_those_of_the_moment_that_was_seen(at: Recorded) -> None:
    at.recorder.scrub(-60)
    past_ms = at.recorder.past_ms
    assert at.recorder.shows(snapshot(NOW_MS - 62_000, at_ms=past_ms))
    assert at.clock.now_ms() == NOW_MS - 62_000
    assert at.recorder.past_ms == past_ms


def test_the_present_sets_the_clock_by_the_server(at: Recorded) -> None:
    assert at.recorder.shows(snapshot(NOW_MS + 2_000, rtt_ms=100))
    assert at.clock.now_ms() == NOW_MS + 2_050


def test_freezing_holds_the_moment_and_says_so_once_each_way(at: Recorded) -> None:
    at.recorder.freeze(True)
    assert at.recorder.frozen
    at.recorder.freeze(False)
    assert not at.recorder.frozen
    assert at.turns == 2
    assert at.recorder.past_ms is None
