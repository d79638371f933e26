"""Acts on the timetable: adding, editing and deleting schedules, and pausing many of them at once."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.errors import RefusedError
from quarterdeck.keys import keys_of
from quarterdeck.model import Outcome
from quarterdeck.operate import workers
from quarterdeck.operate.arguments import check, nearest
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.unmasking import unmasked
from quarterdeck.schedule import ScheduleBook
from quarterdeck.schedule.spec import ScheduleError, converted
from quarterdeck.schedule.stock import PREFIX, is_stock_cron
from quarterdeck.text import human_duration, mask

LOOKS: Final = 12
LOOK_S: Final = 0.2
"""How often, and how long apart, a stock cron is looked for: between a run and the next it has no pending job."""


class TimetableActs(Bridge):
    """Acts that change what there is in the timetable, not how one schedule runs."""

    async def find_schedules(
        self, words: Sequence[str], *, queue: str | None = None, everything: bool = False
    ) -> list[tuple[str, str]]:
        """The schedules that are meant, as (queue, name): by name, by patterns with * and ?, or all of them.

        A stock cron is found by its function's name too. Raises ScheduleError for a word that means none.
        """
        queues = [queue] if queue is not None else await self.queues()
        names = {each: await ScheduleBook(self._client, each).store.names() for each in queues}
        if everything:
            return [(each, name) for each, found in names.items() for name in found]
        meant: dict[tuple[str, str], None] = {}
        for word in words:
            hits = [(each, name) for each, found in names.items() for name in found if _is_meant(name, word)]
            hits = hits or await self._stock_crons(queues, word)
            if not hits and queue is None:
                # A queue of stock workers beside some of ours.
                hits = await self._stock_crons([each for each in await self.all_queues() if each not in names], word)
            if not hits:
                known = sorted({name for found in names.values() for name in found})
                raise ScheduleError(f"There is no schedule '{word}'.", nearest(word, known))
            meant |= dict.fromkeys(hits)
        return list(meant)

    async def _stock_crons(self, queues: Sequence[str], word: str) -> list[tuple[str, str]]:
        """The stock crons of a function; while stock workers live they are looked for longer than between two runs."""
        function, alone = word.removeprefix(PREFIX), len(queues) == 1
        for look in range(LOOKS):
            hits = [each for each in queues if await is_stock_cron(self._client, each, function, by_marker=alone)]
            if hits:
                return [(each, PREFIX + function) for each in hits]
            if not look and not [each for each in queues if (await workers.specs(self._client, each))[1]]:
                break
            await asyncio.sleep(LOOK_S)
        return []

    async def add_schedule(self, queue: str, values: Mapping[str, Any]) -> Outcome:
        """Add a schedule of the operator's own; `values` are the fields of `schedule.ScheduleSpec`.

        Raises RefusedError for a function that no live worker knows, ArgumentError's kin for arguments that do not
        fit, ScheduleError for a name taken, ExpressionError and UnknownZoneError.
        """
        self._guard.require("define-schedule")
        spec = converted(values)
        await self._fits(queue, spec.function, spec.arguments)
        await ScheduleBook(self._client, queue).add(spec, who=self.who)
        more = flags_of({field: value for field, value in values.items() if field not in ("expression", "function")})
        return await self._done(
            "add-schedule",
            spec.name,
            f"Added the schedule {spec.name}.",
            queue=queue,
            command=self._echo.line("schedules", "add", spec.name, spec.expression, spec.function, *more, queue=queue),
            undo=UndoRecord(kind="add-schedule", queue=queue, who=self.who, data={"name": spec.name}),
        )

    async def edit_schedule(self, queue: str, name: str, fields: Mapping[str, Any], *, reason: str = "") -> Outcome:
        """Change fields of a schedule. What code defines stays beside it, and a redeploy leaves the change alone."""
        self._guard.require("define-schedule")
        book = ScheduleBook(self._client, queue)
        before = await book.definition(name)
        if isinstance(fields.get("arguments"), Mapping):  # what was left as it is shown, masked, stays as it is
            fields = {**fields, "arguments": unmasked(fields["arguments"], before.spec.arguments)}
        if {"function", "arguments"} & set(fields):
            function = str(fields.get("function", before.spec.function))
            await self._fits(queue, function, fields.get("arguments", before.spec.arguments))
        undo = await self._restoring(queue, name)
        await book.edit(name, fields, who=self.who, reason=reason)
        return await self._done(
            "edit-schedule",
            name,
            f"Changed {', '.join(sorted(fields))} of the schedule {name}.",
            queue=queue,
            reason=reason,
            command=self._echo.line("schedules", "edit", name, *flags_of(fields), queue=queue, reason=reason),
            undo=undo,
        )

    async def reset_schedule(self, queue: str, name: str, *, reason: str = "") -> Outcome:
        """Take back what operators changed of a schedule that code defines, its deletion included."""
        self._guard.require("define-schedule")
        undo = await self._restoring(queue, name)
        await ScheduleBook(self._client, queue).reset(name, who=self.who, reason=reason)
        line = self._echo.line("schedules", "edit", name, "--reset", queue=queue, reason=reason)
        return await self._done(
            "reset-schedule",
            name,
            f"The schedule {name} is as its code says.",
            queue=queue,
            reason=reason,
            command=line,
            undo=undo,
        )

    async def delete_schedule(self, queue: str, name: str, *, reason: str = "") -> Outcome:
        """Delete a schedule; one that code defines stays away over redeploys until it is reset."""
        self._guard.require("delete")
        undo = await self._restoring(queue, name)
        of_code = await ScheduleBook(self._client, queue).delete(name, who=self.who, reason=reason)
        lasting = " Redeploys leave it so; `schedules edit --reset` brings it back." if of_code else ""
        return await self._done(
            "delete-schedule",
            name,
            f"Deleted the schedule {name}.{lasting}",
            queue=queue,
            reason=reason,
            command=self._echo.line("schedules", "delete", name, queue=queue, reason=reason),
            undo=undo,
        )

    async def pause_schedules(
        self, queue: str, names: Sequence[str], *, for_s: float | None = 3600, reason: str = ""
    ) -> Outcome:
        """Pause many of a queue's schedules at once."""
        self._guard.require("pause")
        done = await ScheduleBook(self._client, queue).pause(names, who=self.who, reason=reason, for_s=for_s)
        length = "until they are resumed" if for_s is None else f"for {human_duration(for_s * 1000)}"
        lasting = "forever" if for_s is None else f"{for_s:g}s"
        return await self._done(
            "pause-schedule",
            _told(done),
            f"Paused {_count(done)} {length}.",
            queue=queue,
            reason=reason,
            done=len(done),
            command=self._echo.line("schedules", "pause", *done, queue=queue, **{"for": lasting}, reason=reason),
            undo=UndoRecord(kind="pause-schedules", queue=queue, who=self.who, data={"names": done}),
        )

    async def resume_schedules(self, queue: str, names: Sequence[str]) -> Outcome:
        """Resume many of a queue's schedules at once; those that are not paused stay as they are."""
        self._guard.require("resume")
        done = await ScheduleBook(self._client, queue).resume(names)
        if not done:
            raise RefusedError("None of them is paused.")
        line = self._echo.line("schedules", "resume", *done, queue=queue)
        return await self._done(
            "resume-schedule", _told(done), f"Resumed {_count(done)}.", queue=queue, done=len(done), command=line
        )

    async def _fits(self, queue: str, function: str, arguments: Mapping[str, Any]) -> None:
        """Refuse a function that no live worker knows, and arguments that do not fit it. No worker, no check."""
        specs, stock = await workers.specs(self._client, queue)
        if function in specs:
            check(specs[function], arguments)
        elif specs and not stock:
            raise RefusedError(
                f"No live worker of the queue '{queue}' registers the function '{function}'.",
                nearest(function, specs) or f"They know: {', '.join(sorted(specs)[:10])}.",
            )

    async def _restoring(self, queue: str, name: str) -> UndoRecord:
        """How to bring a schedule back to what it is now."""
        keys = keys_of(queue)
        pipe = self._client.pipeline(transaction=True)
        pipe.hget(keys.schedules, name)
        pipe.hget(keys.schedule_edits, name)
        code, edits = await pipe.execute()
        # What was broken by hand may be no text; all else comes back byte by byte.
        texts = {"code": (code or b"").decode(errors="replace"), "edits": (edits or b"").decode(errors="replace")}
        data = {"name": name, **texts}
        return UndoRecord(kind="define-schedule", queue=queue, who=self.who, data=data)


async def put_back(client: Any, queue: str, data: Mapping[str, str]) -> bool:
    """Undo an edit or a deletion: the stored definition as it was. False when code has changed it meanwhile."""
    keys, name, code = keys_of(queue), data["name"], data["code"].encode()
    stored = await client.hget(keys.schedules, name)
    if not code or (stored is not None and stored != code):
        return False
    pipe = client.pipeline(transaction=True)
    pipe.hset(keys.schedules, name, code)
    if data["edits"]:
        pipe.hset(keys.schedule_edits, name, data["edits"])
    else:
        pipe.hdel(keys.schedule_edits, name)
    await pipe.execute()
    await ScheduleBook(client, queue).store.retime([name])
    return True


def _is_meant(name: str, word: str) -> bool:
    return name == word or (any(sign in word for sign in "*?") and fnmatch.fnmatchcase(name, word))


def flags_of(fields: Mapping[str, Any]) -> list[str]:
    """The fields as the command line takes them."""
    words: list[str] = []
    for field, value in fields.items():
        if field == "arguments":
            words += [part for name, each in mask(value).items() for part in ("--arg", f"{name}={_json(each)}")]
        elif field == "options":
            words += [part for name, each in value.items() for part in ("--set", f"{name}={_json(each)}")]
        elif field not in _POSITIONAL and value not in ("", None):
            words += [f"--{field.replace('_', '-').removesuffix('-s')}", str(value)]
    return words


_POSITIONAL = frozenset({"name", "notation", "origin", "app", "by"})


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _count(names: Sequence[str]) -> str:
    return f"the schedule {names[0]}" if len(names) == 1 else f"{len(names)} schedules"


def _told(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
