"""What the overview shows: the verdict, queues, workers, schedules and what fails.

The exit status is 1 when the verdict is bad, so that a script can ask. `--watch` prints it again and again, for
terminals that can do no more.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from quarterdeck.cli.frame import number
from quarterdeck.cli.looking import look, print_json, print_table, see, source_of
from quarterdeck.errors import ExitStatus, QuarterdeckError
from quarterdeck.model import Level, PauseStat, QueueStat, QueueState, ScheduleRow, Snapshot, View, WorkerRow, alarm
from quarterdeck.text import (
    clean,
    count_of,
    countdown,
    human_age,
    human_count,
    human_duration,
    human_percent,
    human_rate,
    sparkline,
    whole_minutes,
)

BARS = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck status` takes."""
    parser.add_argument("--json", action="store_true", help="print the whole snapshot as JSON")
    parser.add_argument("--watch", action="store_true", help="print it again every few seconds until Ctrl-C")
    parser.add_argument("--every", type=number(0.2), default=2.0, metavar="S", help="seconds between two (2)")
    parser.add_argument("--ascii", action="store_true", help="plain ASCII")


def run(args: argparse.Namespace) -> int:
    """Print the overview once, or until stopped."""
    if args.watch:
        return asyncio.run(_watch(args))
    snapshot = see(args.settings, View())
    if args.json:
        print_json(snapshot)
    else:
        paint(snapshot, ascii=args.ascii)
    return status_of(snapshot)


def status_of(snapshot: Snapshot) -> int:
    """The exit status that a snapshot's verdict asks for."""
    return ExitStatus.TROUBLE if snapshot.verdict.level is Level.BAD else ExitStatus.DONE


async def _watch(args: argparse.Namespace) -> int:
    """Paint again and again; a server that is away is said on stderr, and asked again."""
    await look(args.settings, View())  # what can't be reached at all ends the command with its own status
    async with source_of(args.settings) as source:
        if not args.settings.queues:
            source.look_around()
        while True:
            try:
                snapshot = await source.snapshot(View())
            except QuarterdeckError as error:
                print(clean(str(error)), file=sys.stderr)
            else:
                if args.json:
                    print_json(snapshot)
                else:
                    paint(snapshot, ascii=args.ascii)
                    print()
                sys.stdout.flush()
            await asyncio.sleep(args.every)


def paint(snapshot: Snapshot, *, ascii: bool = False) -> None:  # noqa: A002 - the flag's name
    """Print a snapshot as calm tables."""
    verdict = snapshot.verdict
    sign = "ok" if verdict.level is Level.OK else str(verdict.level).upper()
    since = f" for {human_duration(snapshot.taken_ms - verdict.since_ms)}" if verdict.since_ms else ""
    print(f"{sign}: {clean(verdict.headline)}{since}")
    for finding in verdict.findings[1:6]:
        print(f"  {finding.level}: {clean(finding.text)}")
    server = snapshot.server
    rate = f"{human_count(round(snapshot.per_minute))}/min"
    queues = count_of(len(snapshot.queues), "queue")
    print(f"{queues}, {rate}, {clean(server.version)}, {snapshot.rtt_ms:.0f} ms")
    _queues(snapshot, ascii)
    _workers(snapshot)
    _schedules(snapshot)
    _failures(snapshot)


def _queues(snapshot: Snapshot, ascii: bool) -> None:  # noqa: A002 - the flag's name
    heads = ("QUEUE", ">depth", "last hour", ">oldest", ">in/s", ">out/s", ">fail", ">p95", "state")
    rows = [
        (
            stat.name,
            human_count(stat.depth),
            sparkline(stat.depths, BARS, ascii),
            *flow_of(stat, snapshot.taken_ms),
        )
        for stat in snapshot.queues
    ]
    _section(heads, rows)


def _workers(snapshot: Snapshot) -> None:
    rows = [
        (row.name, slots_of(row), now_of(row), human_age(snapshot.taken_ms - row.beat_ms), row.state)
        for row in snapshot.workers[:20]
    ]
    _section(("WORKER", ">slots", "now", ">beat", "state"), rows)


def _schedules(snapshot: Snapshot) -> None:
    rows = [
        (
            row.name,
            countdown(None if row.next_ms is None else row.next_ms - snapshot.taken_ms),
            row.expression,
            schedule_state(row, snapshot.taken_ms),
            str(row.missed) if row.missed else "-",
        )
        for row in snapshot.schedules
    ]
    _section(("SCHEDULE", ">next", "cron", "last", ">missed"), rows)


def _failures(snapshot: Snapshot) -> None:
    rows = [
        (
            group.function,
            human_count(group.count),
            f"{group.exception}: {group.message}" if group.exception else group.message,
            human_age(snapshot.taken_ms - group.last_ms),
        )
        for group in snapshot.groups[:10]
    ]
    _section(("FAILURES", ">count", "what broke", ">last"), rows)


def _section(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if rows:
        print()
        print_table(heads, rows)


def flow_of(stat: QueueStat, now_ms: int) -> tuple[str, ...]:
    """The cells that say how a queue flows: oldest, in/s, out/s, fail, p95, state."""
    return (
        human_age(stat.oldest_ms),
        human_rate(stat.in_per_s),
        human_rate(stat.out_per_s),
        human_percent(stat.failure_rate),
        human_duration(stat.p95_ms),
        queue_state(stat, now_ms),
    )


def queue_state(stat: QueueStat, now_ms: int) -> str:
    """The state of a queue in the words of the screen."""
    state = alarm.queue_state(stat)
    if state is QueueState.PAUSED and stat.paused is not None:
        return _paused(stat.paused, now_ms)
    return count_of(stat.orphans, "orphan") if state is QueueState.ORPHANS else str(state)


def schedule_state(row: ScheduleRow, now_ms: int) -> str:
    """How a schedule stands: broken, paused, told to skip its next run, or what its last run came to."""
    if row.broken:
        return "broken"
    if row.paused:
        return _paused(row.paused, now_ms)
    if row.skip_next:
        return "skips next"
    took = f" {human_duration(row.last_duration_ms)}" if row.last_duration_ms is not None else ""
    return f"{row.last_outcome}{took}" if row.last_outcome else "-"


def slots_of(row: WorkerRow) -> str:
    """Slots used of slots there are; a stock worker does not say how many it has."""
    return f"{row.running}/{row.slots}" if row.slots else f"{row.running}/?"


def now_of(row: WorkerRow) -> str:
    """What a worker does now: `send_email x5, export_csv`."""
    counts: dict[str, int] = {}
    for job in row.current:
        counts[job.function] = counts.get(job.function, 0) + 1
    found = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} x{number}" if number > 1 else name for name, number in found) or "-"


def _paused(paused: PauseStat, now_ms: int) -> str:
    left = "" if paused.until_ms is None else f" {whole_minutes(paused.until_ms - now_ms)}"
    return f"paused{left}{f' {paused.owner}' if paused.owner else ''}"
