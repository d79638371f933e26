"""Cards: Cancel has the focus, no single key confirms, what must be typed must be typed."""

from pathlib import Path

from fingers import press
from textual.app import App
from textual.widgets import Input

from tui.look.glyphs import ASCII, UNICODE
from tui.widgets.cell import Cell
from tui.widgets.dialog import Answer, Card, Confirmed, Field

SHEET = Path(__file__).parents[2] / "tui" / "look" / "deck.tcss"


class Asking(App[None]):
    CSS_PATH = SHEET

    def __init__(self, glyphs: object = UNICODE) -> None:
        super().__init__()
        self.glyphs = glyphs
        self.answers: list[Confirmed | None] = []

    def ask(self, card: Card) -> Card:
        self.push_screen(card, self.answers.append)
        return card


def painted(app: App[None]) -> str:
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


async def test_cancel_has_the_focus_and_enter_takes_it() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        app.ask(Card("Delete 3 jobs?", verbs=[("delete", "Delete 3")], danger=True))
        await pilot.pause()
        assert "[Cancel]" in painted(app)
        await press(pilot, "enter")
        assert app.answers == [None]


async def test_there_are_quick_ways_out() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        for key in ("escape", "n", "q"):
            app.ask(Card("Sure?"))
            await press(pilot, key)
        assert app.answers == [None, None, None]


async def test_no_single_key_confirms() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        app.ask(Card("Sure?", verbs=[("delete", "Delete")]))
        await press(pilot, "y", "d", "space", "o", "D", "Y")
        assert app.answers == []


async def test_the_verb_is_a_step_and_an_enter_away() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        app.ask(Card("Retry?", verbs=[("all", "All at once"), ("canary", "Canary first")]))
        await press(pilot, "tab", "right", "enter")
        assert app.answers == [Confirmed("canary", {})]


async def test_a_card_to_fill_in_begins_in_its_first_field_and_enter_leads_to_the_verb() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        fields = (Field("span", "how long", "1h"), Field("reason", "why"))
        app.ask(Card("Pause?", verbs=[("pause", "Pause")], fields=fields, fill_in=True))
        await press(pilot, "enter", *"no", "enter")
        assert app.answers == []
        await press(pilot, "enter")
        assert app.answers == [Confirmed("pause", {"span": "1h", "reason": "no"})]


async def test_the_count_must_be_typed() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        card = app.ask(Card("Purge?", verbs=[("purge", "Purge")], type_this="4811"))
        await press(pilot, "tab", "enter")
        assert "type 4811 to go on" in card.text
        assert isinstance(app.focused, Input)
        await press(pilot, *"4810", "enter")
        assert app.answers == []
        await press(pilot, "tab", "enter")
        assert app.answers == []
        await press(pilot, "backspace", "1", "enter", "tab", "enter")
        assert app.answers == [Confirmed("purge", {})]


async def test_fields_are_filled_in_and_checked() -> None:
    app = Asking()
    fields = [
        Field("hours", "for hours", "1", check=lambda value: "" if value.isdigit() else "a whole number"),
        Field("why", "because", hint="shown to everyone"),
    ]
    async with app.run_test() as pilot:
        card = app.ask(Card("Pause?", verbs=[("pause", "Pause")], fields=fields))
        await press(pilot, "up", *"deploy", "up", "backspace", "x", "down", "down", "down", "enter")
        assert "for hours: a whole number" in card.text
        assert app.focused is not None
        assert app.focused.id == "field-hours"
        await press(pilot, "backspace", "2", "enter", "enter", "tab", "enter")
        assert app.answers == [Confirmed("pause", {"hours": "2", "why": "deploy"})]


async def test_letters_typed_into_a_field_are_letters() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        app.ask(Card("Pause?", verbs=[("pause", "Pause")], fields=[Field("why", "because")]))
        await press(pilot, "up", "n", "q", "down", "tab", "enter")
        assert app.answers == [Confirmed("pause", {"why": "nq"})]


async def test_a_count_that_arrives_later_replaces_the_lines() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        card = app.ask(Card("Retry?", ["counting"]))
        await pilot.pause()
        card.say("4,811 jobs", Cell("oldest 48 s", "warn"))
        await pilot.pause()
        assert "4,811 jobs" in painted(app)
        assert "counting" not in painted(app)


async def test_what_a_card_says_is_text() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        app.ask(Card("[/] \x1b[2J", ["[red]x[/]", "\u202e\x9b"], [("v", "[@click=app.quit]go[/]")], type_this="[b]"))
        await pilot.pause()
        shown = painted(app)
        assert "[red]x[/]" in shown
        assert "[@click=app.quit]go[/]" in shown
        assert all(char.isprintable() or char == "\n" for char in shown)


async def test_a_click_is_an_answer() -> None:
    app = Asking()
    async with app.run_test() as pilot:
        app.ask(Card("Sure?", verbs=[("yes", "Yes")]))
        await pilot.pause()
        verb = next(answer for answer in app.screen.query(Answer) if answer.verb)
        await pilot.click(verb)
        assert app.answers == [Confirmed("yes", {})]


async def test_a_card_fits_a_small_screen_and_ascii() -> None:
    app = Asking(ASCII)
    async with app.run_test(size=(60, 20)) as pilot:
        app.ask(Card("Retry?", [f"line {at}" for at in range(40)], danger=True))
        await pilot.pause()
        shown = painted(app)
        assert shown.isascii()
        assert "[Cancel]" in shown
