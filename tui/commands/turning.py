"""Turning what a screen shows: the next state of jobs, the schedules' timeline and sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.model import Screen
from tui.commands.command import Command
from tui.station import Right

if TYPE_CHECKING:
    from tui.app import Deck


class NextState(Command):
    """Jobs in the next state."""

    id, keys, shown = "jobs.next", "right_square_bracket", "]"
    step = 1

    def offered(self, deck: Deck) -> bool:
        """On the jobs."""
        return deck.deck_screen.SCREEN is Screen.JOBS

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Turn."""
        from tui.screens.jobs import Jobs

        if isinstance(deck.deck_screen, Jobs):
            deck.deck_screen.turn(self.step)


class PreviousState(NextState):
    """Jobs in the previous state."""

    id, keys, shown, step = "jobs.previous", "left_square_bracket", "[", -1


class AddSchedule(Command):
    """Schedules: add one."""

    id, keys, verbs, label = "schedules.add", "A", ("schedule",), "add"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On the schedules."""
        return deck.deck_screen.SCREEN is Screen.SCHEDULES

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Open the form."""
        from tui.screens.scheduling import add_schedule

        await add_schedule(deck)


class Timeline(Command):
    """Schedules: the next hours, and where they collide."""

    id, keys, verbs, label = "schedules.timeline", "T", ("timeline",), "timeline"

    def offered(self, deck: Deck) -> bool:
        """On the schedules."""
        return deck.deck_screen.SCREEN is Screen.SCHEDULES

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Show it."""
        from tui.screens.timeline import show_timeline

        await show_timeline(deck)


class Sandbox(Command):
    """Schedules: try an expression and see when it would fire."""

    id, keys, verbs, usage, label = "schedules.sandbox", "X", ("cron",), "[EXPRESSION]", "try"

    def offered(self, deck: Deck) -> bool:
        """On the schedules."""
        return deck.deck_screen.SCREEN is Screen.SCHEDULES

    async def run(self, deck: Deck, words: str) -> None:
        """Open it with an expression."""
        from tui.screens.sandbox import show_sandbox

        await show_sandbox(deck, words)


TURNS = (NextState, PreviousState, AddSchedule, Timeline, Sandbox)
