"""The app is dressed once at its start, and again when the theme changes; looks are shared and never stale."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from textual.app import ComposeResult
from textual.css.stylesheet import Stylesheet

from tui.look.dressed import DressedApp
from tui.look.themes import DARK, LIGHT
from tui.widgets import palette
from tui.widgets.cell import Cell
from tui.widgets.textlines import TextLines

SHEET = ".deck--bad { color: $text-error; } .deck--cursor { background: $surface; } TextLines { color: $foreground; }"


class Dressed(DressedApp):
    """Two lines."""

    def compose(self) -> ComposeResult:
        """One above the other."""
        yield TextLines(id="one")
        yield TextLines(id="two")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "look.tcss"
    path.write_text(SHEET)
    return path


@pytest.mark.parametrize("name", ["", "deck-light", "ansi-dark"])
async def test_a_start_reads_its_sheets_once_in_any_theme(sheet: Path, name: str) -> None:
    app = Dressed([sheet], name)
    with patch.object(Stylesheet, "reparse", side_effect=AssertionError("read twice")):
        async with app.run_test() as pilot:
            await pilot.pause()
            assert app.theme == (name or DARK.name)
            assert f"-theme-{app.theme}" in app.classes
            assert ("-dark-mode" in app.classes) is app.current_theme.dark


async def test_it_looks_as_if_the_theme_had_been_changed_into(sheet: Path) -> None:
    looks = []
    for first, later in ((LIGHT.name, ""), (DARK.name, LIGHT.name)):
        app = Dressed([sheet], first)
        async with app.run_test() as pilot:
            app.theme = later or first
            await pilot.pause()
            line = app.query_one("#one", TextLines)
            looks.append((line.style_of(), line.style_of("bad"), line.style_of("cursor"), sorted(app.classes)))
    assert looks[0] == looks[1]


async def test_a_changed_theme_changes_every_look(sheet: Path) -> None:
    app = Dressed([sheet])
    async with app.run_test() as pilot:
        line = app.query_one("#one", TextLines)
        before = line.style_of("bad")
        app.theme = LIGHT.name
        await pilot.pause()
        after = line.style_of("bad")
        assert before != after
        app.theme = DARK.name
        await pilot.pause()
        assert line.style_of("bad") == before


async def test_a_look_is_worked_out_once_for_all_widgets_of_a_screen(sheet: Path) -> None:
    app = Dressed([sheet])
    async with app.run_test() as pilot:
        await pilot.pause()
        with patch.object(app.stylesheet, "apply", wraps=app.stylesheet.apply) as apply:
            for line in app.query(TextLines):
                line.say(Cell("x", "bad"))
                assert line.style_of("bad") == line.style_of() + palette.look_of(app.screen, "bad")
            assert apply.call_count == 1


async def test_a_name_of_another_version_changes_nothing(sheet: Path) -> None:
    app = Dressed([sheet])
    async with app.run_test():
        line = app.query_one("#one", TextLines)
        assert line.style_of("no-such-style") == line.style_of()
