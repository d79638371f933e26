"""Colours and attributes: read as a terminal reads them, reduced, and written as the shortest difference."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.capabilities import ColourDepth
from tui.terminal.styles import StyleTable

CODES = ["", "0", "1", "2", "3", "4", "5", "7", "9", "21", "53", "22", "23", "24", "25", "27", "29", "55"]
COLOURS = ["31", "97", "39", "44", "104", "49", "38;5;9", "48;5;200", "38;2;1;2;3", "48;2;250;0;9", "38;5", "58;5;1"]
parameters = st.lists(st.sampled_from([*CODES, *COLOURS]), min_size=1, max_size=6).map(";".join)


def look(*sequences: str) -> pyte.screens.Char:
    screen = pyte.Screen(4, 1)
    pyte.Stream(screen).feed("".join(sequences) + "x")
    return screen.buffer[0][0]


@given(st.lists(parameters, min_size=1, max_size=4))
def test_a_difference_brings_a_terminal_to_the_same_look(steps: list[str]) -> None:
    table = StyleTable()
    style, written = table.default, []
    for step in steps:
        after = table.apply(style, step)
        written.append(table.delta(style, after))
        style = after
    assert look(*written) == look(table.delta(None, style))


@given(st.lists(st.sampled_from([*CODES[:10], *COLOURS[:-2]]), min_size=1, max_size=5).map(";".join))
def test_reading_agrees_with_a_terminal(given_parameters: str) -> None:
    table = StyleTable()
    assert look(f"\x1b[{given_parameters}m") == look(table.delta(None, table.apply(table.default, given_parameters)))


def test_equal_styles_are_one_object_and_cost_nothing() -> None:
    table = StyleTable()
    one = table.apply(table.default, "1;31")
    other = table.apply(table.apply(table.default, "31"), "1")
    assert one is other
    assert table.delta(one, other) == ""


def test_only_what_differs_is_sent() -> None:
    table = StyleTable()
    bold = table.apply(table.default, "1;38;2;1;2;3;48;2;9;9;9")
    brighter = table.apply(bold, "38;2;200;200;200")
    assert table.delta(bold, brighter) == "\x1b[38;2;200;200;200m"
    assert table.delta(brighter, table.default) == "\x1b[m"


def test_switching_bold_off_keeps_dim() -> None:
    table = StyleTable()
    both = table.apply(table.default, "1;2;31")
    dim = table.apply(table.apply(table.default, "2"), "31")
    assert table.delta(both, dim) in ("\x1b[22;2m", "\x1b[0;2;31m")


@pytest.mark.parametrize("depth", list(ColourDepth))
@given(red=st.integers(0, 255), green=st.integers(0, 255), blue=st.integers(0, 255), number=st.integers(0, 255))
def test_no_terminal_gets_more_colours_than_it_has(
    depth: ColourDepth, red: int, green: int, blue: int, number: int
) -> None:
    table = StyleTable(depth)
    for sgr in (f"38;2;{red};{green};{blue}", f"48;5;{number}", "91", "44", "1"):
        written = table.delta(None, table.apply(table.default, sgr))
        codes = re.findall(r"38;2|48;2|38;5|48;5|\d+", written)
        if depth < ColourDepth.TRUE:
            assert not {"38;2", "48;2"} & set(codes)
        if depth < ColourDepth.PALETTE:
            assert not {"38;5", "48;5"} & set(codes)
        if depth is ColourDepth.NONE:
            assert set(codes) <= {"0", "1"}


def test_attributes_stay_without_colours() -> None:
    table = StyleTable(ColourDepth.NONE)
    assert table.delta(None, table.apply(table.default, "7;31;48;2;1;2;3")) == "\x1b[0;7m"


def test_thousands_of_colours_do_not_pile_up() -> None:
    table = StyleTable()
    for number in range(20_000):
        style = table.apply(table.default, f"38;2;{number % 256};{number // 256};7")
        table.delta(table.default, style)
    assert len(table._parsed) <= 4096
    assert len(table._deltas) <= 4096
    assert len(table._interned) <= 4097


def test_an_absurd_parameter_list_is_cut() -> None:
    table = StyleTable()
    assert table.apply(table.default, "1;" * 100_000) is not None
