"""Durations are counted in buckets from which percentiles come back within 5 %."""

from __future__ import annotations

import math
import random

import pytest

from quarterdeck.record.histogram import LARGEST_BUCKET, bucket_of, merged, middle_of, percentile


@pytest.mark.parametrize(
    ("duration", "bucket"), [(-5, 0), (0, 0), (1, 0), (1.05, 0), (1.2, 1), (10**30, LARGEST_BUCKET)]
)
def test_the_ends(duration: float, bucket: int) -> None:
    assert bucket_of(duration) == bucket


def test_the_formula_of_the_docs() -> None:
    for duration in (2, 17, 999, 1_000, 85_000, 3_600_000_000):
        assert bucket_of(duration) == math.floor(math.log(duration) / math.log(1.1))


def test_the_middle_is_within_five_percent() -> None:
    for duration in (random.Random(1).uniform(1, 10**11) for _ in range(2_000)):
        assert middle_of(bucket_of(duration)) == pytest.approx(duration, rel=0.05)


@pytest.mark.parametrize("q", [0.0, 0.5, 0.95, 0.99, 1.0])
def test_percentiles_are_within_five_percent(q: float) -> None:
    rng = random.Random(7)
    durations = sorted(rng.lognormvariate(10, 2) + 1 for _ in range(5_000))
    counts: dict[int, int] = {}
    for duration in durations:
        counts[bucket_of(duration)] = counts.get(bucket_of(duration), 0) + 1
    exact = durations[max(0, math.ceil(q * len(durations)) - 1)]
    assert percentile(counts, q) == pytest.approx(exact, rel=0.05)


def test_nothing_counted_has_no_percentile() -> None:
    assert percentile({}, 0.5) is None
    assert percentile({3: 0}, 0.5) is None


def test_merging_adds_up() -> None:
    assert merged({1: 2, 5: 1}, {}, {5: 4}) == {1: 2, 5: 5}
