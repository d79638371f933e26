"""What operators ask for and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from quarterdeck.model.view import JobState


class Verb(StrEnum):
    """Acts on jobs that can be done to many."""

    RETRY = "retry"
    ABORT = "abort"
    DELETE = "delete"
    RUN_NOW = "run-now"
    RESTORE = "restore"
    RELEASE = "release"
    """Release from quarantine."""


class JobRef(msgspec.Struct, frozen=True, kw_only=True):
    """A job as it was seen. `seen_ms` makes acting compare-and-set: the time of its failure (failed jobs) or 0."""

    queue: str
    key: str
    seen_ms: int = 0


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """The jobs that an act is for: those named in `refs`, or all that a query matches when `refs` is empty."""

    refs: tuple[JobRef, ...] = ()
    queue: str | None = None
    state: JobState | None = None
    signature: str | None = None
    function: str | None = None
    filter: str = ""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How a bulk operation goes about it."""

    mode: str = "all"
    """all at once, `paced` (per_s), or `canary`: one, wait for its outcome, then faster."""
    per_s: float = 0
    trip_rate: float = 0.2
    """Canary and paced: stop by itself when this share of the released jobs failed again (0..1)."""


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """A name and how many."""

    name: str
    count: int


class BlastCard(msgspec.Struct, frozen=True, kw_only=True):
    """What an act would do, shown before it is done."""

    verb: Verb
    count: int
    """Exact when `exact`, else at least this many (the search's budget ran out)."""
    exact: bool = True
    functions: tuple[Tally, ...] = ()
    queues: tuple[Tally, ...] = ()
    oldest_ms: int | None = None
    newest_ms: int | None = None
    sample: tuple[str, ...] = ()
    drain_s: float | None = None
    """Expected time until the retried jobs are through at the present rate, or None when there is no rate."""
    reversible: bool = True
    warnings: tuple[str, ...] = ()
    command: str = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What an act did."""

    message: str
    """One sentence, in the past."""
    done: int = 0
    skipped: int = 0
    skips: tuple[Tally, ...] = ()
    """Why things were skipped."""
    command: str = ""
    """The same act as a command line."""
    undo: str = ""
    """Id for `Operator.undo`, or empty."""
    key: str = ""
    """For enqueue and run now: the new job's key."""
    bulk: str = ""
    """Id of the bulk operation that carries it out, or empty."""
    trouble: bool = False
    """Nothing, or not all, could be done."""


class Operator(Protocol):
    """The seam to act. Every act is audited; what can't be done raises RefusedError or comes back as skipped."""

    async def preview(self, verb: Verb, selection: Selection) -> BlastCard:
        """What `act` would do."""

    async def act(self, verb: Verb, selection: Selection, *, reason: str = "", pace: Pace | None = None) -> Outcome:
        """Do `verb` to every job selected. Many jobs, or a pace, become a bulk operation."""

    async def enqueue(
        self,
        queue: str,
        function: str,
        arguments: Mapping[str, Any],
        *,
        key: str | None = None,
        delay_s: float = 0,
        options: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Enqueue a job once its arguments fit the function's signature; `options` are SAQ's job fields."""

    async def edit_and_retry(self, ref: JobRef, arguments: Mapping[str, Any], *, reason: str = "") -> Outcome:
        """Retry a failed job with other arguments."""

    async def pause_queue(self, queue: str, *, for_s: float | None = 3600, reason: str = "") -> Outcome:
        """Pause a queue for a time, or until resumed when `for_s` is None. Needs deck workers."""

    async def resume_queue(self, queue: str) -> Outcome:
        """Resume a queue."""

    async def preview_retention(self, queue: str, values: Mapping[str, str]) -> tuple[Tally, ...]:
        """What `set_retention` would drop: of what, and how many (at least: not all of a long history is counted)."""

    async def set_retention(self, queue: str, values: Mapping[str, str], *, reason: str = "") -> Outcome:
        """Set bounds of what a queue keeps: name → `30d`, `2GB`, `100000`, or `default`."""

    async def pause_schedule(self, queue: str, name: str, *, for_s: float | None = 3600, reason: str = "") -> Outcome:
        """Pause a schedule for a time, or until resumed when `for_s` is None. Works for stock crons too."""

    async def resume_schedule(self, queue: str, name: str) -> Outcome:
        """Resume a schedule."""

    async def skip_next(self, queue: str, name: str, *, skip: bool = True) -> Outcome:
        """Skip just the next run of a schedule, or take that back."""

    async def run_schedule(self, queue: str, name: str, *, arguments: Mapping[str, Any] | None = None) -> Outcome:
        """Run a schedule's job now, without disturbing its timetable."""

    async def pause_schedules(
        self, queue: str, names: Sequence[str], *, for_s: float | None = 3600, reason: str = ""
    ) -> Outcome:
        """Pause several schedules of a queue as one act."""

    async def resume_schedules(self, queue: str, names: Sequence[str]) -> Outcome:
        """Resume several schedules of a queue as one act."""

    async def add_schedule(self, queue: str, values: Mapping[str, Any]) -> Outcome:
        """Add a schedule at run time; `values` are the fields of `schedule.ScheduleSpec`."""

    async def edit_schedule(self, queue: str, name: str, fields: Mapping[str, Any], *, reason: str = "") -> Outcome:
        """Change fields of a schedule; what code defines stays beside it."""

    async def reset_schedule(self, queue: str, name: str, *, reason: str = "") -> Outcome:
        """Take back what operators changed of a schedule that code defines."""

    async def delete_schedule(self, queue: str, name: str, *, reason: str = "") -> Outcome:
        """Delete a schedule; one that code defines stays away over redeploys until it is reset."""

    async def control_worker(self, worker: str, command: str, value: str = "") -> Outcome:
        """Tell a worker: quiet, resume, stop, concurrency (value: slots), stack (value: job key)."""

    async def quarantine(
        self, queue: str, *, function: str, argument: str = "", error: str = "", reason: str = ""
    ) -> Outcome:
        """Set aside the jobs that match, present and future, until the rule is lifted."""

    async def lift_quarantine(self, queue: str, rule: str, *, release: bool = True) -> Outcome:
        """Lift a rule; the jobs it holds are released, or deleted into the recycle bin."""

    async def delete_unreadable(self, queue: str, entries: Sequence[str] = (), *, reason: str = "") -> Outcome:
        """Move what can't be read, or only what `entries` name, from the quarantine into the recycle bin."""

    async def put_back(
        self, queue: str, entry: str, payload: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Outcome:
        """Put something unreadable back into the queue, as it is or as the job fields in `payload`."""

    async def control_bulk(self, queue: str, bulk: str, command: str) -> Outcome:
        """Tell a bulk operation: pause, resume, stop."""

    async def undo(self, act: str = "") -> Outcome:
        """Undo an act by its undo id, or one's own newest that can be undone."""

    async def note(self, text: str) -> Outcome:
        """Add a line to the audit."""

    async def present(self, screen: str) -> None:
        """Say that this operator is here; called every few seconds, never audited."""

    async def traffic(self, command: str) -> Outcome:
        """Demo only: turn the demo's traffic up, down, off (environments that register a `traffic` control)."""

    async def close(self) -> None:
        """Take leave and release the connection."""
