"""The schedules of one queue, to look at and to act on: what the command line, the operator and the API stand on."""

from __future__ import annotations

import fnmatch
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.model import RunRow, ScheduleDetail, ScheduleRow
from quarterdeck.schedule.definition import BrokenError, Change, Definition, Edits, payload_parts
from quarterdeck.schedule.reading import STRIP, run_rows, schedule_detail, schedule_row
from quarterdeck.schedule.scripts import script
from quarterdeck.schedule.spec import EDITABLE, Origin, ScheduleError, ScheduleSpec, checked
from quarterdeck.schedule.store import ScheduleStore, Stored
from quarterdeck.script import Argument

HOUR_S: Final = 3600.0
"""How long a pause lasts unless told."""
PAGE: Final = 200
_json = msgspec.json.Encoder().encode


class ScheduleBook:
    """The schedules of one queue. `client` is a redis-py asyncio client with bytes answers."""

    def __init__(self, client: Any, queue: str, *, test_now_ms: Callable[[], int] | None = None) -> None:
        self.store = ScheduleStore(client, queue, test_now_ms=test_now_ms)
        self.queue = queue
        self._client = client
        self._keys = [self.store.keys.schedule_due]

    # -- looking

    async def page(self, first: int = 0, count: int = PAGE) -> tuple[int, list[ScheduleRow]]:
        """How many schedules there are, and a window of them: the next to fire first, broken ones last."""
        now, (total, *raws) = await self._look("schedules", first, count, STRIP)
        return total, [schedule_row(self.queue, raw, now) for raw in raws]

    async def rows(self, pattern: str = "") -> AsyncIterator[ScheduleRow]:
        """All schedules that match `pattern`: a name with `*` and `?`, or part of a name or of a function's name."""
        first, total = 0, 1
        while first < total:
            total, rows = await self.page(first)
            for row in rows:
                if matches(row, pattern):
                    yield row
            first += PAGE

    async def detail(self, name: str, runs: int = 100) -> ScheduleDetail:
        """One schedule whole. Raises ScheduleError when there is none of this name."""
        await self._known(name)
        now, raw = await self._look("schedule", name, runs)
        return schedule_detail(self.queue, raw, now)

    async def ledger(
        self,
        name: str = "",
        *,
        status: str = "",
        since_ms: int | None = None,
        until_ms: int | None = None,
        first: int = 0,
        count: int = 100,
    ) -> list[RunRow]:
        """Runs, newest first, of one schedule (by tick) or of all (by when they were written).

        `status` is one of RUNNING, WAITING, COMPLETED, FAILED, ABORTED, SKIPPED, or an outcome (ran, late, skipped,
        manual); `first` counts the runs that match.
        """
        low, high = _bound(since_ms, "-inf"), _bound(until_ms, "+inf")
        found: list[RunRow] = []
        at, total = 0, 1
        while at < total and len(found) < first + count:
            _, raw = await self._look("runs", name, low, high, at, PAGE)
            total, rows = run_rows(self.queue, raw)
            found += [row for row in rows if not status or status in (row.status, row.outcome)]
            at += PAGE
        return found[first : first + count]

    async def definition(self, name: str) -> Definition:
        """A definition. Raises ScheduleError for an unknown name, BrokenError for one that can't be read."""
        found = await self._known(name)
        if found.definition is None:
            raise BrokenError(f"The schedule {name} is broken: {found.broken}", "Delete it, or define it anew.")
        return found.definition

    # -- defining

    async def add(self, spec: ScheduleSpec, *, who: str) -> None:
        """Add an operator's own schedule. Raises ScheduleError for a name taken and for what does not hold."""
        found = (await self.store.load([spec.name]))[spec.name]
        if found.digest:
            raise ScheduleError(
                f"There is a schedule {spec.name} on {self.queue} already.", "Edit it, or take another name."
            )
        mine = checked(msgspec.structs.replace(spec, origin=Origin.RUNTIME, app="", by=who))
        await self._write(found, mine, Edits(), "added")

    async def edit(self, name: str, fields: Mapping[str, Any], *, who: str, reason: str = "") -> None:
        """Change fields of a schedule; what code defines stays beside it, and a redeploy leaves the change alone."""
        if unknown := sorted(set(fields) - EDITABLE):
            raise ScheduleError(f"{', '.join(unknown)} can't be edited.", f"These can: {', '.join(sorted(EDITABLE))}.")
        found = await self._known(name)
        definition = self._present(await self.definition(name))
        change = Change(who=who, at_ms=await self.store.now_ms(), reason=reason, fields=dict(fields))
        await self._write(found, None, definition.edits.with_change(change), "edited")

    async def reset(self, name: str, *, who: str, reason: str = "") -> None:
        """Take back all that operators changed: what code defines counts again, also when it was deleted."""
        found = await self._known(name)
        # What operators changed may be what can't be read any more.
        code = None if found.definition else await self.store.code(name)
        change = Change(who=who, at_ms=await self.store.now_ms(), reason=reason or "reset")
        await self._write(found, code, Edits(changes=(change,)), "reset")

    async def delete(self, name: str, *, who: str, reason: str = "") -> bool:
        """Delete a schedule; True for one that code defines: it stays away over redeploys until `reset`."""
        found = await self._known(name)
        if found.definition is None or found.definition.code.origin is Origin.RUNTIME:
            await self.store.remove({name: ""}, keep_edits=False)
            return False
        self._present(found.definition)
        change = Change(who=who, at_ms=await self.store.now_ms(), reason=reason or "deleted")
        await self._write(found, None, found.definition.edits.with_change(change, deleted=True), "deleted")
        return True

    # -- controlling

    async def pause(
        self, names: Sequence[str], *, who: str, reason: str = "", for_s: float | None = HOUR_S
    ) -> list[str]:
        """Pause schedules for a time, or until resumed (None); returns those that exist."""
        if for_s is not None and not for_s > 0:
            raise ScheduleError(f"A pause of {for_s} s is none.", "Say for how long, or for ever.")
        return await self._pause(names, 0 if for_s is None else max(1, int(for_s * 1000)), who, reason)

    async def resume(self, names: Sequence[str]) -> list[str]:
        """Resume schedules; returns those that were paused. Their next tick is the next one from now."""
        return await self._pause(names, -1, "", "")

    async def skip_next(self, name: str, *, who: str, skip: bool = True) -> bool:
        """Skip just the next run, or take that back; False when there was nothing to do."""
        return bool((await self._control("skip" if skip else "unskip", name, who))[1])

    async def run_now(self, name: str, *, who: str, arguments: Mapping[str, Any] | None = None) -> str:
        """Run a schedule's job at once, with other arguments if told; returns the job's key.

        It disturbs nothing: the timetable stays, a pause does not hold it back. The ledger tells of it as manual.
        """
        definition = self._present(await self.definition(name))
        own = None if arguments is None else dict(arguments)
        parts = payload_parts(definition.spec, self.queue, manual=True, arguments=own)
        _, done, key = await self._control("run", name, f"{definition.key_base}M", *parts, who)
        if not done:
            raise ScheduleError(f"There is no schedule {name} on {self.queue} any more.")
        return str(key.decode())

    async def _known(self, name: str) -> Stored:
        found = (await self.store.load([name]))[name]
        if not found.digest:
            raise ScheduleError(f"There is no schedule {name[:80]!r} on {self.queue}.", await self._nearest(name))
        return found

    def _present(self, definition: Definition) -> Definition:
        """The same. Raises ScheduleError for one that an operator deleted and a redeploy must not bring back."""
        if definition.edits.deleted:
            who = f" by {definition.edits.changes[-1].who}" if definition.edits.changes else ""
            raise ScheduleError(
                f"The schedule {definition.spec.name} is deleted{who}.", "`schedules edit --reset` brings it back."
            )
        return definition

    async def _nearest(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, await self.store.names(), n=3)
        return f"Did you mean {' or '.join(near)}?" if near else ""

    async def _write(self, found: Stored, code: ScheduleSpec | None, edits: Edits, verb: str) -> None:
        try:
            lost = await self.store.write(await self.store.now_ms(), [(found, code, edits)])
        except msgspec.ValidationError as error:
            raise ScheduleError(f"The schedule {found.name} can't be {verb}: {error}.") from None
        if lost:
            raise ScheduleError(
                f"The schedule {found.name} was changed by somebody else meanwhile.", "Look at it again."
            )

    async def _pause(self, names: Sequence[str], length_ms: int, who: str, reason: str) -> list[str]:
        if not names:
            return []
        args: list[Argument] = [
            self.queue,
            self.store.test_ms,
            length_ms,
            who,
            reason,
            _json(who),
            _json(reason),
            *names,
        ]
        _, done = await script("pause")(self._client, self._keys, args)
        return [name.decode("utf-8", "replace") for name in done]

    async def _control(self, act: str, name: str, *args: str) -> list[Any]:
        answer: list[Any] = await script("control")(
            self._client, self._keys, [self.queue, self.store.test_ms, act, name, *args]
        )
        return answer

    async def _look(self, what: str, *args: str | int) -> tuple[int, list[Any]]:
        now, answer = await script("look")(self._client, self._keys, [self.queue, self.store.test_ms, what, *args])
        return int(now), answer


def matches(row: ScheduleRow, pattern: str) -> bool:
    """Whether a row is meant: a name with `*` and `?`, or part of its name or of its function's; empty means all."""
    if any(sign in pattern for sign in "*?["):
        return fnmatch.fnmatchcase(row.name, pattern)
    return pattern in row.name or pattern in row.function


def _bound(at_ms: int | None, none: str) -> str | int:
    return none if at_ms is None else at_ms
