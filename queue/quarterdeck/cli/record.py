"""Keep what stock SAQ workers would drop: runs, failed jobs, rates. Nothing is installed on their side.

Listens to SAQ's own notifications until Ctrl-C or SIGTERM and then says what it saw, and what it could not see.
With `--archive FILE` what the server keeps for a while is copied into a SQLite file as well; with `--once` that is
done once and nothing is listened to.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from quarterdeck.errors import ExitStatus, RefusedError, UsageError
from quarterdeck.record.archive import Archive
from quarterdeck.record.halting import halted
from quarterdeck.record.listener import Coverage, Recorder
from quarterdeck.text import clean, count_of, human_count

ARCHIVE_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck record` takes."""
    parser.add_argument("--archive", metavar="FILE", type=Path, help="copy runs and failures into this SQLite file")
    parser.add_argument("--once", action="store_true", help="copy into the archive once and end")
    parser.add_argument("--no-catch-up", action="store_true", help="don't look for failures that SAQ still keeps")


def run(args: argparse.Namespace) -> int:
    """Record until told to end."""
    if args.once and args.archive is None:
        raise UsageError("--once has nothing to do.", "Name the file with --archive FILE.")
    if args.settings.read_only and not args.once:
        raise RefusedError("Recording writes to the server, and this is read-only.", "Leave --read-only away.")
    return asyncio.run(_record(args))


async def _record(args: argparse.Namespace) -> int:
    from quarterdeck.broker.connection import open_connection
    from quarterdeck.broker.whereabouts import server_address

    address = server_address(args.settings.url, args.settings.data_dir)
    queues = args.settings.queues
    async with await open_connection(address, client_name="quarterdeck-record") as connection:
        if args.once:
            with Archive(args.archive) as archive:
                archived = await archive.copy(connection.client, queues)
            _tell_archived(archived)
            return ExitStatus.TROUBLE if archived.unreadable else ExitStatus.DONE
        recorder = Recorder(connection.client, queues)
        tasks = [asyncio.create_task(recorder.run())]
        if args.archive is not None:
            tasks.append(asyncio.create_task(_archive(args.archive, connection.client, queues)))
        print(f"Recording what stock workers end at {connection.display}. Ctrl-C ends it.", file=sys.stderr)
        if not args.no_catch_up:
            found = await recorder.catch_up()
            print(f"Recorded {count_of(found, 'failed job')} that SAQ still kept.", file=sys.stderr)
        await _until_told(tasks)
    tell(recorder.coverage)
    return ExitStatus.DONE


async def _until_told(tasks: list[asyncio.Task[None]]) -> None:
    """Wait for SIGINT, SIGTERM or SIGHUP, or for a task to fail, whose error is raised."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    waiting = asyncio.create_task(told.wait())
    try:
        done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await halted(waiting, *tasks)


async def _archive(path: Path, client: Any, queues: tuple[str, ...]) -> None:
    """Copy now and then; a server that is away is asked again."""
    told: tuple[str, ...] = ()
    with Archive(path) as archive:
        while True:
            with suppress(RedisError, OSError, TimeoutError):
                archived = await archive.copy(client, queues)
                if archived.unreadable != told:
                    told = archived.unreadable
                    print(_left_out(told), file=sys.stderr)
            await asyncio.sleep(ARCHIVE_S)


def _tell_archived(archived: Any) -> None:
    gap = " Some were dropped by the server before they could be copied." if archived.gap else ""
    print(f"Copied {count_of(archived.runs, 'run')} and {count_of(archived.failures, 'failure')}.{gap}")
    if archived.unreadable:
        print(_left_out(archived.unreadable), file=sys.stderr)


def _left_out(queues: tuple[str, ...]) -> str:
    if not queues:
        return "All queues are in the archive again."
    return f"Left out of the archive, for a key of another type in their record: {', '.join(map(clean, queues))}."


def tell(coverage: Coverage) -> None:
    """Say on stderr what was seen and what was not."""
    seen = f"Recorded {count_of(coverage.recorded, 'attempt')} and {count_of(coverage.caught_up, 'older failure')}"
    ours = f"; left {human_count(coverage.deck)} to the workers of ours that run them" if coverage.deck else ""
    print(f"{seen}{ours}.", file=sys.stderr)
    unseen = coverage.unseen()
    if unseen:
        print(f"Could not see: {unseen}.", file=sys.stderr)
