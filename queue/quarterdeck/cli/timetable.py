"""What `quarterdeck schedules` prints: the list, one schedule, the ledger, and what an expression means."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from quarterdeck.cli.looking import one_queue, print_json, print_table, see
from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.model import RunRow, ScheduleDetail, ScheduleRow, Screen, View


def list_schedules(args: argparse.Namespace) -> int:
    """The schedules as a table or JSON."""
    from quarterdeck.cli.status import schedule_state
    from quarterdeck.text import countdown

    view = View(
        screen=Screen.SCHEDULES,
        queue=one_queue(args.settings),
        filter=args.filter,
        offset=args.offset,
        limit=args.limit,
    )
    snapshot = see(args.settings, view)
    rows = [row for row in (snapshot.page.rows if snapshot.page else ()) if isinstance(row, ScheduleRow)]
    if args.json:
        return print_json(rows)
    heads = ("SCHEDULE", "QUEUE", "FUNCTION", "EXPRESSION", "IN WORDS", ">NEXT", "LAST", ">MISSED")
    cells = [
        (
            row.name,
            row.queue,
            row.function,
            row.expression,
            row.broken or row.words,
            countdown(None if row.next_ms is None else row.next_ms - snapshot.taken_ms),
            schedule_state(row, snapshot.taken_ms),
            str(row.missed) if row.missed else "-",
        )
        for row in rows
    ]
    print_table(heads, cells)
    return ExitStatus.DONE


def show_schedule(args: argparse.Namespace) -> int:
    """One schedule, whole."""
    view = View(screen=Screen.SCHEDULE, queue=one_queue(args.settings), subject=args.name, limit=20)
    detail = see(args.settings, view).detail
    if not isinstance(detail, ScheduleDetail):
        raise UsageError(f"There is no schedule '{args.name}'.", "`quarterdeck schedules` lists them.")
    if args.json:
        return print_json(detail)
    _print_detail(detail)
    return ExitStatus.DONE


def _print_detail(detail: ScheduleDetail) -> None:
    from quarterdeck.schedule.zones import zone
    from quarterdeck.text import clean

    row = detail.row
    why = f": {row.paused.reason}" if row.paused and row.paused.reason else ""
    paused = f"by {row.paused.owner or '?'}{why}" if row.paused else ""
    until = _stamp(row.paused.until_ms) if row.paused and row.paused.until_ms else "someone resumes it"
    facts = {
        "schedule": f"{row.name} on {row.queue}",
        "deleted": _deleted(detail.edits),
        "broken": row.broken,
        "paused": f"{paused}, until {until}" if paused else "",
        "expression": f"{row.expression}  ({row.tz})" if row.expression else "",
        "in words": row.words,
        "function": f"{row.function} {row.arguments}".strip(),
        "overlap": row.overlap,
        "catch up": row.catch_up,
        "defined in": "" if row.broken else row.origin + (", changed by operators" if row.edited else ""),
        "description": row.description,
    }
    for name, value in facts.items():
        if value:
            print(f"{name:12} {clean(value)}")
    for at_ms in () if facts["deleted"] else detail.fires_ms:
        print(f"{'next':12} {datetime.fromtimestamp(at_ms / 1000, zone(row.tz)).isoformat()}")
    for change in detail.edits.get("changes", ()):
        fields = json.dumps(change["fields"]) if change.get("fields") else ""
        told = [_stamp(change["at_ms"]), change["who"], fields, change.get("reason", "")]
        print(f"{'changed':12} {clean(' '.join(filter(None, told)))}")
    if detail.runs:
        print()
        _print_runs(detail.runs[:20])


def _deleted(edits: Mapping[str, Any]) -> str:
    """By whom and when it was deleted, and how it comes back; empty when it was not."""
    if not edits.get("deleted"):
        return ""
    told = [f"by {last['who']} at {_stamp(last['at_ms'])}" for last in edits.get("changes", ())[-1:]]
    return "; ".join([*told, "`schedules edit --reset` brings it back"])


def show_ledger(args: argparse.Namespace) -> int:
    """Runs, newest first."""
    from quarterdeck.schedule import ScheduleBook

    async def read() -> list[RunRow]:
        from quarterdeck.broker.connection import open_connection
        from quarterdeck.broker.whereabouts import server_address
        from quarterdeck.operate.workers import known_queues

        address = server_address(args.settings.url, args.settings.data_dir)
        async with await open_connection(address, client_name="quarterdeck-ledger") as connection:
            queues = await known_queues(connection.client, args.settings.queues)
            rows: list[RunRow] = []
            known = False
            for queue in queues:
                book = ScheduleBook(connection.client, queue)
                rows += await book.ledger(
                    args.name,
                    status=args.status,
                    since_ms=_ms(args.since, "--since"),
                    until_ms=_ms(args.until, "--until"),
                    count=args.limit,
                )
                known |= bool(args.name) and args.name in await book.store.names()
        if args.name and not rows and not known:
            raise UsageError(
                f"There is no schedule '{args.name}', and no such run of one.", "`quarterdeck schedules` lists them."
            )
        return sorted(rows, key=lambda row: -row.tick_ms)[: args.limit]

    rows = asyncio.run(read())
    if args.json:
        return print_json(rows)
    _print_runs(rows)
    return ExitStatus.DONE


def _print_runs(rows: Sequence[RunRow]) -> None:
    from quarterdeck.text import human_duration

    heads = ("TICK", "SCHEDULE", "OUTCOME", "STATUS", ">TOOK", ">LATE", "CAUSE")
    cells = [
        (
            _stamp(row.tick_ms),
            row.name,
            row.outcome,
            row.status,
            human_duration(row.duration_ms),
            human_duration(row.late_ms) if row.late_ms >= 1000 else "-",
            row.error or row.cause or row.result,
        )
        for row in rows
    ]
    print_table(heads, cells)


def show_next(args: argparse.Namespace) -> int:
    """When an expression fires; needs no server."""
    from quarterdeck.schedule.sandbox import preview

    seen = preview(args.expression, args.tz, _moment(args.since, "--from"), args.count, saq=args.saq)
    times = [fire.isoformat() for fire in seen.fires]
    if args.json:
        print(json.dumps(times))
        return ExitStatus.DONE
    print(seen.words)
    for fire, text in zip(seen.fires, times, strict=True):
        print(f"{text}  {fire:%a}")
    return ExitStatus.DONE


def _moment(text: str | None, flag: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{flag} {text!r} is not an ISO-8601 time.", "Write 2026-03-28T12:00 or …+01:00.") from None


def _ms(text: str | None, flag: str) -> int | None:
    """Epoch ms; a time without offset is UTC, as the ledger shows it."""
    moment = _moment(text, flag)
    if moment is None:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _stamp(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
