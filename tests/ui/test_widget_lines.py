"""Small line widgets: text, banner, toasts."""

import gc
from pathlib import Path

from rich.cells import cached_cell_len
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip

from tui.look.glyphs import UNICODE
from tui.widgets.banner import StaleBanner
from tui.widgets.cell import Cell
from tui.widgets.clock import DeckClock
from tui.widgets.textlines import TextLines
from tui.widgets.toast import MOST, Toasts

SHEET = Path(__file__).parents[2] / "tui" / "look" / "deck.tcss"


class Lines(App[None]):
    CSS_PATH = SHEET

    def __init__(self, glyphs: object = UNICODE) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.now_ms = 60_000
        self.clock = DeckClock(lambda: self.now_ms)

    def compose(self) -> ComposeResult:
        yield StaleBanner(id="banner")
        yield TextLines(["a", Cell("b", "bad")], id="text")
        yield Toasts(id="toasts")


def line(widget: TextLines, y: int = 0) -> str:
    return widget.render_line(y).text.rstrip()


async def test_text_is_as_large_as_it_is() -> None:
    app = Lines()
    async with app.run_test(size=(40, 12)) as pilot:
        text = app.query_one("#text", TextLines)
        assert text.size == (1, 2)
        text.say("longer", Cell(runs=(("日本", "bad"), ("[/]", ""))), "")
        await pilot.pause()
        assert text.size == (7, 3)
        assert text.text == "longer\n日本[/]\n"


async def test_only_changed_lines_of_text_are_painted(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    app = Lines()
    async with app.run_test(size=(40, 12)) as pilot:
        text = app.query_one("#text", TextLines)
        text.say("one", "two", "three")
        await pilot.pause()
        seen: list[tuple[Region, ...]] = []
        monkeypatch.setattr(TextLines, "refresh", lambda self, *regions, **options: seen.append(regions))
        text.say("one", "two", "three")
        text.say("one", "TWO", "three")
        assert seen == [(Region(0, 1, 5, 1),)]


async def test_text_is_cut_at_the_edge() -> None:
    app = Lines()
    async with app.run_test(size=(10, 12)) as pilot:
        text = app.query_one("#text", TextLines)
        text.styles.width = 6
        text.say("x" * 100, "\x1b" * 3)
        await pilot.pause()
        assert line(text) == "xxxxx…"
        assert line(text, 1) == "␛␛␛"


async def test_the_banner_tells_the_age_each_second_and_goes_away() -> None:
    app = Lines()
    async with app.run_test(size=(80, 12)):
        banner = app.query_one(StaleBanner)
        assert not banner.display
        banner.stale(48_000, "connection refused")
        assert "stale for 12 s: connection refused" in banner.text
        app.now_ms += 5_000
        banner.tick()
        assert "stale for 17 s" in banner.text
        banner.fresh()
        assert not banner.display
        banner.tick()


async def test_toasts_are_text_and_few() -> None:
    app = Lines()
    async with app.run_test(size=(80, 12)) as pilot:
        toasts = app.query_one(Toasts)
        assert not toasts.display
        for at in range(5):
            toasts.toast(f"[/] act {at}", "ok", f"quarterdeck retry {at}")
        await pilot.pause()
        assert len(toasts.text.splitlines()) == MOST
        assert "[/] act 4" in toasts.text
        assert "quarterdeck retry 4" in toasts.text


async def test_a_toast_goes_by_itself() -> None:
    app = Lines()
    async with app.run_test(size=(80, 12)) as pilot:
        toasts = app.query_one(Toasts)
        toasts.toast("short", seconds=0.001)
        toasts.toast("long")
        while "short" in toasts.text:
            await pilot.pause()
        assert "long" in toasts.text


async def test_painted_texts_are_not_remembered_by_the_thousand() -> None:
    app = Lines()
    async with app.run_test(size=(40, 12)) as pilot:
        text = app.query_one("#text", TextLines)
        await pilot.pause()
        before = cached_cell_len.cache_info().currsize
        for number in range(200):
            text.say(f"{number:,} jobs, each second others")
            assert text.render_line(0).cell_length == text.size.width
        assert cached_cell_len.cache_info().currsize - before < 20


async def test_a_line_is_as_wide_as_it_should_be_whatever_is_on_it() -> None:
    app = Lines()
    async with app.run_test(size=(40, 12)):
        text = app.query_one("#text", TextLines)
        style = text.style_of()
        for words in ("", "short", "x" * 50, "日本" * 3, "e\u0301" * 5):
            painted = text.strip([(words, style)], 20)
            assert painted.cell_length == sum(segment.cell_length for segment in painted) == 20


async def test_a_line_that_is_painted_over_is_gone_without_the_collector() -> None:
    app = Lines()
    async with app.run_test(size=(40, 12)) as pilot:
        text = app.query_one("#text", TextLines)
        text.say("number 000")
        await pilot.pause()
        gc.collect()
        gc.disable()
        try:
            before = sum(isinstance(one, Strip) for one in gc.get_objects())
            for number in range(50):
                text.say(f"number {number:03}")
                await pilot.pause()
            after = sum(isinstance(one, Strip) for one in gc.get_objects())
        finally:
            gc.enable()
        assert text.render_lines(Region(0, 0, 10, 1))[0].text == "number 049"
        assert after - before < 25
