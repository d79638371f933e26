"""The ring keeps the newest lines, bounded and counted, and finds them by number and by position."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.logring import LINE_LIMIT, LogLine, LogRing


def filled(count: int, **bounds: int) -> LogRing:
    ring = LogRing(**bounds)
    for at in range(count):
        ring.append(LogLine(f"line {at}", at * 1_000, "ERROR" if at % 3 == 0 else "INFO"))
    return ring


def test_the_oldest_lines_make_room_and_are_counted() -> None:
    ring = filled(25, max_lines=10)
    assert [line.text for line in ring.shown()] == [f"line {at}" for at in range(15, 25)]
    assert (ring.first, ring.end, ring.dropped) == (15, 25, 15)


def test_bytes_are_bounded_too() -> None:
    ring = LogRing(max_bytes=10_000)
    for _ in range(100):
        ring.append(LogLine("x" * 1_000))
    assert ring.size_bytes <= 10_000
    assert ring.count == 8


def test_one_line_is_kept_however_long_it_is_and_cut() -> None:
    ring = LogRing(max_bytes=100)
    ring.append(LogLine("x" * 1_000_000))
    assert ring.count == 1
    assert len(ring.line(ring.first).text) == LINE_LIMIT + 1


def test_kept_lines_are_found_by_position_while_others_come_and_go() -> None:
    ring = filled(30, max_lines=20)
    ring.keep(lambda line: line.level == "ERROR")
    assert [ring.seq_at(at) for at in range(ring.count)] == [12, 15, 18, 21, 24, 27]
    ring.append(LogLine("fine", level="INFO"))
    ring.append(LogLine("bad", level="ERROR"))
    ring.append(LogLine("fine", level="INFO"))
    assert [ring.seq_at(at) for at in range(ring.count)] == [15, 18, 21, 24, 27, 31]
    assert ring.position_of(16) == 1
    assert ring.position_of(99) == ring.count
    ring.keep(None)
    assert ring.count == 20


def test_levels_rank_and_unknown_ones_are_information() -> None:
    assert LogLine("", level="debug").rank < LogLine("", level="odd").rank == LogLine("").rank
    assert LogLine("", level="WARNING").rank < LogLine("", level="Critical").rank


def test_clearing_goes_on_counting_lines() -> None:
    ring = filled(5)
    ring.clear()
    assert (ring.count, ring.first, ring.end, ring.dropped, ring.size_bytes) == (0, 5, 5, 0, 0)
    ring.append(LogLine("next"))
    assert ring.line(5).text == "next"


@pytest.mark.parametrize("kept", [False, True])
@given(lengths=st.lists(st.integers(0, 300), max_size=200), most=st.integers(1, 40))
def test_the_ring_is_the_tail_of_what_came(kept: bool, lengths: list[int], most: int) -> None:
    ring = LogRing(max_lines=most, max_bytes=8_000)
    if kept:
        ring.keep(lambda line: len(line.text) % 2 == 0)
    for length in lengths:
        ring.append(LogLine("x" * length))
    held = [ring.line(seq) for seq in range(ring.first, ring.end)]
    assert [len(line.text) for line in held] == lengths[len(lengths) - len(held) :]
    assert ring.dropped + len(held) == len(lengths)
    assert len(held) <= most
    assert list(ring.shown()) == [line for line in held if not kept or len(line.text) % 2 == 0]
    assert all(ring.position_of(ring.seq_at(at)) == at for at in range(ring.count))
