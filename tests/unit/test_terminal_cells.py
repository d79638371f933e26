"""The grid keeps its rows whole through writing, erasing and resizing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.cells import REST, UNKNOWN, Grid
from tui.terminal.styles import StyleTable

DEFAULT = StyleTable().default


def grid(width: int = 4, height: int = 2) -> Grid:
    return Grid(width, height, DEFAULT)


def test_growing_blanks_and_shrinking_cuts() -> None:
    cells = grid()
    cells.put(0, 0, "abcd", DEFAULT)
    cells.resize(6, 3)
    assert cells.glyphs == [list("abcd  "), list("      "), list("      ")]
    cells.resize(2, 1)
    assert cells.glyphs == [["a", "b"]]
    assert cells.styles == [[DEFAULT, DEFAULT]]
    assert cells.dirty == {0}


def test_a_wide_glyph_cut_by_shrinking_is_blank() -> None:
    cells = grid()
    cells.put_glyph(0, 1, ("字", 2), DEFAULT)
    cells.resize(2, 1)
    assert cells.glyphs == [[" ", " "]]


def test_overwriting_either_half_blanks_the_other() -> None:
    left, right = grid(), grid()
    for cells in (left, right):
        cells.put_glyph(0, 1, ("字", 2), DEFAULT)
        assert cells.glyphs[0] == [" ", "字", REST, " "]
    left.put(0, 1, "x", DEFAULT)
    right.put(0, 2, "x", DEFAULT)
    assert left.glyphs[0] == list(" x  ")
    assert right.glyphs[0] == list("  x ")


def test_a_mark_goes_onto_the_wide_glyph_not_its_rest() -> None:
    cells = grid()
    cells.put_glyph(0, 0, ("字", 2), DEFAULT)
    cells.put_glyph(0, 2, ("\u0301", 0), DEFAULT)
    assert cells.glyphs[0][:2] == ["字\u0301", REST]


def test_a_mark_before_the_first_column_is_dropped() -> None:
    cells = grid()
    cells.put_glyph(0, 0, ("\u0301", 0), DEFAULT)
    assert cells.glyphs[0] == list("    ")


def test_marks_do_not_pile_up() -> None:
    cells = grid()
    for _ in range(1000):
        cells.put_glyph(0, 1, ("\u0301", 0), DEFAULT)
    assert len(cells.glyphs[0][0]) <= 16


def test_filling_with_the_unknown_equals_no_wanted_cell() -> None:
    cells = grid()
    cells.fill(UNKNOWN)
    assert all(glyph == UNKNOWN for row in cells.glyphs for glyph in row)


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from([("x", 1), ("字", 2), ("\u0301", 0)])),
        max_size=30,
    ),
    st.tuples(st.integers(1, 9), st.integers(1, 4)),
)
def test_halves_always_come_in_pairs(writes: list[tuple[int, int, tuple[str, int]]], size: tuple[int, int]) -> None:
    cells = grid(7, 2)
    for row, column, glyph in writes:
        cells.put_glyph(row, column, glyph, DEFAULT)
    cells.resize(*size)
    for glyphs in cells.glyphs:
        wide = [column for column, glyph in enumerate(glyphs) if glyph.startswith("字")]
        assert [column + 1 for column in wide] == [column for column, glyph in enumerate(glyphs) if glyph == REST]
