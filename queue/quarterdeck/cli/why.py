"""Say why a job, queue or schedule is not running, and what to do about it.

`quarterdeck why KEY` for a job, `quarterdeck why @emails` for a queue, `quarterdeck why nightly_backup` for a schedule.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

import msgspec

from quarterdeck.cli.cures import as_command
from quarterdeck.cli.looking import one_queue, print_json, source_of
from quarterdeck.errors import ExitStatus
from quarterdeck.model import JobDetail, QueueDetail, QueueStat, ScheduleDetail, Screen, Snapshot, View
from quarterdeck.text import clean


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What `--json` prints."""

    kind: str
    subject: str
    why: str
    cure: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck why` takes."""
    parser.add_argument("subject", metavar="SUBJECT", help="a job's key, @QUEUE, or a schedule's name")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the reason; the exit status is 1 when nothing of that name is there."""
    answer = asyncio.run(_answer(args))
    if answer is None:
        print(f"There is no job, queue or schedule '{clean(args.subject)}'.", file=sys.stderr)
        return ExitStatus.TROUBLE
    if args.json:
        print_json(answer)
    else:
        print(clean(f"{answer.why} {answer.cure}".strip()))
    return ExitStatus.DONE


async def _answer(args: argparse.Namespace) -> Answer | None:
    from quarterdeck.inspect.why import why_schedule

    subject, queue = args.subject, one_queue(args.settings)
    async with source_of(args.settings) as source:
        if not args.settings.queues:
            await source.discover()
        name = subject.removeprefix("@")
        if subject.startswith("@") or subject in source.queues:
            detail = (await source.snapshot(View(screen=Screen.QUEUE, queue=name))).detail
            if not isinstance(detail, QueueDetail) or name not in source.queues:
                return None
            return _told("queue", name, name, (detail.why, detail.why_cure))
        detail = (await source.snapshot(View(screen=Screen.JOB, queue=queue, subject=subject))).detail
        if isinstance(detail, JobDetail):
            return _told("job", detail.row.key, detail.row.queue, (detail.why, detail.why_cure))
        snapshot = await source.snapshot(View(screen=Screen.SCHEDULE, queue=queue, subject=subject))
        if not isinstance(snapshot.detail, ScheduleDetail):
            return None
        row = snapshot.detail.row
        stat = _stat(snapshot, row.queue)
        return _told("schedule", row.name, row.queue, why_schedule(row, stat, snapshot.workers, snapshot.taken_ms))


def _told(kind: str, subject: str, queue: str, reason: tuple[str, str]) -> Answer:
    why, cure = reason
    return Answer(kind=kind, subject=subject, why=why, cure=as_command(cure, kind=kind, subject=subject, queue=queue))


def _stat(snapshot: Snapshot, queue: str) -> QueueStat | None:
    return next((stat for stat in snapshot.queues if stat.name == queue), None)
