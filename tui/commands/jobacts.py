"""Acting on jobs: retry, abort, delete, run now, bring back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from quarterdeck.errors import UsageError
from quarterdeck.model import (
    BinRow,
    BulkRow,
    FailureGroup,
    JobRow,
    JobState,
    Operator,
    Outcome,
    Pace,
    QuarantineRow,
    ScheduleRow,
    Selection,
    Verb,
    WorkerRow,
)
from quarterdeck.text import count_of
from tui.commands.command import Command
from tui.station import Right

if TYPE_CHECKING:
    from tui.app import Deck
    from tui.screens.deckscreen import Target


def stands_on(deck: Deck, *kinds: type) -> bool:
    """Whether what is marked, under the cursor or all that matches is of these kinds (judged by the first)."""
    targets = deck.deck_screen.aimed()
    return bool(targets) and isinstance(targets[0], kinds)


async def act_on_jobs(deck: Deck, verb: Verb, right: Right, *, always_ask: bool = False, paced: bool = False) -> None:
    """Do `verb` to what is marked or under the cursor: at once when it is one and can be undone, else after a card."""
    screen = deck.deck_screen
    selections = screen.queries()
    if not selections:
        raise UsageError("There is no job under the cursor.", "Move to one, or mark some with Space.")
    one = len(selections) == 1 and len(selections[0].refs) == 1
    operator = await deck.acting.operator()
    if one and not always_ask:
        await deck.perform(partial(_act, verb, selections[0], "", None), right)
        return
    from tui.screens.asking import ask_blast

    cards = [await operator.preview(verb, selection) for selection in selections]
    if not sum(card.count for card in cards):
        raise UsageError(f"There is nothing left to {str(verb).replace('-', ' ')} here.")
    answer = await ask_blast(deck, cards, paced=paced)
    if answer is None:
        return
    pace, reason = answer
    total = sum(card.count for card in cards)
    for card, selection in zip(cards, selections, strict=True):
        share = replace(pace, per_s=pace.per_s * card.count / total)  # the pace that was asked for is that of all
        await deck.perform(partial(_act, verb, selection, reason, None if one else share), right)
    screen.unmark()


async def _act(verb: Verb, selection: Selection, reason: str, pace: Pace | None, operator: Operator) -> Outcome:
    given: dict[str, Any] = {"reason": reason, "pace": pace if pace and pace.mode != "all" else None}
    return await operator.act(verb, selection, **given)


async def lift_rule(deck: Deck, *, release: bool) -> None:
    """Lift the rule that set aside what is under the cursor; its jobs are released, or deleted. What no rule set aside
    can't be read: it is put back, or deleted by itself.
    """
    from tui.screens.asking import confirm

    row = next(iter(deck.deck_screen.targets()), None)
    if not isinstance(row, QuarantineRow):
        return
    if not row.rule:
        from tui.screens.mending import delete_unreadable, put_back

        rows = [it for it in deck.deck_screen.targets() if isinstance(it, QuarantineRow) and not it.rule]
        await (put_back(deck, rows) if release else delete_unreadable(deck, rows))
        return
    what = "Release" if release else "Delete"
    line = f"The rule {row.rule} is lifted, and all jobs it holds are {what.lower()}d."
    if await confirm(deck, f"{what} what the rule holds?", line, row.reason, yes=what, danger=not release):
        right = Right.OPERATE if release else Right.ADMIN
        await deck.perform(lambda it: it.lift_quarantine(row.queue, row.rule, release=release), right)


def can_be_edited(targets: tuple[Target, ...]) -> bool:
    """Whether these are one failed job, or one thing that was set aside because it can't be read."""
    if len(targets) != 1:
        return False
    match targets[0]:
        case JobRow(state=state):
            return state is JobState.FAILED
        case QuarantineRow(rule=rule):
            return not rule
    return False


async def edit_target(deck: Deck, *, editor: bool = False) -> None:
    """Open what `can_be_edited` in its form, with `editor` in the operator's own editor at once."""
    target = deck.deck_screen.targets()[0]
    if isinstance(target, QuarantineRow):
        from tui.screens.mending import mend

        await mend(deck, target, editor=editor)
        return
    from tui.screens.editing import edit_and_retry

    await edit_and_retry(deck, editor=editor)


def name_in_queue(row: BulkRow | BinRow) -> str:
    """What a row whose id is `queue/name` is called within its queue."""
    return row.id.removeprefix(f"{row.queue}/")


class Retry(Command):
    """Retry: one at once, many after showing what it will do."""

    id, keys, verbs, label = "retry", "r", ("retry",), "retry"
    right, acts = Right.RETRY, True

    def offered(self, deck: Deck) -> bool:
        """On failed and aborted jobs, on groups, and on what can be brought back."""
        targets = deck.deck_screen.aimed()
        if targets and isinstance(targets[0], JobRow):
            return targets[0].state in {JobState.FAILED, JobState.ABORTED}
        return stands_on(deck, FailureGroup, BinRow, QuarantineRow)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Retry failed jobs; bring back deleted ones; release those set aside."""
        if stands_on(deck, BinRow):
            await act_on_jobs(deck, Verb.RESTORE, Right.RETRY)
        elif stands_on(deck, QuarantineRow):
            await lift_rule(deck, release=True)
        else:
            await act_on_jobs(deck, Verb.RETRY, Right.RETRY, paced=True)


class Abort(Command):
    """Abort jobs; stop a worker or a bulk operation."""

    id, keys, verbs, label = "abort", "x", ("abort", "stop"), "abort"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On jobs that have not ended, on workers and on bulk operations."""
        targets = deck.deck_screen.aimed()
        if targets and isinstance(targets[0], JobRow):
            return targets[0].state in {JobState.QUEUED, JobState.ACTIVE, JobState.SCHEDULED}
        if stands_on(deck, WorkerRow):
            return deck.station.allows(Right.ADMIN)
        return stands_on(deck, BulkRow)

    def needs(self, deck: Deck) -> Right:
        """A bulk operation is stopped by anyone who may start one."""
        return Right.RETRY if stands_on(deck, BulkRow) else self.right

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Abort what has not ended. A running job can't be un-aborted, so that is asked first."""
        target = next(iter(deck.deck_screen.aimed()), None)
        if isinstance(target, BulkRow):
            await deck.perform(lambda it: it.control_bulk(target.queue, name_in_queue(target), "stop"), Right.RETRY)
        elif isinstance(target, WorkerRow):
            await self._stop(deck, target)
        else:
            running = isinstance(target, JobRow) and target.state is JobState.ACTIVE
            await act_on_jobs(deck, Verb.ABORT, Right.OPERATE, always_ask=running)

    async def _stop(self, deck: Deck, worker: WorkerRow) -> None:
        from tui.screens.asking import confirm

        line = f"It finishes or hands back its {count_of(worker.running, 'running job')} and ends."
        if await confirm(deck, f"Stop worker {worker.name or worker.id}?", line, yes="Stop it", danger=True):
            await deck.perform(lambda it: it.control_worker(worker.id, "stop"), Right.ADMIN)


class Delete(Command):
    """Delete jobs into the recycle bin; always asks."""

    id, keys, shown, verbs = "delete", "ctrl+d", "Ctrl-D", ("delete",)
    right, acts = Right.ADMIN, True

    def offered(self, deck: Deck) -> bool:
        """On jobs, groups, what is set aside, and schedules."""
        return stands_on(deck, JobRow, FailureGroup, QuarantineRow, ScheduleRow)

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Delete after asking, even a single one."""
        target = next(iter(deck.deck_screen.targets()), None)
        if isinstance(target, QuarantineRow):
            await lift_rule(deck, release=False)
            return
        if isinstance(target, ScheduleRow):
            await self._delete_schedule(deck, target)
            return
        await act_on_jobs(deck, Verb.DELETE, Right.ADMIN, always_ask=True)

    async def _delete_schedule(self, deck: Deck, row: ScheduleRow) -> None:
        from tui.screens.asking import confirm

        lasting = "Its code defines it: it stays away over redeploys until it is reset." if row.origin == "code" else ""
        if await confirm(deck, f"Delete the schedule {row.name}?", row.words, lasting, yes="Delete", danger=True):
            await deck.perform(lambda it: it.delete_schedule(row.queue, row.name), Right.ADMIN)


class EditAndRetry(Command):
    """Edit a failed job's arguments and retry it; mend what can't be read; change a schedule."""

    id, keys, verbs, label = "edit", "E", ("edit",), "edit"
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On one failed job, one thing that can't be read, and one schedule."""
        targets = deck.deck_screen.targets()
        return can_be_edited(targets) or (len(targets) == 1 and isinstance(targets[0], ScheduleRow))

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Open it in a form; what does not fit is said at its field, and nothing is sent."""
        target = deck.deck_screen.targets()[0]
        if isinstance(target, ScheduleRow):
            from tui.screens.scheduling import edit_schedule

            await edit_schedule(deck, target)
        else:
            await edit_target(deck)


class EditInEditor(Command):
    """The same in your own editor ($EDITOR): a failed job's arguments, what can't be read."""

    id, keys, shown, verbs = "edit.editor", "ctrl+o", "Ctrl-O", ("editor",)
    right, acts = Right.OPERATE, True

    def offered(self, deck: Deck) -> bool:
        """On one failed job, and on one thing that can't be read."""
        return can_be_edited(deck.deck_screen.targets())

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Hand the terminal over; what was saved comes back into the form, and is sent from there."""
        await edit_target(deck, editor=True)


class MarkAllMatching(Command):
    """Aim at everything that matches, seen or not."""

    id, keys, verbs, label = "mark.matching", "a", ("all",), "all"
    right = Right.RETRY

    def offered(self, deck: Deck) -> bool:
        """On lists that the server can take as a query."""
        return deck.deck_screen.everything() is not None

    async def run(self, deck: Deck, words: str) -> None:  # noqa: ARG002
        """Switch it on or off."""
        deck.deck_screen.mark_all_matching()


JOB_ACTS = (Retry, Abort, Delete, EditAndRetry, EditInEditor, MarkAllMatching)
