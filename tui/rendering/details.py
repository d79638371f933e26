"""Queues, workers, groups and schedules, whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quarterdeck.model import CurrentJob, GroupDetail, QueueDetail, QueueStat, ScheduleDetail, WorkerDetail
from quarterdeck.text import (
    count_of,
    countdown,
    human_age,
    human_bytes,
    human_count,
    human_duration,
    human_percent,
    human_rate,
)
from tui.rendering.block import Block, block, pairs
from tui.rendering.bounds import bounds_block
from tui.rendering.job import act_line, arguments_lines, why_block
from tui.rendering.lines import Runs
from tui.rendering.moment import Moment
from tui.rendering.queues import queue_state
from tui.rendering.schedules import outcome_sign
from tui.rendering.workers import held_by, is_overdue
from tui.widgets.doclines import json_lines, text_lines, traceback_lines

HOUR_CELLS: Final = 60
"""A bar a minute."""


def queue_blocks(detail: QueueDetail, moment: Moment) -> list[Block]:
    """A queue: its state and why, its figures, who may take what, what nobody takes."""
    queue = detail.row
    state, style = queue_state(queue, moment)
    paused = queue.paused
    facts = pairs(
        moment,
        ("state", state, style),
        ("paused by", paused.owner if paused else ""),
        ("paused because", paused.reason if paused else ""),
        (
            "paused until",
            ("someone resumes it" if not paused.until_ms else moment.stamp(paused.until_ms)) if paused else "",
        ),
        ("waiting", human_count(queue.depth)),
        ("oldest waits", human_age(queue.oldest_ms)),
        ("active", _active(queue)),
        ("scheduled", human_count(queue.scheduled)),
        ("failed, kept", human_count(queue.failed)),
        ("quarantined", human_count(queue.quarantined + queue.held) if queue.quarantined or queue.held else ""),
        ("in / out", f"{human_rate(queue.in_per_s)} / {human_rate(queue.out_per_s)} per second"),
        ("failing", human_percent(queue.failure_rate)),
        ("p50 p95 p99", " ".join(human_duration(it) for it in (queue.p50_ms, queue.p95_ms, queue.p99_ms))),
        ("history", count_of(queue.history, "attempt") if queue.history else ""),
        ("workers", "quarterdeck's" if queue.deck else "stock SAQ: no pause, no logs, no remote control"),
    )
    return [
        why_block(detail.why, detail.why_cure, moment),
        block("queue", facts),
        block("the last hour", _hour(detail, moment)),
        block("nobody takes these", tuple(_tally(name, count, "waiting", moment) for name, count in detail.orphans)),
        block(
            "functions",
            tuple(
                _tally(name, count, "worker " if count == 1 else "workers", moment) for name, count in detail.functions
            ),
        ),
        bounds_block(detail.bounds),
    ]


def _active(queue: QueueStat) -> str:
    """How many jobs run, and on how much; stock workers don't tell their slots."""
    slots = f"{count_of(queue.slots, 'slot')} of " if queue.slots else ""
    return f"{queue.active} on {slots}{count_of(queue.workers, 'worker')}"


def _hour(detail: QueueDetail, moment: Moment) -> tuple[Runs, ...]:
    """Depth, rates and percentiles over the last hour, a bar a minute, and the largest value of each."""
    hour = detail.hour
    series: tuple[tuple[str, Sequence[float | None], Callable[[float], str]], ...] = (
        ("depth", detail.row.depths, human_count),
        ("in", hour.arrived, _a_second),
        ("out", hour.finished, _a_second),
        ("failing", hour.failing, human_percent),
        ("p50", hour.p50_ms, human_duration),
        ("p95", hour.p95_ms, human_duration),
        ("p99", hour.p99_ms, human_duration),
    )
    lines: list[Runs] = []
    for name, values, said in series:
        known = [value for value in values if value is not None]
        if known and (name == "depth" or max(known) > 0):
            lines.append(
                ((f"{name:<8}", "muted"), (moment.spark(values, HOUR_CELLS), ""), (f" {said(max(known))}", "muted"))
            )
    return tuple(lines)


def _a_second(count_a_minute: float) -> str:
    return f"{human_rate(count_a_minute / 60)}/s"


def worker_blocks(detail: WorkerDetail, moment: Moment) -> list[Block]:
    """A worker: what it is at, what it is, what it can do, and the stack that was asked for."""
    worker = detail.row
    skew = f"{worker.skew_ms:+.0f} ms against the server" if worker.skew_ms else ""
    facts = pairs(
        moment,
        ("state", worker.state, "bad" if worker.state == "lost" else ""),
        ("host", f"{worker.host} pid {worker.pid}" if worker.host else ""),
        ("id", worker.id),
        ("queues", ", ".join(worker.queues)),
        ("slots", f"{worker.running} of {worker.slots} used" if worker.slots else ""),
        ("last beat", f"{human_age(moment.age_ms(worker.beat_ms))} ago" if worker.beat_ms else ""),
        ("started", moment.stamp(worker.started_ms) if worker.started_ms else ""),
        ("version", worker.version),
        ("done", f"{human_count(worker.complete)}, {worker.failed} failed, {worker.retried} retried"),
        ("cpu", "" if worker.cpu_percent is None else f"{worker.cpu_percent:.0f}%"),
        ("memory", human_bytes(worker.memory_bytes) if worker.memory_bytes else ""),
        ("clock", skew, "warn" if abs(worker.skew_ms or 0) > 1000 else ""),
        ("kind", "" if worker.deck else "stock SAQ worker: it can be seen, not controlled"),
    )
    lost = held_by(worker) if worker.state == "lost" else ()
    held = tuple(((moment.text(key, 100), ""),) for key in lost)
    stack = tuple(text_lines(detail.stack)) if detail.stack else ()
    functions = tuple(
        ((f"{moment.text(spec.name, 80)}", "strong"), (f"  {moment.text(spec.doc)}", "muted"))
        for spec in detail.functions
    )
    return [
        block("current jobs", tuple(current_line(job, moment) for job in worker.current)),
        Block(f"stack of {moment.text(detail.stack_key, 60)}", stack),
        block("held when it was lost", held),
        block("worker", facts),
        block("functions", functions or tuple(((moment.text(name, 80), ""),) for name in worker.functions)),
    ]


def current_line(job: CurrentJob, moment: Moment) -> Runs:
    """A running job: for how long, and what is usual for it."""
    age_ms = moment.age_ms(job.started_ms)
    usual = f"  usually {human_duration(job.expected_ms)}" if job.expected_ms else ""
    late = is_overdue(job, moment.now_ms)
    marker = "  past its time-out, its thread can't be stopped" if job.overdue_thread else ""
    return (
        (f"{moment.text(job.function, 60)} ", "strong"),
        (f"{moment.text(job.key, 60)}  ", "muted"),
        (human_duration(age_ms), "warn" if late else ""),
        (usual, "muted"),
        (marker, "bad"),
    )


def group_blocks(detail: GroupDetail, moment: Moment) -> list[Block]:
    """A failure group: how many, since when, whom it hits, and one of its jobs."""
    group = detail.row
    facts = pairs(
        moment,
        ("function", group.function),
        ("aborted jobs" if group.aborted else "failed jobs", human_count(group.count), "bad"),
        ("of its runs", human_percent(group.share) if group.share is not None else ""),
        ("first", f"{moment.stamp(group.first_ms)}  ({human_age(moment.age_ms(group.first_ms))} ago)"),
        ("last", f"{moment.stamp(group.last_ms)}  ({human_age(moment.age_ms(group.last_ms))} ago)"),
        ("last hour", moment.spark(group.trend, 12) if group.trend else ""),
        ("at", group.frame),
        ("workers", ", ".join(f"{name} {count}" for name, count in detail.workers)),
        ("versions", ", ".join(f"{name or '?'} {count}" for name, count in detail.versions)),
        ("signature", group.signature),
    )
    said = ": ".join(filter(None, (group.exception, group.message)))
    blocks = [block("what broke", (((moment.text(said, 1000), "bad"),),)), block("group", facts)]
    if detail.sample is not None:
        sample = detail.sample
        blocks.append(Block("error", tuple(traceback_lines(sample.traceback)) if sample.traceback else ()))
        blocks.append(Block(f"arguments of {moment.text(sample.row.key, 60)}", arguments_lines(sample)))
    return blocks


def schedule_blocks(detail: ScheduleDetail, moment: Moment) -> list[Block]:
    """A schedule: when it fires next, in its zone and the viewer's, how it went, what it is and who changed it."""
    row = detail.row
    paused = row.paused
    facts = pairs(
        moment,
        ("broken", row.broken, "bad"),
        ("paused", f"by {paused.owner or '?'}: {paused.reason or 'no reason given'}" if paused else "", "paused"),
        (
            "paused until",
            ("someone resumes it" if not paused.until_ms else moment.stamp(paused.until_ms)) if paused else "",
        ),
        ("expression", f"{row.expression}  ({row.tz})" if row.expression else ""),
        ("in words", row.words),
        ("function", f"{row.function} on {row.queue}"),
        ("arguments", row.arguments if row.arguments not in {"", "{}", "null"} else ""),
        ("overlap", row.overlap),
        ("catch up", row.catch_up),
        ("missed today", str(row.missed) if row.missed else "", "warn"),
        ("overdue", human_duration(row.overdue_ms) if row.overdue_ms else "", "warn"),
        ("defined in", row.origin + (", changed by an operator" if row.edited else "")),
        ("for", row.description),
    )
    runs = tuple(
        (
            (f"{moment.clock_time(run.tick_ms):<12}", ""),
            (
                f"{outcome_sign(run.outcome, moment.glyphs)[0]} {run.outcome:<8} ",
                outcome_sign(run.outcome, moment.glyphs)[1],
            ),
            (f"{run.status.lower():<10} {human_duration(run.duration_ms):>6}  ", "muted"),
            (f"{human_duration(run.late_ms)} late  " if run.late_ms else "", "warn"),
            (moment.text(run.error or run.cause or run.result), "bad" if run.error else "muted"),
        )
        for run in detail.runs
    )
    return [
        block("schedule", facts),
        block("next fires", tuple(fire_line(at_ms, row.tz, moment) for at_ms in detail.fires_ms)),
        block("ledger", runs),
        Block("as the code defines it", tuple(json_lines(detail.code)) if detail.code else (), folded=True),
        Block("changed by operators", tuple(json_lines(detail.edits)) if detail.edits else ()),
        block("acts of operators", tuple(act_line(act, moment) for act in detail.acts)),
    ]


def fire_line(at_ms: int, tz: str, moment: Moment) -> Runs:
    """One fire: in how long, in the schedule's zone, and in the viewer's where that is another."""
    there = moment.stamp(at_ms)
    with suppress(ZoneInfoNotFoundError, ValueError):
        there = datetime.fromtimestamp(at_ms / 1000, ZoneInfo(tz)).strftime("%a %Y-%m-%d %H:%M:%S %Z")
    here = moment.stamp(at_ms)
    same = here[:19] in there
    return ((f"{countdown(at_ms - moment.now_ms):>10}  ", ""), (there, ""), ("" if same else f"  here {here}", "muted"))


def _tally(name: str, count: int, what: str, moment: Moment) -> Runs:
    return ((f"{human_count(count):>7} ", ""), (f"{what}  ", "muted"), (moment.text(name, 100), ""))
