"""The round trip in the footer stands still while nothing happens, and moves when the server has become slow."""

from __future__ import annotations

import pytest

from tui.line import SteadyRoundTrip


def shown(*heard: float) -> list[float | None]:
    steady = SteadyRoundTrip()
    said = []
    for each in heard:
        steady.hear(each)
        said.append(steady.ms)
    return said


def test_small_differences_are_not_shown() -> None:
    assert set(shown(2.0, 7.0, 1.0, 9.9, 3.0, 6.0)) == {2.0}


def test_one_slow_read_is_not_the_usual() -> None:
    assert set(shown(*[40.0] * 5, 90.0, *[40.0] * 5)) == {40.0}


@pytest.mark.parametrize("slow", [80.0, 400.0, 5_000.0])
def test_a_slow_server_is_shown_within_a_few_reads(slow: float) -> None:
    said = shown(2.0, *[slow] * 5)
    assert said[-1] is not None
    assert said[-1] > 20


def test_recovery_is_shown_too() -> None:
    said = shown(*[400.0] * 5, *[2.0] * 20)
    assert said[-1] is not None
    assert said[-1] < 20


def test_nothing_heard_is_nothing_shown() -> None:
    assert SteadyRoundTrip().ms is None
