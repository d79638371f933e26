"""A window holds a stretch of a long list; a cursor finds its key in it."""

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.cell import Age, Cell, Countdown, GridRow
from tui.widgets.clock import DeckClock
from tui.widgets.cursor import Cursor
from tui.widgets.window import RowWindow


def rows(*keys: str, text: str = "") -> list[GridRow]:
    return [GridRow(key, (text or key,)) for key in keys]


def keys(window: RowWindow) -> str:
    return "".join(row.key for row in window.rows)


def test_rows_are_found_by_their_place_in_the_whole_list() -> None:
    window = RowWindow(rows(*"abc"), 10, 1_000_000)
    assert window.row(9) is None
    assert window.row(10) == window.rows[0]
    assert window.row(13) is None
    assert window.index_of("c") == 12
    assert window.index_of("x") is None


def test_what_is_covered_ends_with_the_list() -> None:
    window = RowWindow(rows(*"abc"), 0, 3)
    assert window.covers(-5, 50)
    assert not RowWindow(rows(*"abc"), 0, 4).covers(0, 4)


def test_of_two_rows_with_one_key_the_first_is_found() -> None:
    assert RowWindow(rows(*"aba")).index_of("a") == 0


def test_held_rows_keep_their_order_and_take_new_cells() -> None:
    held = RowWindow(rows(*"abcd")).held_against(RowWindow(rows(*"xdca", text="new")))
    assert keys(held) == "abcd"
    assert [row.cells[0] for row in held.rows] == ["new", "b", "new", "new"]


def test_held_rows_go_on_at_the_end_where_the_new_reading_does() -> None:
    held = RowWindow(rows(*"cdef"), 2, 20).held_against(RowWindow(rows(*"efgh"), 4, 20))
    assert keys(held) == "cdefgh"
    assert held.at == 2


def test_held_rows_go_on_at_the_start_but_never_above_the_first_row() -> None:
    held = RowWindow(rows(*"cdef"), 2, 20).held_against(RowWindow(rows(*"abcd"), 0, 20))
    assert (keys(held), held.at) == ("abcdef", 0)
    shifted = RowWindow(rows(*"abc"), 0, 3).held_against(RowWindow(rows(*"xyabc"), 0, 5))
    assert (keys(shifted), shifted.at) == ("abc", 0)


def test_a_reading_from_elsewhere_replaces_what_is_held() -> None:
    held = RowWindow(rows(*"abc"), 0, 100).held_against(RowWindow(rows(*"xyz"), 97, 100))
    assert (keys(held), held.at) == ("xyz", 97)


def test_a_window_never_grows_without_bound() -> None:
    window = RowWindow([GridRow(str(at), ()) for at in range(100)], 1_000, 10_000)
    cut = window.around(1_090, 20)
    assert (cut.at, cut.end) == (1_080, 1_100)
    assert window.around(1_000, 20).at == 1_000
    assert window.around(1_050, 1_000) is window


@given(
    st.lists(st.sampled_from("abcdefgh"), unique=True),
    st.lists(st.sampled_from("abcdefgh"), unique=True),
    st.integers(0, 9),
)
def test_holding_never_doubles_or_reorders(old: list[str], new: list[str], at: int) -> None:
    before = RowWindow(rows(*old), at, 50)
    held = before.held_against(RowWindow(rows(*new), at, 50))
    assert len(set(keys(held))) == len(held.rows)
    assert held.at >= 0
    if set(old) & set(new):
        assert [key for key in keys(held) if key in old] == old


def test_the_cursor_follows_its_key() -> None:
    cursor = Cursor()
    cursor.go(1, RowWindow(rows(*"abc")))
    assert cursor.follow(RowWindow(rows(*"xyabc"))) == 2
    assert (cursor.index, cursor.target) == (3, "b")


def test_a_lost_cursor_points_at_nothing_until_its_key_is_back() -> None:
    cursor = Cursor()
    cursor.go(1, RowWindow(rows(*"abc")))
    cursor.follow(RowWindow(rows(*"ac")))
    assert (cursor.index, cursor.standing, cursor.target) == (1, "lost", None)
    cursor.follow(RowWindow(rows(*"bac")))
    assert (cursor.index, cursor.standing, cursor.target) == (0, "on", "b")


def test_a_cursor_sent_ahead_takes_what_arrives() -> None:
    cursor = Cursor()
    cursor.go(999, RowWindow(rows(*"abc"), 0, 1_000))
    assert (cursor.standing, cursor.target) == ("waiting", None)
    cursor.follow(RowWindow(rows(*"xyz"), 997, 1_000))
    assert (cursor.standing, cursor.target) == ("on", "z")


def test_a_cursor_survives_an_empty_list() -> None:
    cursor = Cursor()
    cursor.go(2, RowWindow(rows(*"abc")))
    cursor.follow(RowWindow())
    assert (cursor.index, cursor.target) == (0, None)
    cursor.follow(RowWindow(rows("n")))
    assert cursor.target == "n"


def test_countdowns_and_ages_are_told_on_the_servers_clock() -> None:
    clock = DeckClock(lambda: 1_000_000)
    clock.hear(1_060_000, round_trip_ms=20)
    row = GridRow("k", ("x", Countdown(1_072_010), Age(1_012_010), Countdown(None), Age(None)))
    shown = row.at(clock.now_ms())
    assert shown.cells == ("x", Cell("00:12"), Cell("48 s"), Cell("-", "muted"), Cell("-", "muted"))


def test_what_is_overdue_or_old_looks_it() -> None:
    assert Countdown(0).at(999).style == ""
    assert Countdown(0).at(5_000) == Cell("-00:05", "warn")
    assert Age(0, alarm_ms=60_000).at(60_000).style == "warn"
    assert Age(0, "muted", alarm_ms=60_000).at(59_999).style == "muted"


def test_a_row_without_time_in_it_is_itself() -> None:
    row = GridRow("k", ("x", Cell("y")))
    assert row.at(0) is row
