"""What Textual writes becomes cells; what does not paint is dropped, whoever put it there."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.cells import REST, Grid
from tui.terminal.frame import FrameParser
from tui.terminal.styles import StyleTable


def parsed(data: str, width: int = 12, height: int = 3, **options: bool) -> FrameParser:
    styles = StyleTable()
    parser = FrameParser(Grid(width, height, styles.default), styles, **options)
    parser.feed(data)
    return parser


def rows(parser: FrameParser) -> list[str]:
    return ["".join(row) for row in parser._grid.glyphs]


def test_rows_are_placed_and_styled() -> None:
    parser = parsed("\x1b[1;1H\x1b[31mred\x1b[0m plain\n\x1b[2;3H\x1b[1mbold\x1b[0m\x1b[1;1H")
    assert rows(parser)[:2] == ["red plain   ", "  bold      "]
    assert repr(parser._grid.styles[0][0]) == "Style(31;)"
    assert parser._grid.styles[0][4] is parser._grid.default
    assert (parser.row, parser.column) == (0, 0)


@pytest.mark.parametrize(
    "hostile",
    [
        "\x1b[2 q",
        "\x1b[J",
        "\x1b[2K",
        "\x1b[9X",
        "\x1b[?1049l",
        "\x1b[?1000h",
        "\x1b[6n",
        "\x1b[c",
        "\x1b[>25u",
        "\x1b]0;owned\x07",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]8;id=1;http://x\x1b\\",
        "\x1bP+q544e\x1b\\",
        "\x1b_apc\x1b\\",
        "\x1bc",
        "\x1b7",
        "\x1b(0",
        "\x1b#8",
        "\x1b[4h",
        "\x1b[2;3r",
        "\x1b[3S",
        "\x1b[5L",
        "\x1b[38:2::1:2:3m",
        "\x07",
        "\x0e",
        "\x08",
        "\t",
        "\x00",
        "\x7f",
        "\x9b",
        "\x85",
    ],
)
def test_what_does_not_paint_is_dropped_and_hides_nothing(hostile: str) -> None:
    parser = parsed(f"\x1b[1;1Hab{hostile}cd")
    assert rows(parser)[0] == "abcd        "
    assert parser.dropped == 1


@pytest.mark.parametrize("introducer", ["\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX"])
def test_an_unfinished_string_does_not_swallow_the_frame(introducer: str) -> None:
    parser = parsed(f"\x1b[1;1H{introducer}8;x\x1b[2;1Hseen")
    assert rows(parser)[1].startswith("seen")


@pytest.mark.parametrize(
    ("moves", "place"),
    [
        ("\x1b[H", (0, 0)),
        ("\x1b[2;5H", (1, 4)),
        ("\x1b[2;5H\x1b[A\x1b[2C", (0, 6)),
        ("\x1b[2;5H\x1b[9B\x1b[2D", (2, 2)),
        ("\x1b[2;5H\x1b[G", (1, 0)),
        ("\x1b[2;5H\x1b[3d", (2, 4)),
        ("\x1b[2;5H\x1b[E", (2, 0)),
        ("\x1b[2;5H\x1b[F", (0, 0)),
        ("\x1b[2;5H\r", (1, 0)),
        ("\x1b[3;5H\n", (2, 0)),
        ("\x1b[99;99H", (2, 11)),
        ("\x1b[0;0H", (0, 0)),
        ("\x1b[99999999999999999999H", (2, 0)),
    ],
)
def test_moves(moves: str, place: tuple[int, int]) -> None:
    parser = parsed(moves)
    assert (parser.row, parser.column) == place


def test_past_the_last_column_the_last_character_stays() -> None:
    assert rows(parsed("\x1b[1;1Habcdefgh", width=5))[0] == "abcdh"
    assert rows(parsed("\x1b[1;1Habcdé字", width=5))[0] == "abcd "


def test_half_a_wide_glyph_leaves_a_blank() -> None:
    assert rows(parsed("\x1b[1;1H字字\x1b[1;2Hx"))[0] == " x字" + REST + " " * 8
    assert rows(parsed("\x1b[1;1H字字\x1b[1;3Hx"))[0] == "字" + REST + "x" + " " * 9


def test_marks_in_a_segment_of_their_own_join_the_glyph_before() -> None:
    parser = parsed("\x1b[1;1He\x1b[31m\u0301\x1b[0mx")
    assert parser._grid.glyphs[0][:2] == ["e\u0301", "x"]


def test_ascii_only() -> None:
    assert rows(parsed("\x1b[1;1H┌字é", ascii_only=True))[0] == "+? e        "


@given(st.text(st.one_of(st.characters(), st.sampled_from("\x1b[];?0123456789HmJK\x07\\字")), max_size=200))
def test_any_text_keeps_the_grid_whole(data: str) -> None:
    grid = parsed(data, width=7)._grid
    for glyphs, styles in zip(grid.glyphs, grid.styles, strict=True):
        assert len(glyphs) == len(styles) == 7
        assert glyphs[0] != REST
        assert not {unicodedata.category(character) for character in "".join(glyphs)} & {"Cc", "Cf", "Cs"}
