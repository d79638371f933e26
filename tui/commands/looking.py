"""Looking closer: the whole record, logs, raw JSON, why; copying, filtering, help."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.errors import UsageError
from quarterdeck.model import FailureGroup, FunctionStat, JobRow, QueueStat, ScheduleRow, Screen, View, WorkerRow
from tui.commands.command import Command
from tui.line import copy_text

if TYPE_CHECKING:
    from tui.app import Deck


class Whole(Command):
    """The whole record of what is under the cursor."""

    id, keys, verbs = "whole", "d", ("describe",)

    def offered(self, deck: Deck) -> bool:
        """Where there is something under the cursor."""
        return bool(deck.deck_screen.targets())

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Open a job whole; show the record of anything else; a worker's current job shows its stack."""
        from tui.screens.record import show_record, show_stack

        screen = deck.deck_screen
        if screen.SCREEN is Screen.WORKER and await show_stack(deck):
            return
        target = screen.targets()[0]
        if isinstance(target, JobRow) and screen.SCREEN is not Screen.JOB:
            await deck.open_target(target)
        else:
            await show_record(deck, raw=False)


class Raw(Command):
    """The raw JSON of what is under the cursor."""

    id, keys, verbs = "raw", "y", ("raw",)

    def offered(self, deck: Deck) -> bool:
        """Where there is something under the cursor."""
        return bool(deck.deck_screen.targets())

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Show it as it is stored, secrets masked."""
        from tui.screens.record import show_record

        await show_record(deck, raw=True)


class Logs(Command):
    """Logs of what is under the cursor, live."""

    id, keys, verbs, label = "logs", "l", ("tail",), "logs"

    def offered(self, deck: Deck) -> bool:
        """On jobs, groups and schedules; anywhere else all logs are shown."""
        return deck.deck_screen.SCREEN is not Screen.LOGS

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Open the log of a job; of a function for a group or a schedule; of all otherwise."""
        target = next(iter(deck.deck_screen.targets()), None)
        match target:
            case JobRow():
                view = View(screen=Screen.LOGS, queue=target.queue, subject=target.key)
            case FailureGroup() | ScheduleRow():
                view = View(screen=Screen.LOGS, queue=target.queue, filter=f"fn:={target.function}")
            case FunctionStat():
                view = View(screen=Screen.LOGS, queue=target.queue, filter=f"fn:={target.name}")
            case WorkerRow():
                view = View(screen=Screen.LOGS, filter=f"worker:={target.id}")
            case _:
                view = View(screen=Screen.LOGS, queue=deck.deck_screen.asked.queue)
        await deck.open(view)


class Why(Command):
    """Why is this not running?"""

    id, keys, verbs, label = "why", "w", ("why",), "why"

    def offered(self, deck: Deck) -> bool:
        """On jobs, queues, schedules and workers."""
        return isinstance(next(iter(deck.deck_screen.targets()), None), JobRow | QueueStat | ScheduleRow | WorkerRow)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Say it in a sentence, with what to do about it."""
        from tui.screens.record import show_why

        await show_why(deck)


class Findings(Command):
    """All that is wrong, since when and where to look; the server."""

    id, keys, verbs = "findings", "v", ("findings", "server")

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Open the list."""
        from tui.screens.record import show_findings

        await show_findings(deck)


class Copy(Command):
    """Copy what is under the cursor, or the whole document."""

    id, keys, verbs = "copy", "c", ("copy",)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """To the clipboard of the terminal, or to a file where that is too long."""
        text = deck.deck_screen.copied()
        if not text:
            raise UsageError("There is nothing to copy here.")
        deck.say(copy_text(deck.driver, text))


class Mark(Command):
    """Mark; every verb then takes the marked."""

    id, keys, shown, by_widget = "grid.mark", "space", "Space", True


class Sort(Command):
    """Sort by the next column; O turns it round."""

    id, keys, shown, by_widget = "grid.sort", "o", "o O", True


class Move(Command):
    """Move."""

    id, keys, shown, by_widget = "grid.down", "j", "j k g G PgUp PgDn", True


class FilterRows(Command):
    """Filter: fn: q: key: arg: err: age>5m, AND OR NOT, ~regex."""

    id, keys, shown, verbs, usage = "filter", "slash", "/", ("filter",), "[expression]"

    async def run(self, deck: Deck, words: str) -> None:
        """Ask for it at the foot of the screen, or take it from the command line."""
        if words:
            deck.deck_screen.filter_by(words)
        else:
            await deck.deck_screen.ask_filter()


class SearchOn(Command):
    """Go on with a search that has looked at its budget of rows."""

    id, keys, verbs = "search.on", "n", ("next",)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Look at more rows."""
        deck.deck_screen.search_on()


class CommandPrompt(Command):
    """The command line, with completion."""

    id, keys, shown = "command", "colon", ":"

    async def run(self, deck: Deck, words: str) -> None:
        """Ask for a command at the foot of the screen."""
        await deck.deck_screen.ask_command(words)


class Help(Command):
    """The keys of this screen."""

    id, keys, shown, verbs, label = "help", "question_mark", "?", ("help",), "help"

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """List what can be done here."""
        from tui.screens.helppage import show_help

        await show_help(deck)


LOOKS = (Whole, Raw, Logs, Why, Findings, Copy, Move, Mark, Sort, FilterRows, SearchOn, CommandPrompt, Help)
