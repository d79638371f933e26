"""Acts on schedules: ours by the schedules' book, stock SAQ's crons by SAQ's own abort marker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from quarterdeck.errors import RefusedError
from quarterdeck.model import JobRef, Outcome
from quarterdeck.operate import workers
from quarterdeck.operate.arguments import check
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.timetable_acts import LOOK_S, LOOKS, flags_of
from quarterdeck.schedule import ScheduleBook, pause_stock, resume_stock
from quarterdeck.schedule.stock import PREFIX, is_stock_cron
from quarterdeck.text import human_duration


class ScheduleActs(Bridge):
    """The acts of `model.Operator` that concern schedules."""

    async def pause_schedule(self, queue: str, name: str, *, for_s: float | None = 3600, reason: str = "") -> Outcome:
        """Pause a schedule for a time, or until resumed when `for_s` is None. Works for stock crons too."""
        self._guard.require("pause")
        if function := await self._stock_cron(queue, name):
            for_ms = None if for_s is None else int(for_s * 1000)
            await pause_stock(self._client, queue, function, owner=self.who, reason=reason, for_ms=for_ms)
        else:
            await self._book(queue).pause([name], who=self.who, reason=reason, for_s=for_s)
        length = "until it is resumed" if for_s is None else f"for {human_duration(for_s * 1000)}"
        lasting = "forever" if for_s is None else f"{for_s:g}s"
        return await self._done(
            "pause-schedule",
            name,
            f"Paused the schedule {name} {length}.",
            queue=queue,
            reason=reason,
            command=self._echo.line("schedules", "pause", name, queue=queue, **{"for": lasting}, reason=reason),
            undo=UndoRecord(kind="pause-schedule", queue=queue, who=self.who, data={"name": name, "stock": function}),
        )

    async def resume_schedule(self, queue: str, name: str) -> Outcome:
        """Resume a schedule."""
        self._guard.require("resume")
        if function := await self._stock_cron(queue, name):
            resumed = await resume_stock(self._client, queue, function)
        else:
            resumed = bool(await self._book(queue).resume([name]))
        if not resumed:
            raise RefusedError(f"The schedule {name} is not paused.")
        line = self._echo.line("schedules", "resume", name, queue=queue)
        return await self._done("resume-schedule", name, f"Resumed the schedule {name}.", queue=queue, command=line)

    async def skip_next(self, queue: str, name: str, *, skip: bool = True) -> Outcome:
        """Skip just the next run of a schedule, or take that back."""
        self._guard.require("skip")
        if await self._stock_cron(queue, name):
            raise RefusedError(
                f"{name} is a cron of stock SAQ workers, which can't skip a run.",
                "Pause it, or run it with `quarterdeck worker`.",
            )
        done = await self._book(queue).skip_next(name, who=self.who, skip=skip)
        if not done:
            raise RefusedError(f"The next run of {name} is {'skipped already' if skip else 'not skipped'}.")
        word = "will be skipped" if skip else "will not be skipped"
        line = self._echo.line("schedules", "skip", name, *([] if skip else ["--take-back"]), queue=queue)
        undo = UndoRecord(kind="skip-next", queue=queue, who=self.who, data={"name": name}) if skip else None
        return await self._done(
            "skip-next" if skip else "unskip",
            name,
            f"The next run of {name} {word}.",
            queue=queue,
            command=line,
            undo=undo,
        )

    async def run_schedule(self, queue: str, name: str, *, arguments: Mapping[str, Any] | None = None) -> Outcome:
        """Run a schedule's job now, without disturbing its timetable."""
        self._guard.require("run-schedule")
        more = [] if arguments is None else flags_of({"arguments": arguments})
        line = self._echo.line("schedules", "run", name, *more, queue=queue)
        if function := await self._stock_cron(queue, name):
            return await self._run_stock(queue, name, function, line)
        if arguments is not None:
            function = (await self._book(queue).definition(name)).spec.function
            specs, _ = await workers.specs(self._client, queue)
            if function in specs:
                check(specs[function], arguments)
        key = await self._book(queue).run_now(name, who=self.who, arguments=arguments)
        return await self._done("run-schedule", name, f"Started a run of {name}.", queue=queue, command=line, key=key)

    async def _run_stock(self, queue: str, name: str, function: str, line: str) -> Outcome:
        """Make a stock cron's pending job due; its worker enqueues the next one by the timetable."""
        from quarterdeck.operate import jobs

        ref = JobRef(queue=queue, key=PREFIX + function)
        (answer,) = await jobs.run_now(self._client, queue, [ref])
        if answer == "gone":
            raise RefusedError(f"The cron {name} has no pending run.", "Resume it first when it is paused.")
        return await self._done(
            "run-schedule", name, f"Started a run of {name}.", queue=queue, command=line, key=ref.key
        )

    def _book(self, queue: str) -> ScheduleBook:
        return ScheduleBook(self._client, queue)

    async def _stock_cron(self, queue: str, name: str) -> str:
        """The function of the stock cron that is meant, or an empty string when it is a schedule of ours."""
        book = self._book(queue)
        if (await book.store.load([name]))[name].digest:
            return ""
        function = name.removeprefix(PREFIX)
        # Between a run and the next there is nothing pending, until the stock worker looks again, within a second.
        looks = LOOKS if name.startswith(PREFIX) else 1
        for look in range(looks):
            if look:
                await asyncio.sleep(LOOK_S)
            if await is_stock_cron(self._client, queue, function, by_marker=True):
                return function
        await book.definition(name)  # raises: there is no such schedule, with the nearest name
        return function
