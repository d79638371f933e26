"""The log view: it follows, it holds still, it finds; and it paints ten times a second at most."""

import time
from collections.abc import Iterator

import pytest
from fingers import press
from textual.app import App, ComposeResult
from textual.geometry import Region

from tui.look.glyphs import ASCII, UNICODE
from tui.widgets.clock import DeckClock
from tui.widgets.log_tail import FRAME_S, LogTail
from tui.widgets.logring import LogLine

NOON_MS = 1_700_000_000_000
LEVELS = ("INFO", "ERROR", "DEBUG", "WARNING")


class Logs(App[None]):
    def __init__(self, glyphs: object = UNICODE, **bounds: int) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.bounds = bounds
        self.asked: list[bool] = []

    def compose(self) -> ComposeResult:
        yield LogTail(clock=DeckClock(lambda: NOON_MS), **self.bounds)  # type: ignore[arg-type]

    @property
    def tail(self) -> LogTail:
        return self.query_one(LogTail)

    def on_log_tail_search_wanted(self, event: LogTail.SearchWanted) -> None:
        self.asked.append(event.only)


def lines(count: int, first: int = 0) -> Iterator[LogLine]:
    for at in range(first, first + count):
        yield LogLine(f"line {at}", NOON_MS - (100 - at) * 60_000, LEVELS[at % 4])


def shown(tail: LogTail) -> list[str]:
    """The bodies of the lines on screen."""
    return [line[15:].strip() for line in tail.visible_text()[:-1]]


async def test_it_follows_what_comes() -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)):
        app.tail.feed(lines(10))
        app.tail.flush()
        assert shown(app.tail) == [f"line {at}" for at in range(5, 10)]
        app.tail.feed(lines(3, first=10))
        app.tail.flush()
        assert shown(app.tail)[-1] == "line 12"


async def test_scrolling_up_holds_the_lines_still_and_the_end_key_follows_again() -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed(lines(20))
        await press(pilot, "k", "k")
        before = shown(app.tail)
        assert before[-1] == "line 17"
        app.tail.feed(lines(10, first=20))
        app.tail.flush()
        assert shown(app.tail) == before
        assert "held, 12 below" in app.tail.visible_text()[-1]
        await press(pilot, "0")
        assert shown(app.tail)[-1] == "line 29"
        assert "following" in app.tail.visible_text()[-1]


async def test_keys_move_as_everywhere() -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed(lines(40))
        await press(pilot, "g")
        assert shown(app.tail)[0] == "line 0"
        await press(pilot, "pagedown", "j")
        assert shown(app.tail)[0] == "line 5"
        await press(pilot, "pageup")
        assert shown(app.tail)[0] == "line 1"
        for _ in range(20):
            app.tail.action_page(1)
        assert shown(app.tail)[-1] == "line 39"
        await press(pilot, "s")
        assert app.tail.following


async def test_what_falls_out_is_counted() -> None:
    app = Logs(max_lines=10)
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed(lines(25), dropped=1_000)
        app.tail.flush()
        assert "1,015 dropped" in app.tail.visible_text()[-1]
        await press(pilot, "g")
        app.tail.feed(lines(8, first=25))
        app.tail.flush()
        assert shown(app.tail)[0] == "line 23"


async def test_long_lines_are_cut_or_wrapped() -> None:
    app = Logs()
    async with app.run_test(size=(40, 8)) as pilot:
        app.tail.feed([LogLine("x" * 50 + "END", NOON_MS, "INFO")])
        app.tail.flush()
        assert not any("END" in line for line in app.tail.visible_text())
        assert "…" in app.tail.visible_text()[0]
        await press(pilot, "w")
        assert "END" in app.tail.visible_text()[2]
        await press(pilot, "w", "right", "right", "right")
        assert "END" not in "".join(shown(app.tail)[:1])
        assert "from column 61" in app.tail.visible_text()[-1]
        await press(pilot, "left")
        assert shown(app.tail)[0] == "x" * 10 + "END"


async def test_times_are_shown_or_not() -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed([LogLine("x", NOON_MS), LogLine("y"), LogLine("z", 10**30), LogLine("w", -1)])
        app.tail.flush()
        first, second, third, *_ = app.tail.visible_text()
        assert first[2] == first[5] == ":"
        assert second.startswith(" " * 13 + "y")
        assert third.startswith("??:??:??.???")
        await press(pilot, "t")
        assert app.tail.visible_text()[0].startswith("x")


async def test_levels_are_letters_and_can_be_filtered_by() -> None:
    app = Logs()
    async with app.run_test(size=(60, 12)) as pilot:
        app.tail.feed(lines(8))
        app.tail.flush()
        assert [line[13] for line in app.tail.visible_text()[:4]] == ["I", "E", "D", "W"]
        await press(pilot, "L", "L")
        assert [text for text in shown(app.tail) if text] == ["line 1", "line 3", "line 5", "line 7"]
        app.tail.feed(lines(4, first=8))
        app.tail.flush()
        assert [text for text in shown(app.tail) if text][-2:] == ["line 9", "line 11"]
        assert "warning and above" in app.tail.visible_text()[-1]
        await press(pilot, "L", "L", "L")
        assert len([text for text in shown(app.tail) if text]) == 11


async def test_only_lines_with_a_text() -> None:
    app = Logs()
    async with app.run_test(size=(60, 12)) as pilot:
        app.tail.feed(lines(30))
        app.tail.only = "line 2"
        await pilot.pause()
        assert [text for text in shown(app.tail) if text] == ["line 2", *(f"line {at}" for at in range(20, 30))]
        assert app.tail.lines()[0].text == "line 2"


async def test_search_goes_forth_and_back_and_round() -> None:
    app = Logs()
    async with app.run_test(size=(60, 8)) as pilot:
        app.tail.feed(lines(50))
        await press(pilot, "g")
        assert app.tail.search("LINE 1") == 0
        assert app.tail.search("line 1") == 11
        assert "line 1 of 11" in app.tail.visible_text()[-1]
        await press(pilot, "n")
        assert "line 2 of 11" in app.tail.visible_text()[-1]
        assert "line 10" in shown(app.tail)
        await press(pilot, "N", "N")
        assert "line 11 of 11" in app.tail.visible_text()[-1]
        assert "line 19" in shown(app.tail)
        await press(pilot, "n")
        assert "line 1" in shown(app.tail)
        assert app.tail.search("nowhere") == 0
        assert "no line holds nowhere" in app.tail.visible_text()[-1]
        assert app.tail.search("") == 0


async def test_the_screen_is_asked_for_what_to_search() -> None:
    app = Logs()
    async with app.run_test(size=(60, 8)) as pilot:
        await press(pilot, "slash", "ampersand")
        assert app.asked == [False, True]


async def test_matches_are_told_apart() -> None:
    app = Logs()
    app.CSS = ".deck--match { text-style: underline; } .deck--found { text-style: reverse; }"
    async with app.run_test(size=(60, 8)):
        app.tail.feed(lines(4))
        app.tail.search("ne")
        found = [segment.text for segment in app.tail.render_line(0) if segment.style.reverse]
        others = [segment.text for segment in app.tail.render_line(1) if segment.style.underline]
        assert (found, others) == (["ne"], ["ne"])


async def test_numbers_jump_to_the_last_minutes() -> None:
    app = Logs()
    async with app.run_test(size=(60, 4)) as pilot:
        app.tail.feed(lines(110))
        for key, first in (("2", "line 99"), ("3", "line 95"), ("4", "line 85"), ("6", "line 40")):
            await press(pilot, key)
            assert shown(app.tail)[0] == first


async def test_marks_are_lines_to_come_back_to() -> None:
    app = Logs()
    async with app.run_test(size=(60, 5)) as pilot:
        app.tail.feed(lines(10))
        await press(pilot, "m")
        app.tail.feed(lines(20, first=10))
        await press(pilot, "m")
        app.tail.feed(lines(20, first=30))
        app.tail.flush()
        await press(pilot, "left_square_bracket", "left_square_bracket")
        assert "mark" in app.tail.visible_text()[0]
        assert shown(app.tail)[1] == "line 10"
        await press(pilot, "right_square_bracket")
        assert shown(app.tail)[1] == "line 30"


async def test_many_feeds_are_one_painting(monkeypatch: pytest.MonkeyPatch) -> None:
    painted: list[float] = []
    original = LogTail.flush

    def flush(self: LogTail) -> None:
        painted.append(time.monotonic())
        original(self)

    app = Logs()
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed(["first"])
        app.tail.flush()
        monkeypatch.setattr(LogTail, "flush", flush)
        started = time.monotonic()
        fed = 0
        while len(painted) < 3:
            app.tail.feed([f"line {fed}"])
            fed += 1
            await pilot.pause()
        assert painted[-1] - started >= 2 * FRAME_S * 0.9
        assert fed >= len(painted)
        assert f"line {fed - 1}" in app.tail.lines()[-1].text


async def test_holding_still_paints_the_status_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed(lines(20))
        await press(pilot, "k")
        seen: list[tuple[Region, ...]] = []
        original = LogTail.refresh

        def refresh(self: LogTail, *regions: Region, **options: bool) -> LogTail:
            seen.append(regions)
            return original(self, *regions, **options)

        monkeypatch.setattr(LogTail, "refresh", refresh)
        app.tail.feed(lines(5, first=20))
        app.tail.flush()
        assert seen == [(Region(0, 5, 60, 1),)]


HOSTILE = ("[red]x[/]", "[/]", "\x1b[2J\x1b]0;x\x07", "\x9b31m", "\u202e\u2066", "日本" * 40, "\ud800", "a\rb\nc")


@pytest.mark.parametrize("wrapped", [False, True])
async def test_what_is_logged_is_text(wrapped: bool) -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)):
        app.tail.wrapped = wrapped
        app.tail.search("x")
        for hostile in (*HOSTILE, "x" * 1_000_000):
            app.tail.feed([LogLine(hostile, NOON_MS, hostile, hostile)])
            app.tail.flush()
            assert all(line.isprintable() for line in app.tail.visible_text())
            assert all(app.tail.render_line(y).cell_length == 60 for y in range(6))
        assert app.tail.text().replace("\n", "").isprintable()


async def test_what_is_saved_is_masked_clean_and_whole() -> None:
    app = Logs(glyphs=ASCII)
    async with app.run_test(size=(60, 4)):
        app.tail.feed([LogLine(f"password=hunter{at} \x1b", NOON_MS, "INFO") for at in range(10)])
        text = app.tail.text()
        assert text.count("\n") == 9
        assert "hunter" not in text
        assert "\x1b" not in text
        app.tail.flush()
        assert "hunter" not in "".join(app.tail.visible_text())
        assert "".join(app.tail.visible_text()).isascii()


async def test_another_log_starts_anew() -> None:
    app = Logs()
    async with app.run_test(size=(60, 6)) as pilot:
        app.tail.feed(lines(20))
        await press(pilot, "g")
        app.tail.clear()
        assert [text for text in shown(app.tail) if text] == []
        app.tail.feed(["new"])
        app.tail.flush()
        assert app.tail.following
        assert app.tail.lines() == [LogLine("new")]
