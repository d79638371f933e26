"""The command line and the filter: completion, history, plain text."""

from collections.abc import Sequence

from fingers import press
from textual import events
from textual.app import App, ComposeResult

from tui.widgets.lineinput import LineInput
from tui.widgets.prompt import CommandLine, Completion, FilterLine, History, Prompt
from tui.widgets.textlines import TextLines

WORDS = ("retry", "abort", "pause", "purge")


def complete(typed: str) -> Sequence[Completion]:
    return [Completion(f"{word} ", word, f"[b]{word}[/] jobs") for word in WORDS if word.startswith(typed)]


class Typing(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.news: list[tuple[str, str]] = []

    def compose(self) -> ComposeResult:
        yield TextLines(["elsewhere"])
        yield CommandLine(completer=complete, id="command")
        yield FilterLine(id="filter")

    @property
    def line(self) -> CommandLine:
        return self.query_one(CommandLine)

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.news.append(("submitted", event.text))

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        self.news.append(("changed", event.text))

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        self.news.append(("cancelled", event.text))

    def offered(self) -> list[str]:
        text = self.line.query_one("#completions", TextLines).text
        return [line.split()[0] for line in text.splitlines() if line.strip()]


async def test_it_is_not_there_until_asked_and_goes_with_escape() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        assert not app.line.display
        app.line.ask("re")
        await press(pilot, "t", "escape")
        assert not app.line.display
        assert app.news[-1] == ("cancelled", "ret")
        assert app.focused is None


async def test_what_is_entered_is_told_and_remembered() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.ask()
        await press(pilot, *"abort", "enter")
        assert ("submitted", "abort") in app.news
        assert app.line.history.lines == ["abort"]


async def test_each_key_is_told_for_filters_that_apply_while_typing() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.query_one(FilterLine).ask()
        await press(pilot, "f", "n")
        assert [text for kind, text in app.news if kind == "changed"] == ["f", "fn"]


async def test_tab_walks_through_the_completions_and_back_to_what_was_typed() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.ask()
        assert app.offered() == list(WORDS)
        await press(pilot, "p")
        assert app.offered() == ["pause", "purge"]
        await press(pilot, "tab")
        assert app.line.value == "pause "
        await press(pilot, "tab")
        assert app.line.value == "purge "
        await press(pilot, "tab")
        assert app.line.value == "p"
        await press(pilot, "shift+tab", "x")
        assert app.line.value == "purge x"
        assert app.offered() == []
        await press(pilot, "tab")
        assert app.line.value == "purge x"


async def test_arrows_walk_through_completions_when_there_are_some() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.ask()
        await press(pilot, "p", "down", "down", "up")
        assert app.line.value == "pause "


async def test_arrows_walk_through_the_history_when_nothing_is_typed() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.history.add("retry a")
        app.line.history.add("abort b")
        app.line.ask()
        await press(pilot, "up")
        assert app.line.value == "abort b"
        await press(pilot, "up", "up")
        assert app.line.value == "retry a"
        await press(pilot, "down", "down")
        assert app.line.value == ""


async def test_history_is_bounded_and_says_nothing_twice() -> None:
    history = History(most=2)
    for line in ("a", "b", "a", "", "c"):
        history.add(line)
    assert history.lines == ["a", "c"]


async def test_a_complaint_leaves_the_prompt_open() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.ask()
        await press(pilot, *"zzz", "enter")
        app.line.complain("no command [/] zzz")
        assert app.line.display
        assert "no command [/] zzz" in app.line.query_one("#completions", TextLines).text


async def test_markup_in_completions_is_text() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.ask("[/]", placeholder="[red]")
        await press(pilot, "home", "p")
        app.line.ask("p")
        assert "[b]pause[/] jobs" in app.line.query_one("#completions", TextLines).text


async def test_what_is_pasted_is_one_clean_line() -> None:
    app = Typing()
    async with app.run_test() as pilot:
        app.line.ask()
        app.line.input.post_message(events.Paste("a\x1b[2Jb\u202e\r\nsecond line"))
        await pilot.pause()
        assert app.line.value == "a␛[2Jb·"


async def test_the_cursor_does_not_blink() -> None:
    app = Typing()
    async with app.run_test():
        assert not any(line.cursor_blink for line in app.query(LineInput))
