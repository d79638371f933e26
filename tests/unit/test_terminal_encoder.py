"""The encoder's economy and its care, beyond what the pictures compare."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder, Position, way
from tui.terminal.frame import FrameParser
from tui.terminal.styles import StyleTable


class Desk:
    """A grid, its parser and its encoder."""

    def __init__(self, width: int = 40, height: int = 6, **options: bool) -> None:
        styles = StyleTable()
        self.grid = Grid(width, height, styles.default)
        self.parser = FrameParser(self.grid, styles)
        self.encoder = Encoder(self.grid, styles, **options)
        self.encoder.blank()
        self.encoder.encode(10_000)

    def paint(self, data: str, limit: int = 10_000) -> str:
        self.parser.feed(data)
        return self.encoder.encode(limit).decode()


def test_a_near_change_is_joined_and_a_far_one_jumped_to() -> None:
    desk = Desk()
    desk.paint("\x1b[1;1Habcdefghijklmnopqrstuvwxyz")
    assert desk.paint("\x1b[1;1HAbcdEfghijklmnopqrstuvwxyZ").endswith("AbcdE\x1b[26GZ")


def test_blanks_to_the_end_are_erased_in_their_colour_only_where_the_terminal_can() -> None:
    row = "\x1b[2;1H\x1b[44mab" + " " * 38
    assert Desk(erases_in_colour=True).paint(row).endswith("ab\x1b[K")
    assert Desk(erases_in_colour=False).paint(row).endswith("ab" + " " * 38)
    plain = Desk(erases_in_colour=False)
    plain.paint("\x1b[2;1H" + "x" * 40)
    assert plain.paint("\x1b[2;1Hab" + " " * 38).endswith("ab\x1b[K")


@pytest.mark.parametrize("attribute", ["4", "7", "9", "21", "53"])
def test_blanks_that_show_a_line_or_are_reversed_are_written(attribute: str) -> None:
    assert "\x1b[K" not in Desk().paint(f"\x1b[2;1H\x1b[{attribute}m" + " " * 40)


def test_long_blanks_within_a_row_are_erased() -> None:
    assert "\x1b[30X" in Desk().paint("\x1b[1;1H\x1b[44ma" + " " * 30 + "b")


def test_nothing_is_trusted_after_a_glyph_of_doubtful_width() -> None:
    data = Desk().paint("\x1b[1;1H🎉x")
    assert data.endswith("  \x1b[2D🎉\x1b[1;3Hx")


def test_after_the_last_column_only_the_row_is_sure() -> None:
    desk = Desk(width=9)
    assert desk.paint("\x1b[1;9Hx\x1b[2;1Hy").endswith("x\r\ny")
    assert desk.paint("\x1b[3;9Hx\x1b[4;8Hy").endswith("x\x1b[4;8Hy")
    desk.encoder.feeds = True
    assert desk.paint("\x1b[1;9Hz\x1b[2;8Hz").endswith("z\n\x1b[8Gz")


@pytest.mark.parametrize(
    ("here", "there", "feeds", "shortest"),
    [
        ((3, 9), (4, 8), False, "\x1b[B\b"),
        ((3, 9), (4, 8), True, "\n\b"),
        ((3, 9), (6, 9), True, "\n\n\n"),
        ((3, 9), (9, 9), True, "\x1b[6B"),
        ((3, 9), (4, 0), False, "\r\n"),
        ((3, 9), (4, 0), True, "\n\r"),
        ((3, 30), (4, 2), True, "\n\x1b[3G"),
        ((3, 9), (2, 9), True, "\x1b[A"),
        ((3, 9), (3, 0), False, "\r"),
        ((3, None), (3, 0), True, "\r"),
        ((3, None), (3, 72), True, "\x1b[73G"),
        ((3, None), (4, 72), True, "\n\x1b[73G"),
        ((3, 9), (0, 0), True, "\x1b[H"),
        (None, (4, 8), True, "\x1b[5;9H"),
    ],
)
def test_the_shortest_way(
    here: tuple[int, int | None] | None, there: tuple[int, int], feeds: bool, shortest: str
) -> None:
    assert way(here and Position(*here), Position(*there), feeds=feeds) == shortest


def test_a_line_feed_is_a_byte_where_it_goes_straight_down() -> None:
    sizes = []
    for feeds in (False, True):
        desk = Desk()
        desk.paint("".join(f"\x1b[{row};9H12" for row in range(1, 7)))
        desk.encoder.feeds = feeds
        sizes.append(len(desk.paint("".join(f"\x1b[{row};10H3" for row in range(1, 7)))))
    assert sizes[0] - sizes[1] == 5 * 2


def test_pieces_keep_to_their_limit_and_end_with_the_newest_picture() -> None:
    desk = Desk(width=80, height=24)
    desk.parser.feed("".join(f"\x1b[{y};1H\x1b[3{y % 8}m{'abc ' * 20}" for y in range(1, 25)))
    sizes = []
    while desk.encoder.pending:
        sizes.append(len(desk.encoder.encode(300)))
        desk.parser.feed("\x1b[24;1H\x1b[m" + "z" * 80)
        desk.grid.dirty.discard(23) if len(sizes) > 20 else None
    assert max(sizes) <= 300


def test_rows_in_a_hurry_go_first() -> None:
    desk = Desk()
    desk.parser.feed("\x1b[1;1Hslow\x1b[5;1Hquick")
    desk.encoder.hurry({4})
    assert desk.encoder.hurried
    assert "quick" in (first := desk.encoder.encode(1000).decode())
    assert "slow" not in first
    assert "slow" in desk.encoder.encode(1000).decode()
    assert not desk.encoder.hurried


def test_the_colour_of_a_blank_is_nobody_s_business() -> None:
    desk = Desk()
    desk.paint("\x1b[1;1H\x1b[31;44ma  b\x1b[0m")
    assert desk.paint("\x1b[1;2H\x1b[1;32;44m  \x1b[0m") == ""
    assert desk.paint("\x1b[1;2H\x1b[31;45m  \x1b[0m").endswith("\x1b[45m  ")


def test_blanks_go_with_the_text_beside_them() -> None:
    data = Desk().paint("\x1b[1;1H\x1b[31;44mab\x1b[32;44m  \x1b[35;44m  cd\x1b[31;44m \x1b[0m")
    assert data == "\x1b[H\x1b[0;31;44mab    \x1b[35mcd "


@pytest.mark.parametrize("attribute", ["4", "7", "9"])
def test_a_line_under_blanks_and_a_reversed_one_are_sent(attribute: str) -> None:
    desk = Desk()
    desk.paint("\x1b[1;1Ha   b")
    assert desk.paint(f"\x1b[1;2H\x1b[{attribute}m   \x1b[0m").endswith("   ")


def test_what_was_not_sent_for_looking_the_same_is_sent_when_text_comes_there() -> None:
    desk = Desk()
    desk.paint("\x1b[1;1H\x1b[31ma  b\x1b[0m")
    desk.paint("\x1b[1;2H\x1b[32m  \x1b[0m")
    assert desk.paint("\x1b[1;2H\x1b[32mx\x1b[0m").endswith("\x1b[32mx")


def test_cells_of_one_colour_are_painted_together_where_moves_are_shorter_than_colours() -> None:
    key, word = "\x1b[38;2;200;204;210m", "\x1b[38;2;134;142;152m"
    data = Desk().paint(f"\x1b[1;1H{key}l{word} logs {key}? {word}help{key} e {word}new\x1b[0m")
    assert data.count("38;2;") == 2


def test_erased_blanks_follow_the_text_before_them_when_a_row_is_painted_colour_by_colour() -> None:
    key, word = "\x1b[38;2;200;204;210m", "\x1b[38;2;134;142;152m"
    data = Desk().paint(f"\x1b[1;1H\x1b[44m{key}one{word}{' ' * 15}two{key}three{word}four\x1b[0m")
    assert data.count("38;2;") == 2
    assert "one\x1b[15X\x1b[22Gthree" in data


def test_two_colours_one_after_the_other_stay_in_their_order() -> None:
    data = Desk().paint("\x1b[1;1H\x1b[31mone\x1b[32mtwo\x1b[33mthree\x1b[0m")
    assert data == "\x1b[H\x1b[0;31mone\x1b[32mtwo\x1b[33mthree"


def test_the_neighbour_of_a_glyph_of_doubtful_width_is_written_after_it() -> None:
    red, grey = "\x1b[38;2;200;4;10m", "\x1b[38;2;134;142;152m"
    data = Desk().paint(f"\x1b[1;1H{red}one {grey}two {red}🎉{grey}three {red}four\x1b[0m")
    assert data.index("one") < data.index("two") < data.index("🎉") < data.index("three") < data.index("four")


def test_a_cut_row_goes_on_where_it_was_cut_whatever_its_order() -> None:
    desk = Desk()
    red, grey = "\x1b[38;2;200;4;10m", "\x1b[38;2;134;142;152m"
    desk.parser.feed(f"\x1b[1;1H{red}one{grey}two{red}three{grey}four{red}five\x1b[0m")
    pieces = []
    while desk.encoder.pending:
        pieces.append(desk.encoder.encode(30).decode())
    assert len(pieces) > 1
    assert all(sum(word in piece for piece in pieces) == 1 for word in ("one", "two", "three", "four", "five"))


def test_what_came_and_went_is_never_sent() -> None:
    desk = Desk()
    desk.parser.feed("\x1b[1;1Hone")
    desk.parser.feed("\x1b[1;1Htwo")
    assert "one" not in desk.encoder.encode(1000).decode()


def test_parking_moves_once() -> None:
    desk = Desk()
    assert desk.encoder.park(2, 3) == b"\x1b[3;4H"
    assert desk.encoder.park(2, 3) == b""


@given(here=st.tuples(st.integers(0, 5), st.integers(0, 38)), there=st.tuples(st.integers(0, 5), st.integers(0, 39)))
def test_moves_are_never_longer_than_an_absolute_one(here: tuple[int, int], there: tuple[int, int]) -> None:
    desk = Desk()
    desk.encoder.park(*here)
    assert len(desk.encoder.park(*there)) <= len(f"\x1b[{there[0] + 1};{there[1] + 1}H")
