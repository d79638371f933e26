"""Acts on jobs: retry, abort, delete, run now, restore, enqueue; one, a few, or all that a query matches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.errors import RefusedError, UsageError
from quarterdeck.model import BlastCard, JobRef, Outcome, Pace, Selection, Verb
from quarterdeck.operate import bulk as bulks
from quarterdeck.operate import jobs
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.bulk import Bulk
from quarterdeck.operate.preview import preview
from quarterdeck.operate.queues import server_ms
from quarterdeck.operate.runner import did
from quarterdeck.operate.selecting import count
from quarterdeck.operate.undo import MOST, retry_data
from quarterdeck.text import count_of

AT_ONCE: Final = 500
"""Named jobs that are acted on directly; more become a bulk operation."""
PAST: Final = {
    Verb.RETRY: "Retried",
    Verb.ABORT: "Aborted",
    Verb.DELETE: "Deleted",
    Verb.RUN_NOW: "Made due",
    Verb.RESTORE: "Restored",
    Verb.RELEASE: "Released",
}
WHY: Final = {
    "changed": "changed since it was seen",
    "running": "is running",
    "queued": "the same key is queued already",
    "gone": "is gone",
    "complete": "completed",
    "unreadable": "its payload can't be read",
    "failed": "failed already",
    "aborted": "aborted already",
}


class JobActs(Bridge):
    """The acts of `model.Operator` that are done to jobs."""

    async def preview(self, verb: Verb, selection: Selection) -> BlastCard:
        """What `act` would do."""
        command = self._echo.of_selection(verb, selection, reason="", pace=None)
        now_ms = await server_ms(self._client)
        return await preview(
            self._client, verb, selection, await self._queues_of(selection), now_ms=now_ms, command=command
        )

    async def act(self, verb: Verb, selection: Selection, *, reason: str = "", pace: Pace | None = None) -> Outcome:
        """Do `verb` to every job selected; a query, a pace or many named jobs become a bulk operation."""
        self._guard.require(verb.value)
        command = self._echo.of_selection(verb, selection, reason=reason, pace=pace)
        direct = selection.refs and len(selection.refs) <= AT_ONCE and (pace is None or pace.mode == "all")
        if direct or verb in (Verb.RESTORE, Verb.RELEASE):
            return await self._act_directly(verb, selection.refs, reason=reason, command=command)
        return await self._act_in_bulk(verb, selection, reason=reason, pace=pace or Pace(), command=command)

    async def edit_and_retry(self, ref: JobRef, arguments: Mapping[str, Any], *, reason: str = "") -> Outcome:
        """Retry a failed job with other arguments."""
        self._guard.require("edit-and-retry")
        done = await jobs.retry(self._client, ref.queue, [ref], arguments=arguments)
        answer = done.answers[0]
        command = self._echo.of_enqueue(ref.queue, "FUNCTION", arguments, key=ref.key)
        if answer != "ok":
            raise RefusedError(f"The job {ref.key} was not retried: it {WHY.get(answer, answer)}.")
        undo = UndoRecord(kind="retry", queue=ref.queue, who=self.who, data=retry_data(done.taken))
        return await self._done(
            "edit-and-retry",
            ref.key,
            f"Retried {ref.key} with other arguments.",
            queue=ref.queue,
            reason=reason,
            command=command,
            undo=undo,
            key=ref.key,
        )

    async def control_bulk(self, queue: str, bulk: str, command: str) -> Outcome:
        """Tell a bulk operation: pause, resume, stop."""
        self._guard.require("bulk")
        if command not in ("pause", "resume", "stop"):
            raise UsageError(f"A bulk operation does not know '{command}'.", "Use pause, resume or stop.")
        state = await bulks.read(self._client, queue, bulk)
        if state is None or state.state not in bulks.LIVE:
            raise RefusedError(f"The bulk operation {bulk} is over.")
        key = bulks.control_key(queue, bulk)
        await (self._client.delete(key) if command == "resume" else self._client.set(key, command))
        self._runner.wake()
        line = self._echo.line("bulk", command, bulk, queue=queue)
        return await self._done(f"bulk-{command}", bulk, f"Told {bulk} to {command}.", queue=queue, command=line)

    async def _queues_of(self, selection: Selection) -> Sequence[str]:
        if selection.refs:
            return sorted({ref.queue for ref in selection.refs})
        return [selection.queue] if selection.queue else await self.queues()

    async def _act_directly(self, verb: Verb, refs: Sequence[JobRef], *, reason: str, command: str) -> Outcome:
        act = self._audit.new_act()
        done = 0
        skips: Counter[str] = Counter()
        undo: UndoRecord | None = None
        for queue in sorted({ref.queue for ref in refs}):
            mine = [ref for ref in refs if ref.queue == queue]
            answers, undo = await self._do(verb, queue, mine, act=act, reason=reason)
            for answer in answers:
                if did(verb, answer):
                    done += 1
                else:
                    skips[WHY.get(answer, answer)] += 1
        several = len({ref.queue for ref in refs}) > 1
        subject = refs[0].key if len(refs) == 1 else count_of(len(refs), "job")
        return await self._done(
            verb.value,
            subject,
            _sentence(verb, subject if len(refs) == 1 else count_of(done, "job"), done, skips),
            queue="" if several else refs[0].queue,
            reason=reason,
            done=done,
            skips=skips,
            command=command,
            undo=undo if done and not several else None,
            act=act,
        )

    async def _do(
        self, verb: Verb, queue: str, refs: Sequence[JobRef], *, act: str, reason: str
    ) -> tuple[tuple[str, ...], UndoRecord | None]:
        client, who = self._client, self.who
        if verb is Verb.RETRY:
            retried = await jobs.retry(client, queue, refs)
            undo = UndoRecord(kind="retry", queue=queue, who=who, data=retry_data(retried.taken))
            return retried.answers, undo if 0 < len(retried.taken) <= MOST else None
        if verb is Verb.RESTORE:
            return await jobs.restore(client, queue, [ref.key for ref in refs]), None
        if verb is Verb.RUN_NOW:
            return await jobs.run_now(client, queue, refs), None
        if verb is Verb.DELETE:
            answers = await jobs.delete(client, queue, refs, who=who, act=act)
            return answers, UndoRecord(kind="bin", queue=queue, who=who, data={"act": act})
        if verb is Verb.ABORT:
            error = f"aborted by {who}" + (f": {reason}" if reason else "")
            answers = await jobs.abort(client, queue, refs, who=who, act=act, error=error)
            binned = any(answer in ("queued", "scheduled") for answer in answers)
            return answers, UndoRecord(kind="bin", queue=queue, who=who, data={"act": act}) if binned else None
        raise UsageError(f"'{verb}' is not done to jobs here.")

    async def _act_in_bulk(self, verb: Verb, selection: Selection, *, reason: str, pace: Pace, command: str) -> Outcome:
        now_ms = await server_ms(self._client)
        first, before = "", ""
        counts = {
            queue: held
            for queue in await self._queues_of(selection)
            if (held := await count(self._client, queue, _for_queue(selection, queue), until_ms=now_ms)) != 0
        }
        for queue, held in counts.items():
            mine = _for_queue(selection, queue)
            act = self._audit.new_act()
            state = Bulk(
                id=act,
                queue=queue,
                verb=verb,
                selection=mine,
                pace=_share(pace, held, list(counts.values())),
                reason=reason,
                owner=self.who,
                command=command,
                act=act,
                started_ms=now_ms,
                total=held if held is not None else -1,
                behind=before,
            )
            before = f"{queue}/{act}" if pace.mode == "canary" else ""
            await bulks.create(self._client, state)
            first = first or act
            undo = UndoRecord(kind="bin", queue=queue, who=self.who, data={"act": act})
            await self._audit.write(
                f"bulk-{verb.value}",
                bulks.describe(selection) if not selection.refs else count_of(len(mine.refs), "job"),
                queue=queue,
                reason=reason,
                done=state.total if held else 0,  # what it is for: what became of them, the operation itself tells
                command=command,
                undo=act,
                undo_record=undo if verb is Verb.DELETE else None,
            )
        if not first:
            return Outcome(message="Nothing matches: nothing was done.", command=command, trouble=True)
        self._runner.wake()
        total = sum(held or 0 for held in counts.values())
        some = count_of(total, "job") if total else "the jobs that match"
        return Outcome(message=f"Started: {verb.value} {some}.", done=0, command=command, bulk=first)


def _for_queue(selection: Selection, queue: str) -> Selection:
    return Selection(
        refs=tuple(ref for ref in selection.refs if ref.queue == queue),
        queue=queue,
        state=selection.state,
        signature=selection.signature,
        function=selection.function,
        filter=selection.filter,
    )


def _share(pace: Pace, held: int | None, counts: Sequence[int | None]) -> Pace:
    """One queue's part of a pace that is for all of them: by the jobs in it, or evenly where some are not counted."""
    known = [count for count in counts if count is not None]
    part = held / sum(known) if held is not None and len(known) == len(counts) else 1 / len(counts)
    return msgspec.structs.replace(pace, per_s=pace.per_s and max(0.001, round(pace.per_s * part, 3)))


def _sentence(verb: Verb, what: str, done: int, skips: Counter[str]) -> str:
    why = ", ".join(f"{count} {name}" if sum(skips.values()) > 1 else name for name, count in skips.most_common(3))
    if not done:
        return f"Nothing was done: {why or 'nothing was selected'}."
    return f"{PAST[verb]} {what}." + (f" Skipped {sum(skips.values())}: {why}." if skips else "")
