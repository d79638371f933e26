"""The grid: a window over any length, a cursor that stands on a key, only changed lines painted."""

from collections.abc import Sequence
from typing import ClassVar

import pytest
from fingers import press
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.message import Message

from tui.look.glyphs import ASCII, UNICODE
from tui.widgets import gridview
from tui.widgets.cell import Cell, Countdown, GridRow
from tui.widgets.clock import DeckClock
from tui.widgets.columns import Column
from tui.widgets.grid import Grid

COLUMNS = (
    Column("name", "NAME", 10, flex=1, sortable=True),
    Column("count", "count", 8, align="right", sortable=True, descending=True),
    Column("extra", "extra", 20, priority=1),
)


def row(key: object, text: str = "", count: object = "") -> GridRow:
    return GridRow(str(key), (text or f"row {key}", str(count), "more"))


class Deck(App[None]):
    CSS = "Grid { height: 1fr; } .deck--cursor { text-style: reverse; } .deck--bad { color: red; }"

    def __init__(self, total: int = 0, glyphs: object = UNICODE) -> None:
        super().__init__()
        self.total = total
        self.glyphs = glyphs
        self.now_ms = 1_000_000
        self.news: list[Message] = []
        self.answering = True

    def compose(self) -> ComposeResult:
        yield Grid(COLUMNS, clock=DeckClock(lambda: self.now_ms))

    @property
    def grid(self) -> Grid:
        return self.query_one(Grid)

    def read(self, offset: int, limit: int) -> Sequence[GridRow]:
        return [row(at, count=at) for at in range(offset, min(self.total, offset + limit))]

    def on_grid_window_wanted(self, event: Grid.WindowWanted) -> None:
        self.news.append(event)
        if self.total and self.answering:
            self.grid.show(self.read(event.offset, event.limit), event.offset, self.total)

    def on_grid_cursor_moved(self, event: Grid.CursorMoved) -> None:
        self.news.append(event)

    def on_grid_row_opened(self, event: Grid.RowOpened) -> None:
        self.news.append(event)

    def on_grid_marked(self, event: Grid.Marked) -> None:
        self.news.append(event)

    def on_grid_sort_wanted(self, event: Grid.SortWanted) -> None:
        self.news.append(event)

    def on_grid_edge_reached(self, event: Grid.EdgeReached) -> None:
        self.news.append(event)

    def told(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.news if isinstance(message, kind)]


@pytest.fixture
def repainted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Region, ...]]:
    """The regions of every refresh of a grid; `()` is the whole of it."""
    seen: list[tuple[Region, ...]] = []
    original = Grid.refresh

    def refresh(self: Grid, *regions: Region, **options: bool) -> Grid:
        seen.append(regions)
        return original(self, *regions, **options)

    monkeypatch.setattr(Grid, "refresh", refresh)
    return seen


async def test_a_million_rows_are_a_window() -> None:
    app = Deck(1_000_000)
    async with app.run_test(size=(60, 12)) as pilot:
        await press(pilot, "G")
        await pilot.pause()
        assert app.grid.cursor_key == "999999"
        assert app.grid.visible_text()[-1].startswith("▸row 999999")
        assert app.grid.position == "999,990-1,000,000 of 1,000,000"
        wanted = app.told(Grid.WindowWanted)
        assert len(wanted) == 2
        assert all(message.limit <= 3 * 12 for message in wanted)
        await press(pilot, "g")
        await pilot.pause()
        assert app.grid.cursor_key == "0"


async def test_scrolling_asks_ahead_and_not_at_every_step() -> None:
    app = Deck(1_000)
    async with app.run_test(size=(60, 11)) as pilot:
        for _ in range(30):
            app.grid.action_move(2)
            await pilot.pause()
        assert app.grid.cursor_key == "60"
        assert "·" not in "".join(app.grid.visible_text())
        assert len(app.told(Grid.WindowWanted)) < 8


async def test_rows_that_have_not_arrived_are_placeholders_that_nothing_acts_on() -> None:
    app = Deck(1_000)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        app.answering = False
        await press(pilot, "G", "space", "enter")
        while app.grid.awaiting:
            await pilot.pause()
        assert app.grid.visible_text()[1].split() == ["·", "·", "·"]
        assert app.grid.cursor_key is None
        assert app.grid.targets == ()
        assert not app.told(Grid.RowOpened)
        app.grid.show(app.read(990, 10), 990, 1_000)
        assert app.grid.cursor_key == "999"


async def test_the_cursor_follows_its_key_and_the_view_follows_the_cursor() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([row(key) for key in "abcdefghij"])
        await press(pilot, "j", "j")
        assert app.grid.cursor_key == "c"
        app.grid.show([row(key) for key in "xyabcdefghij"])
        assert app.grid.cursor_key == "c"
        assert app.grid.visible_text()[1].startswith(" row x")
        app.grid.show([row(key) for key in "uvwxyabcdefghij"])
        assert app.grid.cursor_key == "c"
        assert any(line.startswith("▸row c") for line in app.grid.visible_text())


async def test_new_rows_above_do_not_move_the_view_of_one_who_scrolled_down() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([row(key) for key in "abcdefghij"])
        await press(pilot, "G", "k")
        before = app.grid.visible_text()[1:]
        app.grid.show([row(key) for key in "xyzabcdefghij"])
        assert [line[:-1] for line in app.grid.visible_text()[1:]] == [line[:-1] for line in before]


async def test_until_the_operator_comes_the_cursor_stays_on_top() -> None:
    app = Deck()
    app.AUTO_FOCUS = ""
    async with app.run_test(size=(60, 6)):
        app.grid.show([row(key) for key in "abc"])
        app.grid.show([row(key) for key in "xabc"])
        assert app.grid.cursor_key == "x"
        assert "▸" not in "".join(app.grid.visible_text())


async def test_a_row_that_slid_under_the_cursor_is_not_acted_upon() -> None:
    app = Deck()
    async with app.run_test(size=(60, 8)) as pilot:
        app.grid.show([row(key) for key in "abcd"])
        await press(pilot, "j")
        app.grid.show([row(key) for key in "acd"])
        assert app.grid.cursor_key is None
        assert app.grid.targets == ()
        assert app.grid.visible_text()[2].startswith("▹row c")
        await press(pilot, "enter")
        assert not app.told(Grid.RowOpened)
        assert app.grid.cursor_key == "c"
        await press(pilot, "enter")
        assert [message.key for message in app.told(Grid.RowOpened)] == ["c"]


@pytest.mark.parametrize(("key", "lands_on"), [("j", "c"), ("k", "a"), ("space", "c")])
async def test_the_first_step_from_a_lost_row_is_to_its_neighbour(key: str, lands_on: str) -> None:
    app = Deck()
    async with app.run_test(size=(60, 8)) as pilot:
        app.grid.show([row(name) for name in "abcd"])
        await press(pilot, "j")
        app.grid.show([row(name) for name in "acd"])
        await press(pilot, key)
        assert app.grid.cursor_key == lands_on
        assert app.grid.marked == ()


async def test_a_key_that_is_known_to_be_elsewhere_can_be_placed() -> None:
    app = Deck(1_000)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        app.grid.place("500", 500)
        await pilot.pause()
        assert app.grid.cursor_key == "500"


async def test_marks_belong_to_keys_and_hold_the_order() -> None:
    app = Deck()
    async with app.run_test(size=(60, 8)) as pilot:
        app.grid.show([row(key) for key in "abcd"])
        await press(pilot, "space", "j", "space")
        assert app.grid.marked == ("a", "c")
        assert app.grid.targets == ("a", "c")
        app.grid.show([row(key, text=f"new {key}") for key in "dcxba"])
        assert [line.split()[1] for line in app.grid.visible_text()[1:5]] == ["a", "b", "c", "d"]
        assert app.grid.visible_text()[1].startswith("•new a")
        assert "held" in app.grid.position
        await press(pilot, "escape")
        assert app.grid.marked == ()
        app.grid.show([row(key) for key in "dcxba"])
        assert app.grid.visible_text()[1].startswith((" row d", "▸row d"))


async def test_all_visible_rows_are_marked_and_unmarked_by_one_key() -> None:
    app = Deck(100)
    async with app.run_test(size=(60, 6)) as pilot:
        await press(pilot, "*")
        assert app.grid.marked == ("0", "1", "2", "3", "4")
        await press(pilot, "*")
        assert app.grid.marked == ()
        assert [message.keys for message in app.told(Grid.Marked)] == [("0", "1", "2", "3", "4"), ()]


async def test_escape_belongs_to_the_screen_when_nothing_is_marked() -> None:
    heard: list[str] = []

    class Listening(Deck):
        BINDINGS: ClassVar = [("escape", "back", "Back")]

        def action_back(self) -> None:
            heard.append("back")

    app = Listening(5)
    async with app.run_test(size=(60, 6)) as pilot:
        await press(pilot, "space", "escape")
        assert heard == []
        await press(pilot, "escape")
        assert heard == ["back"]


async def test_hold_keeps_the_rows_still_under_a_dialog() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)):
        app.grid.show([row(key) for key in "ab"])
        app.grid.hold = True
        app.grid.show([row(key) for key in "ba"])
        assert app.grid.visible_text()[1].split()[-2] == "a"
        app.grid.hold = False
        app.grid.show([row(key) for key in "ba"])
        assert app.grid.visible_text()[1].split()[-2] == "b"


async def test_the_order_is_asked_for_column_by_column() -> None:
    app = Deck(5)
    async with app.run_test(size=(60, 6)) as pilot:
        await press(pilot, "o", "o", "O", "o")
        asked = [(message.column, message.descending) for message in app.told(Grid.SortWanted)]
        assert asked == [("name", False), ("count", True), ("count", False), ("name", False)]
        assert "NAME▲" in app.grid.visible_text()[0]
        app.grid.sorted_by("count", descending=True)
        assert "▼count" in app.grid.visible_text()[0]
        app.grid.sorted_by(None)
        assert "▼" not in app.grid.visible_text()[0]


async def test_the_next_widget_is_told_when_the_edge_is_reached() -> None:
    app = Deck(2)
    async with app.run_test(size=(60, 6)) as pilot:
        await press(pilot, "k", "j", "j")
        assert [message.step for message in app.told(Grid.EdgeReached)] == [-1, 1]


async def test_narrow_screens_drop_what_matters_least() -> None:
    for width, there in ((80, True), (30, False)):
        app = Deck(3)
        async with app.run_test(size=(width, 6)) as pilot:
            await pilot.pause()
            assert ("extra" in app.grid.visible_text()[0]) is there


async def test_an_empty_list_says_so_only_when_it_is_known_to_be_empty() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.pause()
        assert "nothing here" not in "".join(app.grid.visible_text())
        app.grid.show([])
        assert app.grid.visible_text()[1].strip() == "nothing here"
        await press(pilot, "j", "G", "space", "enter", "*", "pageup")
        assert app.grid.cursor_key is None


async def test_only_lines_that_changed_are_painted(repainted: list[tuple[Region, ...]]) -> None:
    app = Deck()
    async with app.run_test(size=(60, 10)) as pilot:
        rows = [row(key) for key in "abcdefgh"]
        app.grid.show(rows)
        await pilot.pause()
        repainted.clear()
        app.grid.show(rows)
        assert repainted == []
        rows[2], rows[3], rows[6] = row("c", "new"), row("d", "new"), row("g", "new")
        app.grid.show(rows)
        assert repainted == [(Region(0, 3, 60, 2), Region(0, 7, 60, 1))]
        repainted.clear()
        await press(pilot, "j")
        assert repainted == [(Region(0, 1, 60, 2),)]


async def test_countdowns_tick_without_new_data(repainted: list[tuple[Region, ...]]) -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([row("a"), GridRow("b", ("due", Countdown(1_012_000), ""))])
        await pilot.pause()
        assert "00:12" in app.grid.visible_text()[2]
        repainted.clear()
        app.grid.tick()
        assert repainted == []
        app.now_ms += 1_000
        app.grid.tick()
        assert repainted == [(Region(0, 2, 60, 1),)]
        assert "00:11" in app.grid.visible_text()[2]


HOSTILE = (
    *(
        "[red]x[/]",
        "[/]",
        "[@click=app.quit]x[/]",
        "\x1b[2J\x9b31m\x07",
        "\u202eabc\u2066",
        "日本語" * 30,
        "e\u0301" * 40,
    ),
    *("\ud800", "x" * 100_000),
)


async def test_what_is_in_a_cell_is_text() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        for hostile in HOSTILE:
            cells = (hostile, Cell(hostile, "bad"), Cell(runs=((hostile, "bad"), (hostile, ""))))
            app.grid.show([GridRow(hostile, cells)])
            await pilot.pause()
            lines = app.grid.visible_text()
            assert all(line.isprintable() for line in lines)
            assert all(app.grid.render_line(y).cell_length == 60 for y in range(6))
            if hostile.startswith("["):
                assert hostile[:7] in lines[1]


async def test_ascii_mode_paints_nothing_else() -> None:
    app = Deck(glyphs=ASCII)
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([GridRow(str(at), ("Grüße ✓ …", Cell("▁█"), "日")) for at in range(20)])
        app.grid.sorted_by("count", descending=True)
        await press(pilot, "space")
        assert "".join(app.grid.visible_text()).isascii()
        assert app.grid.visible_text()[1].startswith("*Gru?e + ~")


async def test_cells_take_their_style_from_the_stylesheet() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([GridRow("a", (Cell("x", "bad"), Cell("y", "unknown-to-this-version"), "")), row("b")])
        await press(pilot, "j")
        reds = [segment.text for segment in app.grid.render_line(1) if segment.style.color.name == "#ff0000"]
        assert [text.strip() for text in reds] == ["x"]
        assert any(segment.style.reverse for segment in app.grid.render_line(2))


async def test_a_row_with_too_few_cells_is_still_a_row() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)):
        app.grid.show([GridRow("a", ("only",)), GridRow("b", ())])
        assert app.grid.visible_text()[1].split() == ["▸only"]


async def test_the_mouse_moves_opens_sorts_and_scrolls() -> None:
    app = Deck(100)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.click(Grid, offset=(5, 4))
        assert app.grid.cursor_key == "3"
        await pilot.click(Grid, offset=(5, 4), times=2)
        assert [message.key for message in app.told(Grid.RowOpened)] == ["3"]
        await pilot.click(Grid, offset=(3, 0))
        assert app.grid.sorting == ("name", False)
        app.grid._scroll(3)
        assert app.grid.visible_text()[1].split()[1] == "3"
        app.grid._scroll(-30)
        assert app.grid.visible_text()[1].split()[1] == "0"


async def test_a_resize_lays_out_anew_and_keeps_the_cursor_in_view() -> None:
    app = Deck(100)
    async with app.run_test(size=(60, 20)) as pilot:
        app.grid.move_to(15)
        await pilot.resize_terminal(40, 6)
        await pilot.pause()
        assert any(line.startswith("▸row 15") for line in app.grid.visible_text())
        assert app.grid.render_line(1).cell_length == 40


async def test_another_list_starts_anew() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([row(key) for key in "abc"])
        await press(pilot, "j", "space")
        app.grid.reset()
        app.grid.show([row(key) for key in "xyz"])
        assert app.grid.marked == ()
        assert app.grid.cursor_key == "x"


async def test_a_key_does_not_tell_the_time_anew_and_the_next_second_does() -> None:
    app = Deck()
    async with app.run_test(size=(60, 8)) as pilot:
        app.grid.show([GridRow(key, (key, Countdown(1_090_000), "")) for key in "abc"])
        await pilot.pause()
        app.now_ms += 5_000
        await press(pilot, "j")
        assert ["01:30" in line for line in app.grid.visible_text()[1:4]] == [True] * 3
        app.grid.tick()
        assert ["01:25" in line for line in app.grid.visible_text()[1:4]] == [True] * 3


async def test_a_row_that_comes_into_view_tells_the_time_of_now() -> None:
    app = Deck()
    async with app.run_test(size=(60, 4)) as pilot:
        app.grid.show([GridRow(key, (key, Countdown(1_090_000), "")) for key in "abcdef"])
        await press(pilot, "j")
        app.now_ms += 5_000
        await press(pilot, "G")
        assert ["01:25" in line for line in app.grid.visible_text()[1:4]] == [True] * 3


async def test_an_empty_list_that_is_known_to_be_empty_after_it_was_painted_says_so() -> None:
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        await pilot.pause()
        painted = [strip.text for strip in app.screen._compositor.render_strips()]
        assert "nothing here" not in "".join(painted)
        app.grid.show([])
        await pilot.pause()
        painted = [strip.text for strip in app.screen._compositor.render_strips()]
        assert painted[1].strip() == "nothing here"


async def test_what_an_empty_list_would_say_paints_nothing_over_a_full_one(
    repainted: list[tuple[Region, ...]],
) -> None:
    app = Deck()
    async with app.run_test(size=(60, 8)) as pilot:
        app.grid.show([row("a")])
        await pilot.pause()
        repainted.clear()
        app.grid.empty_text = "nothing matches"
        await pilot.pause()
        assert repainted == []
        app.grid.show([])
        app.grid.empty_text = "nothing there"
        await pilot.pause()
        assert "nothing there" in app.grid.visible_text()[1]


async def test_rows_that_come_at_once_are_painted_once(
    monkeypatch: pytest.MonkeyPatch, repainted: list[tuple[Region, ...]]
) -> None:
    monkeypatch.setattr(gridview, "_GRACE_S", 3_600.0)
    app = Deck(1_000)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        app.answering = False
        repainted.clear()
        await press(pilot, "G")
        assert app.grid.awaiting
        assert repainted == []
        assert app.grid.visible_text()[1].startswith("▸row 0")
        assert app.grid.targets == ()
        app.grid.tick()
        assert repainted == []
        app.grid.show(app.read(980, 20), 980, 1_000)
        assert not app.grid.awaiting
        assert len(repainted) == 1
        assert app.grid.visible_text()[-1].startswith("▸row 999")


async def test_rows_that_take_their_time_leave_room_and_say_where_one_is() -> None:
    app = Deck(1_000)
    async with app.run_test(size=(60, 11)) as pilot:
        await pilot.pause()
        app.answering = False
        await press(pilot, "G")
        while app.grid.awaiting:
            await pilot.pause()
        await pilot.pause()
        assert app.grid.visible_text()[1].split() == ["·", "·", "·"]
        assert [message.key for message in app.told(Grid.CursorMoved)][-2:] == [None, None]
        await press(pilot, "pageup")
        assert not app.grid.awaiting
        assert app.grid.visible_text()[1].split() == ["·", "·", "·"]


async def test_another_list_keeps_the_old_lines_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gridview, "_GRACE_S", 3_600.0)
    app = Deck()
    async with app.run_test(size=(60, 6)) as pilot:
        app.grid.show([row(key) for key in "abc"])
        await pilot.pause()
        app.grid.reset()
        assert app.grid.targets == ()
        assert app.grid.visible_text()[1].startswith("▸row a")
        app.grid.show([row("x")])
        assert app.grid.visible_text()[1].startswith("▸row x")
