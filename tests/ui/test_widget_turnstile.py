"""Keys that arrive in one piece meet the screens that they made."""

from typing import Any, ClassVar

import pytest
from fingers import strike
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from tui.widgets import turnstile
from tui.widgets.columns import Column
from tui.widgets.dialog import Card, Confirmed, Field
from tui.widgets.grid import Grid
from tui.widgets.prompt import CommandLine, Prompt
from tui.widgets.turnstile import Turnstile


class Burst(App[None]):
    """`:` opens the command line from a worker, as commands do; `x` is a command that must not be hit by accident."""

    BINDINGS: ClassVar = [("colon", "ask", ""), ("x", "danger", ""), ("r", "card", "")]

    def __init__(self) -> None:
        super().__init__()
        self.turnstile = Turnstile(self)
        self.hits = 0
        self.entered: list[str] = []
        self.answers: list[Confirmed | None] = []

    async def on_event(self, event: events.Event) -> None:
        if not self.turnstile.holds(event):
            await super().on_event(event)

    def compose(self) -> ComposeResult:
        yield Grid([Column("a", "A", 5)])
        yield CommandLine()

    def action_ask(self) -> None:
        self.run_worker(self._ask())

    async def _ask(self) -> None:
        self.query_one(CommandLine).ask()

    def action_danger(self) -> None:
        self.hits += 1

    def action_card(self) -> None:
        card = Card("Pause?", verbs=[("pause", "Pause")], fields=[Field("why", "because")])
        self.push_screen(card, self.answers.append)

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        self.entered.append(event.text)
        self.query_one(CommandLine).close()


async def burst(pilot: Pilot[Any], *keys: str) -> None:
    """All keys in one piece, as a bad line delivers them."""
    strike(pilot, *keys)
    await pilot.pause()
    while pilot.app.turnstile._busy:  # type: ignore[attr-defined]
        await pilot.pause()
    await pilot.pause()


async def test_what_is_typed_ahead_goes_into_the_prompt_that_was_asked_for() -> None:
    app = Burst()
    async with app.run_test() as pilot:
        await burst(pilot, "colon", "x", "x", "enter", "x")
        assert app.entered == ["xx"]
        assert app.hits == 1


async def test_a_card_that_is_coming_gets_its_keys() -> None:
    app = Burst()
    async with app.run_test() as pilot:
        await burst(pilot, "r", "up", "n", "x", "down", "down", "enter", "x")
        assert app.answers == [Confirmed("pause", {"why": "nx"})]
        assert app.hits == 1


async def test_a_paste_waits_for_its_turn() -> None:
    app = Burst()
    async with app.run_test() as pilot:
        strike(pilot, "colon")
        app.post_message(events.Paste("xyz"))
        await burst(pilot, "x", "enter")
        assert app.entered == ["xyzx"]


async def test_no_key_is_lost_or_turned_round() -> None:
    app = Burst()
    async with app.run_test() as pilot:
        typed = "the quick brown fox jumps over the lazy dog"
        await burst(pilot, "colon", *("space" if char == " " else char for char in typed), "enter")
        assert app.entered == [typed]


async def test_nothing_is_waited_for_until_a_lull_or_the_next_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "_LULL_S", 3_600.0)
    app = Burst()
    async with app.run_test() as pilot:
        strike(pilot, "x")
        while app.hits < 1:
            await pilot.pause()
        assert app.turnstile._lull is not None
        assert not [worker for worker in app.workers if worker.group == "turnstile"]
        strike(pilot, "x")
        while app.hits < 2:
            await pilot.pause()


async def test_an_app_that_ended_in_the_lull_is_left_alone() -> None:
    app = Burst()
    async with app.run_test() as pilot:
        strike(pilot, "x")
        await pilot.pause()
    app.turnstile._look()
    assert not [worker for worker in app.workers if not worker.is_finished]


async def test_a_key_alone_goes_straight_through() -> None:
    app = Burst()
    async with app.run_test() as pilot:
        assert not app.turnstile.holds(events.Key("x", "x"))
        assert app.turnstile.holds(events.Key("x", "x"))
        await burst(pilot)
        assert app.hits == 1
