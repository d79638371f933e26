"""Pausing and resuming, running now, skipping, controlling workers, setting aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.model import BulkRow, FailureGroup, JobRow, JobState, QueueStat, ScheduleRow, Verb, WorkerRow
from tui.commands.command import Command
from tui.commands.jobacts import act_on_jobs, name_in_queue, stands_on
from tui.station import Right

if TYPE_CHECKING:
    from tui.app import Deck
    from tui.screens.deckscreen import Target


class Pause(Command):
    """Pause or resume a queue, schedule, worker or bulk operation."""

    id, keys, verbs, label = "pause", "s", ("pause", "resume"), "pause"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On what can be paused."""
        return stands_on(deck, QueueStat, ScheduleRow, WorkerRow, BulkRow)

    def needs(self, deck: Deck) -> Right:
        """A bulk operation is paused by anyone who may start one."""
        return Right.RETRY if stands_on(deck, BulkRow) else self.right

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Resume what is paused; else ask for how long and why."""
        targets = deck.deck_screen.targets()
        if all(isinstance(target, ScheduleRow | QueueStat) and target.paused is None for target in targets):
            await self._pause(deck, [it for it in targets if isinstance(it, ScheduleRow | QueueStat)])
            return
        for target in targets:
            await self._turn(deck, target)
        deck.deck_screen.unmark()

    async def _turn(self, deck: Deck, target: Target) -> None:
        """Resume one paused thing; workers and bulk operations are turned either way."""
        match target:
            case QueueStat():
                await deck.perform(lambda it: it.resume_queue(target.name))
            case ScheduleRow():
                await deck.perform(lambda it: it.resume_schedule(target.queue, target.name))
            case WorkerRow():
                await self._quiet(deck, target)
            case BulkRow():
                command = "resume" if target.state == "paused" else "pause"
                await deck.perform(
                    lambda it: it.control_bulk(target.queue, name_in_queue(target), command), Right.RETRY
                )

    async def _pause(self, deck: Deck, targets: list[ScheduleRow | QueueStat]) -> None:
        from tui.screens.asking import ask_pause

        stock = [it.name for it in targets if isinstance(it, QueueStat) and not it.deck and it.workers]
        if stock:
            raise RefusedError(
                f"The queue {stock[0]} is served by stock SAQ workers, which can't be told to pause.",
                "Serve it with: quarterdeck worker",
            )
        names = ", ".join(it.name for it in targets[:5]) + (f" and {len(targets) - 5} more" if len(targets) > 5 else "")
        kind = "queue" if isinstance(targets[0], QueueStat) else "schedule"
        answer = await ask_pause(deck, f"Pause {kind} {names}?")
        if answer is None:
            return
        for_s, reason = answer
        rows = [it for it in targets if isinstance(it, ScheduleRow)]
        if len(rows) > 1:
            for queue in sorted({row.queue for row in rows}):
                await self._pause_many(deck, queue, [row.name for row in rows if row.queue == queue], for_s, reason)
        else:
            for target in targets:
                await self._pause_one(deck, target, for_s, reason)
        deck.deck_screen.unmark()

    async def _pause_many(self, deck: Deck, queue: str, names: list[str], for_s: float | None, reason: str) -> None:
        await deck.perform(lambda it: it.pause_schedules(queue, names, for_s=for_s, reason=reason))

    async def _pause_one(self, deck: Deck, target: ScheduleRow | QueueStat, for_s: float | None, reason: str) -> None:
        if isinstance(target, QueueStat):
            await deck.perform(lambda it: it.pause_queue(target.name, for_s=for_s, reason=reason))
        else:
            await deck.perform(lambda it: it.pause_schedule(target.queue, target.name, for_s=for_s, reason=reason))

    async def _quiet(self, deck: Deck, worker: WorkerRow) -> None:
        if not worker.deck:
            raise RefusedError(f"{worker.name or worker.id} is a stock SAQ worker: it takes no commands.")
        command = "resume" if worker.state == "quiet" else "quiet"
        await deck.perform(lambda it: it.control_worker(worker.id, command))


class RunNow(Command):
    """Run a schedule now, or a scheduled job."""

    id, keys, verbs, label = "run", "t", ("run",), "run now"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On schedules, and on jobs that are not due yet."""
        targets = deck.deck_screen.targets()
        scheduled = targets and isinstance(targets[0], JobRow) and targets[0].state is JobState.SCHEDULED
        return bool(scheduled) or stands_on(deck, ScheduleRow)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """The timetable is not disturbed by it."""
        if not stands_on(deck, ScheduleRow):
            await act_on_jobs(deck, Verb.RUN_NOW, Right.OPERATE)
            return
        for target in deck.deck_screen.targets():
            if isinstance(target, ScheduleRow):
                await self._run(deck, target)
        deck.deck_screen.unmark()

    async def _run(self, deck: Deck, row: ScheduleRow) -> None:
        await deck.perform(lambda it: it.run_schedule(row.queue, row.name))


class SkipNext(Command):
    """Skip the next run of a schedule, or take that back."""

    id, keys, verbs, label = "skip", "S", ("skip",), "skip"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On schedules."""
        return stands_on(deck, ScheduleRow)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Just one run; the next but one comes as planned."""
        for target in deck.deck_screen.targets():
            if isinstance(target, ScheduleRow):
                await self._skip(deck, target)
        deck.deck_screen.unmark()

    async def _skip(self, deck: Deck, row: ScheduleRow) -> None:
        await deck.perform(lambda it: it.skip_next(row.queue, row.name, skip=not row.skip_next))


class Concurrency(Command):
    """Change how many jobs a worker runs at once."""

    id, keys, verbs, usage = "concurrency", "C", ("concurrency",), "SLOTS"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On workers of ours."""
        targets = deck.deck_screen.targets()
        return bool(targets) and isinstance(targets[0], WorkerRow) and targets[0].deck and targets[0].state != "lost"

    async def run(self, deck: Deck, words: str) -> None:
        """Take the number from the command line, or ask for it."""
        from tui.screens.asking import ask_text

        worker = deck.deck_screen.targets()[0]
        if not isinstance(worker, WorkerRow):
            return
        title = f"How many slots for {worker.name or worker.id}?"
        slots = words or await ask_text(deck, title, "slots", str(worker.slots), "1 to 1000", "Change")
        if slots is None:
            return
        if not slots.isdecimal() or not 1 <= int(slots) <= 10_000:
            raise UsageError(f"'{slots[:20]}' is no number of slots.", "Write a number from 1 to 10000.")
        await self._change(deck, worker, slots)

    async def _change(self, deck: Deck, worker: WorkerRow, slots: str) -> None:
        await deck.perform(lambda it: it.control_worker(worker.id, "concurrency", slots))


class SetAside(Command):
    """Set aside jobs like this one: function, argument, error; now and in future."""

    id, keys, verbs, label = "set-aside", "z", ("set-aside",), "set aside"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On failure groups and failed jobs."""
        targets = deck.deck_screen.targets()
        if targets and isinstance(targets[0], JobRow):
            return targets[0].state is JobState.FAILED
        return stands_on(deck, FailureGroup)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Ask for the predicate, filled in from what is under the cursor."""
        from tui.screens.editing import set_aside

        await set_aside(deck)


PAUSES = (Pause, RunNow, SkipNext, Concurrency, SetAside)
