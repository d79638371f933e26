"""The ledger of runs: how each ends is written here, and read from here.

A run's id is its tick and its schedule's name, `1795312800000/backup`; `m…` marks one that an operator started.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import RunRow
from quarterdeck.record.retention import LEDGER_AGE_MS, LEDGER_COUNT, LEDGER_PER_SCHEDULE
from quarterdeck.schedule.scripts import script
from quarterdeck.text import mask_text, plainjson

MOST_TOLD: Final = 1_000
"""Characters of a result or an error that the ledger keeps."""
LOOKED_AT: Final = 200
HEAD_BYTES: Final = 262_144
_ENDS: Final = {"complete": "COMPLETED", "failed": "FAILED", "aborted": "ABORTED"}
_SEPARATORS: Final = str.maketrans("\t\r\n", "   ")


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the ledger is kept: runs of a queue, of one schedule, and their age."""

    count: int = LEDGER_COUNT
    per_schedule: int = LEDGER_PER_SCHEDULE
    age_ms: int = LEDGER_AGE_MS


def run_id(meta: Any) -> str | None:
    """The run that a job with this `meta` is, or None for a job of no schedule."""
    if not isinstance(meta, dict) or not isinstance(meta.get("schedule"), str) or not isinstance(meta.get("tick"), int):
        return None
    return f"{'m' if meta.get('manual') else ''}{meta['tick']}/{meta['schedule']}"


def settlement(
    meta: Any, status: str, started_ms: int, ended_ms: int, *, result: Any = None, error: str | None = None
) -> tuple[str, ...] | None:
    """The step (`broker.ending.Step`) that writes a scheduled job's end, for the script that finishes the job.

    `meta` is the job's, `status` SAQ's (complete, failed, aborted). None for a job of no schedule.
    """
    run = run_id(meta)
    return None if run is None else ("settle", run, *_ending(status, started_ms, ended_ms, result, error))


def _ending(status: str, started_ms: int, ended_ms: int, result: Any, error: str | None) -> tuple[str, ...]:
    duration = ended_ms - started_ms if started_ms and ended_ms else 0
    told = _last_line(error) if error else "" if result is None else _told(result)
    return _ENDS.get(status, "FAILED"), str(int(started_ms)), str(int(ended_ms)), str(int(duration)), told


def _last_line(error: str) -> str:
    lines = error.strip().splitlines()
    return (lines[-1] if lines else "").translate(_SEPARATORS)[:MOST_TOLD]


def _told(result: Any) -> str:
    try:
        text = plainjson.encode(result).decode()
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError):
        text = repr(type(result))
    return text.translate(_SEPARATORS)[:MOST_TOLD]


class _Payload(msgspec.Struct):
    """What the end of a run is told by in a job's payload."""

    status: str = "new"
    started: float = 0
    completed: float = 0
    result: Any = None
    error: str | None = None


async def settle_unsettled(client: Any, queue: str, *, test_now_ms: int = 0) -> int:
    """Write the ends that nobody told: jobs that a stock worker finished, and jobs that are gone. Returns how many."""
    keys = [keys_of(queue).schedule_due]
    first = done = 0
    while True:
        now, count, found = await script("unsettled")(client, keys, [queue, test_now_ms, LOOKED_AT, first, HEAD_BYTES])
        ends: list[str] = []
        for at in range(0, len(found), 3):
            ending = _ending_of(found[at + 1], found[at + 2], now)
            if ending is not None:
                ends += [found[at].decode("utf-8", "replace"), *ending]
        settled = await script("settle")(client, keys, [queue, *ends]) if ends else 0
        done += settled
        first += LOOKED_AT - settled
        if first >= count - settled:
            return done


def _ending_of(head: bytes, size: int, now: int) -> tuple[str, ...] | None:
    """How a job that is no longer waiting or running ended, or None while that is not sure."""
    if not size:
        return _ending("failed", 0, now, None, "The job is gone: deleted, or kept for no time.")
    if size > len(head):
        return _ending("complete", 0, now, f"a payload of {size} bytes", None)
    try:
        job = msgspec.json.decode(head, type=_Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _ending("failed", 0, now, None, f"Its payload can't be read: {error}")
    if job.status not in _ENDS:
        # On its way between two lists of a stock worker, or being aborted: the next look will tell.
        return None
    return _ending(job.status, int(job.started), int(job.completed), job.result, job.error)


def row_of(queue: str, run: str, record: bytes | None, ending: bytes | None) -> RunRow | None:
    """A run as a row, from its record and its ending as stored; None for a record that can't be read."""
    parts = (record or b"").decode("utf-8", "replace").split("\t")
    if len(parts) != 8:
        return None
    name, tick, outcome, cause, late, status, key, _ = parts
    values: dict[str, Any] = {}
    end = (ending or b"").decode("utf-8", "replace").split("\t", 4)
    if len(end) == 5:
        status = end[0]
        values = {"start_ms": _number(end[1]), "end_ms": _number(end[2]), "duration_ms": float(_number(end[3]))}
        values["result" if status == "COMPLETED" else "error"] = mask_text(end[4])
    return RunRow(
        id=run,
        name=name,
        queue=queue,
        tick_ms=_number(tick),
        outcome=outcome,
        cause=cause,
        late_ms=_number(late),
        status=status,
        job_key=key,
        **values,
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def rows_of(queue: str, runs: Iterable[bytes], values: list[bytes | None]) -> list[RunRow]:
    """Rows from run ids and, for each, its record and its ending (two values a run)."""
    rows = [
        row_of(queue, run.decode("utf-8", "replace"), values[2 * at], values[2 * at + 1]) for at, run in enumerate(runs)
    ]
    return [row for row in rows if row is not None]
