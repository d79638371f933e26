"""Schedules and runs as rows, from what `lua/reading.lua` returns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from quarterdeck.model import PauseStat, RunRow, ScheduleDetail, ScheduleRow
from quarterdeck.schedule.definition import Definition
from quarterdeck.schedule.expression import epoch_ms, utc
from quarterdeck.schedule.fields import ExpressionError
from quarterdeck.schedule.ledger import row_of
from quarterdeck.schedule.scheduler import GRACE_MS
from quarterdeck.schedule.store import stored
from quarterdeck.schedule.ticks import NEVER_MS
from quarterdeck.schedule.words import describe
from quarterdeck.text import mask

STRIP: Final = 20
"""Runs that a row's strip shows."""
FIRES: Final = 10
MOST_ARGUMENTS: Final = 200


def schedule_row(queue: str, raw: Sequence[Any], now_ms: int) -> ScheduleRow:
    """A row from one schedule as `schedule_of` of reading.lua returns it."""
    name = _text(raw[0])
    definition, words, unreadable = _read(queue, name, bytes(raw[1]), bytes(raw[2]) or None)
    due = float(raw[3] or "inf")
    next_ms = int(due) if 0 <= due < NEVER_MS else None
    runs = _runs(queue, raw[10])
    values: dict[str, Any] = {}
    if definition is not None:
        spec = definition.spec
        values = {
            "function": spec.function,
            "expression": definition.expression.text,
            "tz": spec.tz,
            "words": words,
            "overlap": spec.overlap.value,
            "catch_up": spec.catch_up.value,
            "origin": definition.code.origin.value,
            "edited": bool(definition.edits.fields),
            "description": spec.description,
            "arguments": _shown(spec.arguments) if spec.arguments else "",
        }
    elif unreadable or raw[8]:
        values = {"function": "", "expression": "", "broken": unreadable or _text(raw[8])[40:]}
    else:
        values = {"function": "", "expression": ""}
    return ScheduleRow(
        id=f"{queue}/{name}",
        name=name,
        queue=queue,
        next_ms=next_ms,
        strip=tuple(_outcome(run) for run in reversed(runs)),
        missed=int(raw[9]),
        paused=_pause(raw[5], raw[6], now_ms),
        skip_next=bool(raw[7]),
        overdue_ms=max(0, now_ms - next_ms) if next_ms is not None and now_ms - next_ms > GRACE_MS else 0,
        **values,
        **_last(runs),
    )


def schedule_detail(queue: str, raw: Sequence[Any], now_ms: int, fires: int = FIRES) -> ScheduleDetail:
    """A schedule whole: its row, its next fires, its newest runs, and what code and operators say apart."""
    row = schedule_row(queue, raw, now_ms)
    definition, _, _ = _read(queue, row.name, bytes(raw[1]), bytes(raw[2]) or None)
    return ScheduleDetail(
        row=row,
        fires_ms=next_fires(definition, now_ms, fires) if definition else (),
        runs=tuple(_runs(queue, raw[10])),
        code=mask(msgspec.to_builtins(definition.code)) if definition else {},
        edits=mask(msgspec.to_builtins(definition.edits)) if definition else {},
    )


def next_fires(definition: Definition, now_ms: int, count: int) -> tuple[int, ...]:
    """The next ticks after now, epoch ms; fewer when the expression comes to its end."""
    found: list[int] = []
    try:
        for fire in definition.expression.after(utc(now_ms), definition.tz):
            found.append(epoch_ms(fire))
            if len(found) >= count:
                break
    except (ExpressionError, OverflowError):
        pass
    return tuple(found)


def run_rows(queue: str, raw: Sequence[Any]) -> tuple[int, list[RunRow]]:
    """How many runs there are in the asked range, and the window's rows, from `run_window` of reading.lua."""
    return int(raw[0]), _runs(queue, raw[1:])


@lru_cache(maxsize=4096)
def _read(queue: str, name: str, code: bytes, edits: bytes | None) -> tuple[Definition | None, str, str]:
    """The definition, its words, or why it can't be read; a snapshot a second must not read it anew each time."""
    found = stored(queue, name, code or None, edits)
    if found.definition is None:
        return None, "", found.broken
    return found.definition, describe(found.definition.expression, found.definition.tz), ""


def _runs(queue: str, raw: Sequence[Any]) -> list[RunRow]:
    rows = [row_of(queue, _text(raw[at]), raw[at + 1], raw[at + 2]) for at in range(0, len(raw), 3)]
    return [row for row in rows if row is not None]


def _outcome(run: RunRow) -> str:
    """One mark of the strip: what came of the run, or that it was late when it is too early to say more."""
    words = {"COMPLETED": "complete", "FAILED": "failed", "ABORTED": "failed", "SKIPPED": "skipped"}
    if run.outcome == "late" and run.status == "COMPLETED":
        return "late"
    return words.get(run.status, "running")


def _last(runs: Sequence[RunRow]) -> dict[str, Any]:
    if not runs:
        return {}
    newest = runs[0]
    ended = next((run for run in runs if run.duration_ms is not None), None)
    failed = newest.status in ("FAILED", "ABORTED")
    running = newest.status in ("RUNNING", "WAITING")
    return {
        "last_ms": newest.tick_ms,
        "last_outcome": "failed" if failed else "running" if running else newest.outcome.replace("manual", "ran"),
        "last_cause": newest.error if failed else newest.cause,
        "last_duration_ms": ended.duration_ms if ended else None,
    }


def _pause(record: bytes, until: bytes, now_ms: int) -> PauseStat | None:
    ends = int(until) if until.isdigit() else 0
    if not record or 0 < ends <= now_ms:
        return None
    try:
        return msgspec.json.decode(record, type=PauseStat)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return PauseStat(owner="?", reason="the record of this pause can't be read")


def _shown(arguments: Any) -> str:
    """Arguments as bounded JSON, secrets masked: rows go to the screen, to exports and to `--json` alike."""
    return msgspec.json.encode(mask(arguments)).decode()[:MOST_ARGUMENTS]


def _text(value: bytes | str) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
