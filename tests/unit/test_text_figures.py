"""Figures are short, never wrong by a unit, and never cross a bound by rounding."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.text import (
    cell_width,
    count_of,
    countdown,
    human_age,
    human_bytes,
    human_count,
    human_duration,
    human_percent,
    human_rate,
    sparkline,
)

NUMBERS = st.one_of(st.none(), st.floats(), st.floats(-1e6, 1e13))


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"),
        (-1, "-"),
        (0, "0ms"),
        (0.4, "<1ms"),
        (85, "85ms"),
        (999.4, "999ms"),
        (999.6, "1.0s"),
        (1200, "1.2s"),
        (9949, "9.9s"),
        (9950, "10s"),
        (41000, "41s"),
        (59600, "1m00s"),
        (250000, "4m10s"),
        (7500000, "2h05m"),
        (86400000, "1d00h"),
        (300000000, "3d11h"),
        (math.nan, "-"),
        (math.inf, "-"),
    ],
)
def test_durations(ms: float | None, shown: str) -> None:
    assert human_duration(ms) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"),
        (-5000, "0 s"),
        (0, "0 s"),
        (48000, "48 s"),
        (99999, "99 s"),
        (100000, "1 m"),
        (250000, "4 m"),
        (7200000, "2 h"),
        (5999000, "99 m"),
        (172800000, "2 d"),
        (math.nan, "-"),
    ],
)
def test_ages(ms: float | None, shown: str) -> None:
    assert human_age(ms) == shown


@pytest.mark.parametrize(
    ("count", "width", "shown"),
    [
        (None, 9, "-"),
        (0, 9, "0"),
        (1204, 9, "1,204"),
        (1234567, 9, "1,234,567"),
        (12345678, 9, "12M"),
        (1234567, 5, "1.2M"),
        (123456, 6, "123k"),
        (999600, 6, "1.0M"),
        (10**30, 9, "1000000000000E"),
    ],
)
def test_counts(count: float | None, width: int, shown: str) -> None:
    assert human_count(count, width) == shown


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (None, "-"),
        (0, "0"),
        (0.01, "<0.1"),
        (0.1, "0.1"),
        (20.14, "20.1"),
        (99.94, "99.9"),
        (99.96, "100"),
        (1284, "1,284"),
        (math.nan, "-"),
    ],
)
def test_rates(rate: float | None, shown: str) -> None:
    assert human_rate(rate) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (None, "-"),
        (0, "0%"),
        (1e-05, "<0.1%"),
        (0.003, "0.3%"),
        (0.061, "6.1%"),
        (0.42, "42%"),
        (0.9999, "99%"),
        (1, "100%"),
        (1.5, "150%"),
    ],
)
def test_percents(share: float | None, shown: str) -> None:
    assert human_percent(share) == shown


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "-"),
        (0, "0 B"),
        (812, "812 B"),
        (1024, "1.0 KB"),
        (4300, "4.2 KB"),
        (1048000, "1023 KB"),
        (1048500, "1.0 MB"),
        (31000000, "30 MB"),
    ],
)
def test_bytes(size: float | None, shown: str) -> None:
    assert human_bytes(size) == shown


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "-"),
        (12000, "00:12"),
        (11001, "00:12"),
        (8049000, "02:14:09"),
        (0, "00:00"),
        (400, "00:01"),
        (-400, "00:00"),
        (-5000, "-00:05"),
        (300000000, "3d 11:20"),
        (-90000000, "-1d 01:00"),
    ],
)
def test_countdowns(ms: float | None, shown: str) -> None:
    assert countdown(ms) == shown


@given(NUMBERS)
def test_no_number_breaks_a_figure(number: float | None) -> None:
    for figure in (human_age, human_bytes, human_count, human_duration, human_percent, human_rate, countdown):
        assert figure(number)


def test_a_sparkline_reads_from_left_to_right() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 7], 4) == "  ▁█"
    assert sparkline([0, None, 7], 3, ascii=True) == "_ #"
    assert sparkline([], 3) == "   "
    assert sparkline([1], 0) == ""


def test_only_zero_looks_like_zero() -> None:
    assert sparkline([0, 1, 1_000_000], 3) == "▁▂█"
    assert sparkline([0, 0], 2) == "▁▁"


def test_a_spike_survives_being_gathered() -> None:
    values = [0.0] * 60
    values[37] = 9
    assert sparkline(values, 10).count("█") == 1


def test_a_top_makes_lines_comparable() -> None:
    assert sparkline([5], 1, top=10) == "▅"
    assert sparkline([50], 1, top=10) == "█"


@given(st.lists(st.one_of(st.none(), st.floats()), max_size=80), st.integers(0, 40), st.booleans(), st.booleans())
def test_a_sparkline_has_its_width(values: list[float | None], width: int, plain: bool, coarse: bool) -> None:
    line = sparkline(values, width, ascii=plain, coarse=coarse)
    assert cell_width(line) == width
    assert line.isascii() or not plain


def test_a_coarse_sparkline_changes_far_less_often() -> None:
    walk = random.Random(1)
    depth, hour = 100, [None, *([100] * 59)]
    changed = {False: 0, True: 0}
    before = {coarse: sparkline(hour, 20, coarse=coarse) for coarse in changed}
    for second in range(3_600):
        depth = max(0, depth + walk.randint(-9, 9))
        hour = [*hour[1:], depth] if second % 60 == 0 else [*hour[:-1], depth]
        for coarse in changed:
            after = sparkline(hour, 20, coarse=coarse)
            changed[coarse] += sum(one != other for one, other in zip(before[coarse], after, strict=True))
            before[coarse] = after
    assert changed[True] < 0.6 * changed[False]


@pytest.mark.parametrize("plain", [False, True])
def test_a_coarse_sparkline_has_three_heights_and_keeps_what_matters(plain: bool) -> None:
    line = sparkline([*([0] * 10), *range(50)], 20, plain, coarse=True)
    assert len(line) == 20
    assert len(set(line)) == 3
    assert line[::2] == line[1::2]
    assert sparkline([0] * 30, 10, plain, coarse=True) == sparkline([0], 1, plain) * 10
    spike = sparkline([0] * 59 + [1_000], 9, plain, coarse=True)
    assert len(spike) == 9
    assert spike.strip()[:1] != spike[-1]
    assert sparkline([1], 1, plain, coarse=True) == sparkline([1], 1, plain)
    assert sparkline([None], 4, plain, coarse=True) == "    "


def test_a_count_goes_with_its_noun() -> None:
    assert [count_of(count, "job") for count in (0, 1, 2, 1_204_000)] == ["0 jobs", "1 job", "2 jobs", "1,204,000 jobs"]
    assert (count_of(1, "query", "queries"), count_of(3, "query", "queries")) == ("1 query", "3 queries")
