"""Amounts are typed with a unit, and are told so that they can be typed again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.text import amount, read_amount

DAY = 86_400_000


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("100000", "count", 100_000),
        ("100,000", "count", 100_000),
        ("100_000", "count", 100_000),
        ("20k", "count", 20_000),
        ("1.5M", "count", 1_500_000),
        ("30d", "ms", 30 * DAY),
        ("12h", "ms", DAY // 2),
        ("90 m", "ms", 5_400_000),
        ("1y", "ms", 365 * DAY),
        ("250ms", "ms", 250),
        ("2GB", "bytes", 2**31),
        ("2g", "bytes", 2**31),
        ("512 MB", "bytes", 2**29),
        ("1048576", "bytes", 2**20),
        ("1.5kb", "bytes", 1536),
    ],
)
def test_people_write_amounts_in_many_ways(text: str, unit: str, value: int) -> None:
    assert read_amount(text, unit) == value


@pytest.mark.parametrize(
    ("text", "unit"),
    [("", "count"), ("-1", "count"), ("many", "count"), ("5d", "count"), ("30", "ms"), ("30 GB", "ms"),
     ("1e5", "count"), ("2d", "bytes"), ("1 2", "count"), ("9" * 30, "count"), ("0x10", "bytes"), ("5", "ms")],
)  # fmt: skip
def test_what_is_no_amount_is_none(text: str, unit: str) -> None:
    assert read_amount(text, unit) is None


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (100_000, "count", "100,000"),
        (14 * DAY, "ms", "14d"),
        (36 * 3_600_000, "ms", "36h"),
        (90_000, "ms", "90s"),
        (1, "ms", "1ms"),
        (0, "ms", "0ms"),
        (2**29, "bytes", "512MB"),
        (3 * 2**29, "bytes", "1,536MB"),
        (1_000, "bytes", "1,000B"),
        (365 * DAY, "ms", "365d"),
    ],
)
def test_an_amount_is_told_in_the_largest_unit_that_is_exact(value: int, unit: str, text: str) -> None:
    assert amount(value, unit) == text


@given(st.integers(0, 2**45), st.sampled_from(["count", "ms", "bytes"]))
def test_what_is_told_can_be_typed(value: int, unit: str) -> None:
    assert read_amount(amount(value, unit), unit) == value
