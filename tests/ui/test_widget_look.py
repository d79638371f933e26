"""The look: one sheet that holds in every theme, signs that are one cell wide, state that needs no colour."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from textual.app import App, ComposeResult

from quarterdeck.text import cell_width, clean
from tui.look.glyphs import ASCII, UNICODE, Glyphs, glyphs_of
from tui.look.themes import THEMES, theme_name
from tui.widgets.cell import Cell, GridRow
from tui.widgets.columns import Column
from tui.widgets.dialog import Card, Field
from tui.widgets.document import Document
from tui.widgets.grid import Grid
from tui.widgets.log_tail import LogTail
from tui.widgets.palette import PARTS, STATES
from tui.widgets.prompt import CommandLine
from tui.widgets.toast import Toasts

ROOT = Path(__file__).parents[2]
SHEETS = [ROOT / "tui" / "look" / "deck.tcss", ROOT / "demo.tcss"]


class Look(App[None]):
    CSS_PATH = SHEETS

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)

    def compose(self) -> ComposeResult:
        yield Grid([Column("a", "A", 10)])
        yield LogTail()
        yield Document()
        yield CommandLine()
        yield Toasts()


def signs(glyphs: Glyphs) -> Iterator[tuple[str, str]]:
    for field in fields(glyphs):
        if field.name != "ascii":
            yield field.name, getattr(glyphs, field.name)


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_every_sign_is_one_cell_and_clean(glyphs: Glyphs) -> None:
    for name, sign in signs(glyphs):
        assert cell_width(sign) == len(sign) == 1, name
        assert clean(sign) == sign, name
        assert sign.isascii() or not glyphs.ascii


@pytest.mark.parametrize("glyphs", [UNICODE, ASCII])
def test_states_are_told_apart_without_colour(glyphs: Glyphs) -> None:
    states = [glyphs.ok, glyphs.bad, glyphs.running, glyphs.waiting, glyphs.paused, glyphs.late, glyphs.unknown]
    assert len(set(states)) == len(states)
    assert len({glyphs.cursor, glyphs.lost, glyphs.mark}) == 3


def test_an_app_without_signs_draws_in_unicode() -> None:
    assert glyphs_of(App()) is UNICODE


@pytest.mark.parametrize(
    ("light", "colors", "environment", "name"),
    [
        (False, 1 << 24, {}, "deck-dark"),
        (True, 256, {}, "deck-light"),
        (False, 16, {}, "ansi-dark"),
        (True, 8, {}, "ansi-light"),
        (False, 1 << 24, {"NO_COLOR": "1"}, "ansi-dark"),
        (False, 1 << 24, {"NO_COLOR": ""}, "deck-dark"),
    ],
)
def test_the_theme_follows_the_terminal(light: bool, colors: int, environment: dict[str, str], name: str) -> None:
    assert theme_name(light, colors, environment) == name


@pytest.mark.parametrize("theme", ["deck-dark", "deck-light", "ansi-dark", "ansi-light", "textual-dark", "nord"])
async def test_the_sheet_holds_in_every_theme(theme: str) -> None:
    app = Look()
    async with app.run_test(size=(60, 30)) as pilot:
        app.theme = theme
        grid = app.query_one(Grid)
        grid.show([GridRow(name, (Cell(name, name),)) for name in (*STATES, *PARTS)])
        app.query_one(CommandLine).ask()
        app.push_screen(Card("Sure?", ["a"], fields=[Field("f", "field")], danger=True, type_this="3"))
        await pilot.pause()
        bad, ok = grid.style_of("bad"), grid.style_of("ok")
        assert bad.bold
        assert bad.color != ok.color
        assert grid.style_of("cursor") != grid.style_of()


async def test_sixteen_colours_are_the_terminals_own() -> None:
    app = Look()
    async with app.run_test(size=(60, 30)) as pilot:
        app.theme = "ansi-dark"
        await pilot.pause()
        grid = app.query_one(Grid)
        for name in (*STATES, *PARTS):
            style = grid.style_of(name)
            for color in (style.color, style.bgcolor):
                assert color is None or color.is_default or color.number is not None, name
        assert grid.style_of("cursor").reverse


async def test_changing_the_theme_changes_what_is_painted() -> None:
    app = Look()
    async with app.run_test(size=(60, 30)) as pilot:
        grid = app.query_one(Grid)
        grid.show([GridRow("a", (Cell("x", "bad"),))])
        app.theme = "deck-dark"
        await pilot.pause()
        dark = [segment.style for segment in grid.render_line(1)]
        app.theme = "deck-light"
        await pilot.pause()
        assert dark != [segment.style for segment in grid.render_line(1)]


async def test_a_style_that_no_sheet_knows_is_the_plain_one() -> None:
    app = Look()
    async with app.run_test(size=(60, 30)):
        grid = app.query_one(Grid)
        assert grid.style_of("from the future") == grid.style_of()
