"""The counts of an hour give depths, rates, failure rates and percentiles, and are read once."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.inspect.minutes import HOUR, MinuteStore, parse_minute
from quarterdeck.record import bucket_of

NOW = 1_000_000
NOW_MS = NOW * 60_000 + 30_000


def _flat(**counts: int) -> list[bytes]:
    return [part for name, value in counts.items() for part in (name.replace("__", "\t").encode(), str(value).encode())]


def _store(minutes: dict[int, list[bytes] | bytes | None]) -> MinuteStore:
    store = MinuteStore()
    store.absorb([[NOW - back, value] for back, value in minutes.items()])
    return store


def test_a_minute_is_parsed() -> None:
    minute = parse_minute(
        [b"in", b"5", b"depth", b"7", b"f\tcomplete", b"3", b"f\tus", b"900", b"f\tb60", b"2", b"a\tb\tfailed", b"1"]
    )
    assert (minute.enqueued, minute.depth) == (5, 7)
    counts = minute.functions["f"]
    assert (counts.complete, counts.us, counts.buckets) == (3, 900, {60: 2})
    assert minute.functions["a\tb"].failed == 1
    assert minute.finished == 4


def test_damage_in_a_minute_is_passed_over() -> None:
    odd: list[Any] = [b"f\tcomplete", b"x", b"f\tbx", b"1", b"f\tother", b"1", b"\xff\tfailed", b"1", b"in"]
    minute = parse_minute(odd)
    assert minute.finished == 1
    assert minute.enqueued == 0


def test_rates_take_the_running_minute_in_part() -> None:
    store = _store({0: _flat(**{"in": 30, "f__complete": 45}), 1: _flat(**{"in": 60, "f__complete": 90})})
    assert store.rates(NOW_MS) == (1.0, 1.5)
    assert store.per_minute(NOW_MS) == 45 + 90 * 0.5


def test_failure_rate_and_since_when() -> None:
    good, bad = _flat(f__complete=100), _flat(f__complete=80, f__failed=10, f__retried=10)
    store = _store({0: bad, 1: bad, 2: bad, 3: good, 4: good, 5: bad})
    assert store.failure_rate(NOW) == pytest.approx(60 / 500)
    assert store.failing_since(NOW) == (NOW - 2) * 60_000


def test_quiet_minutes_do_not_end_a_failing() -> None:
    bad = _flat(f__failed=5)
    store = _store({0: bad, 1: [], 2: bad, 3: [], 4: _flat(f__complete=9)})
    assert store.failing_since(NOW) == (NOW - 2) * 60_000


def test_nothing_ended_is_no_rate() -> None:
    store = _store({0: _flat(**{"in": 3})})
    assert store.failure_rate(NOW) is None
    assert store.failing_since(NOW) is None
    assert store.percentiles(NOW) == (None, None, None)


def test_aborts_are_neither_good_nor_bad() -> None:
    assert _store({0: _flat(f__complete=9, f__failed=1, f__aborted=90)}).failure_rate(NOW) == 0.1


def test_percentiles_come_from_a_quarter_of_an_hour() -> None:
    fast, slow = f"f__b{bucket_of(10_000)}", f"f__b{bucket_of(1_000_000)}"
    store = _store({0: _flat(**{fast: 95, slow: 5}), 14: _flat(**{fast: 0}), 15: _flat(**{slow: 10_000})})
    p50, p95, p99 = store.percentiles(NOW)
    assert p50 == pytest.approx(10, rel=0.05)
    assert p95 == pytest.approx(10, rel=0.05)
    assert p99 == pytest.approx(1_000, rel=0.05)


def test_depths_are_an_hour_with_gaps() -> None:
    store = _store({0: _flat(depth=5), 3: b"7", 4: None, 59: b"1"})
    depths = store.depths(NOW)
    assert len(depths) == HOUR
    assert (depths[-1], depths[-4], depths[-5], depths[0]) == (5, 7, None, 1)


def test_minutes_are_read_once() -> None:
    store = MinuteStore()
    first = store.wanted(NOW)
    assert [what for _, what in first].count("all") == 4
    assert len(first) == HOUR - 2
    store.absorb([[minute, [] if what == "all" else None] for minute, what in first])
    reads = 0
    while more := store.wanted(NOW):
        assert {what for _, what in more} == {"all"}
        assert len(more) <= 6
        store.absorb([[minute, []] for minute, _ in more])
        reads += 1
    assert reads == 9
    assert [minute for minute, _ in store.wanted(NOW + 1)] == [NOW - 1]


def test_the_whole_hour_can_be_asked_for() -> None:
    assert {what for _, what in MinuteStore().wanted(NOW, everything=True)} == {"all"}


def test_the_client_samples_where_nobody_does() -> None:
    store = MinuteStore()
    store.sample(NOW, 12)
    assert store.depths(NOW)[-1] == 12
    store.absorb([[NOW, _flat(depth=5)]])
    store.sample(NOW, 13)
    assert store.depths(NOW)[-1] == 5
    store.sample(NOW + 2 * HOUR, 1)
    assert store.depths(NOW)[-1] is None


def test_a_queue_that_nobody_counts_is_known_as_such() -> None:
    store = _store({0: [], 1: [], 2: None})
    assert not store.recorded
    assert _store({2: b"4"}).recorded


def test_function_stats() -> None:
    bucket = f"f__b{bucket_of(50_000)}"
    store = _store({0: _flat(f__complete=8, f__failed=2, f__us=500_000, **{bucket: 10}), 5: _flat(g__complete=1)})
    first, second = store.stats("q", NOW)
    assert (first.name, first.complete, first.failed, first.mean_ms) == ("f", 8, 2, 50)
    assert first.p95_ms == pytest.approx(50, rel=0.05)
    assert (first.counts[-1], sum(first.counts)) == (10, 10)
    assert (second.name, second.counts[-6], second.mean_ms) == ("g", 1, None)
    assert store.shares(NOW) == {"f": 0.2, "g": 0.0}


def test_the_minute_before_is_read_now_and_then() -> None:
    now = [100.0]
    store = MinuteStore(clock=lambda: now[0])
    read = []
    for _ in range(8):
        read.append(store.recent())
        now[0] += 1
    assert read == [2, 1, 1, 1, 1, 2, 1, 1]


def test_the_hour_is_told_a_minute_at_a_time() -> None:
    slow = bucket_of(2_000_000)
    store = _store(
        {
            0: _flat(**{"in": 6, "f__complete": 3, "f__failed": 1, f"f__b{slow}": 4}),
            1: [],
            2: b"5",  # of this one only the depth was read
        }
    )
    hour = store.hour(NOW)
    assert len(hour.arrived) == len(hour.p95_ms) == HOUR
    assert (hour.arrived[-3:], hour.finished[-3:], hour.failing[-3:]) == (
        (None, 0, 6),
        (None, 0, 4),
        (None, None, 0.25),
    )
    assert hour.p95_ms[-2] is None
    assert hour.p95_ms[-1] == pytest.approx(2_000, rel=0.3)
    assert set(hour.arrived[:-3]) == {None}
