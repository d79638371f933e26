"""The flight recorder gives back what was seen at a moment, in bounded memory."""

from __future__ import annotations

import random

from quarterdeck.inspect.recorder import APART_MS, BLOCK, FlightRecorder
from quarterdeck.model import Page, QueueStat, Screen, Snapshot, View

START_MS = 1_795_000_000_000


def _snapshot(number: int, *, step_ms: int = 1_000, queues: int = 3) -> Snapshot:
    rng = random.Random(number)
    stats = tuple(
        QueueStat(name=f"q{each}", depth=number + each, p95_ms=rng.random() * 100, depths=tuple(range(60)))
        for each in range(queues)
    )
    return Snapshot(
        view=View(screen=Screen.JOBS), taken_ms=START_MS + number * step_ms, queues=stats, page=Page(total=5)
    )


def _recorded(count: int, **options: int) -> FlightRecorder:
    recorder = FlightRecorder()
    for number in range(count):
        recorder.keep(_snapshot(number, **options))
    return recorder


def test_nothing_was_seen() -> None:
    recorder = FlightRecorder()
    assert recorder.at(START_MS) is None
    assert recorder.span_ms is None
    assert recorder.step(START_MS, 1) is None


def test_a_moment_gives_what_was_seen_last_before_it() -> None:
    recorder = _recorded(3 * BLOCK + 7)
    for number in (0, 1, BLOCK - 1, BLOCK, 2 * BLOCK + 5, 3 * BLOCK + 6):
        seen = recorder.at(START_MS + number * 1_000 + 999)
        assert seen is not None
        assert seen.queues[0].depth == number
        assert seen.queues == _snapshot(number).queues
        assert (seen.page, seen.view.at_ms) == (None, seen.taken_ms)


def test_before_the_first_is_the_first_and_after_the_last_the_last() -> None:
    for count in (5, BLOCK, 2 * BLOCK + 1):
        recorder = _recorded(count)
        first, last = recorder.at(0), recorder.at(10**15)
        assert first is not None
        assert last is not None
        assert (first.queues[0].depth, last.queues[0].depth) == (0, count - 1)
        assert recorder.span_ms == (START_MS, START_MS + (count - 1) * 1_000)


def test_reads_in_quick_succession_are_kept_now_and_then() -> None:
    recorder = _recorded(1_000, step_ms=APART_MS // 10)
    assert len(recorder) == 100
    last = recorder.at(10**15)
    assert last is not None
    assert last.queues[0].depth == 990


def test_stepping() -> None:
    recorder = _recorded(2 * BLOCK)
    at = START_MS + 40_000
    assert recorder.step(at, -1) == START_MS + 39_000
    assert recorder.step(at + 500, 1) == START_MS + 41_000
    assert recorder.step(at, -1_000) == START_MS
    assert recorder.step(at, 1_000) == START_MS + (2 * BLOCK - 1) * 1_000


def test_a_clock_that_goes_back_is_passed_over() -> None:
    recorder = _recorded(5)
    recorder.keep(_snapshot(2))
    assert len(recorder) == 5


def test_the_old_grows_coarser() -> None:
    recorder = _recorded(3_600)
    assert len(recorder) < 1_300
    last = recorder.at(10**15)
    assert last is not None
    assert last.queues[0].depth == 3_599
    early = recorder.at(START_MS + 600_000)
    assert early is not None
    assert 0 <= 600 - early.queues[0].depth <= 30


def test_memory_is_bounded() -> None:
    recorder = FlightRecorder(budget=100_000)
    for number in range(2_000):
        recorder.keep(_snapshot(number, step_ms=60_000, queues=20))
    assert recorder.size_bytes < 100_000 + BLOCK * 20_000  # the last block is not compressed yet
    last = recorder.at(10**15)
    assert last is not None
    assert last.queues[0].depth == 1_999


def test_an_hour_of_a_busy_screen_is_small() -> None:
    recorder = _recorded(3_600, queues=10)
    assert recorder.size_bytes < 2_000_000
