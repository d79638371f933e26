"""Print log lines: of one job, of a function, or all; `--follow` goes on as they come.

`quarterdeck logs KEY`, `quarterdeck logs --function send_email --follow`, `quarterdeck logs --filter 'state:error'`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from msgspec.structs import replace

from quarterdeck.cli.looking import add_list_flags, one_queue, print_json, source_of
from quarterdeck.errors import ExitStatus, QuarterdeckError
from quarterdeck.model import LogRow, Page, Screen, View
from quarterdeck.text import clean, count_of

POLL_S = 0.5
FOLLOWED = 2_000
"""Lines that are read at a time while following."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck logs` takes."""
    parser.add_argument("key", nargs="?", metavar="KEY", help="the log of this job")
    parser.add_argument("--function", metavar="NAME", help="lines of this function's jobs")
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    add_list_flags(parser, limit=100)


def run(args: argparse.Namespace) -> int:
    """Print lines, oldest first."""
    function = f'fn:="{args.function}" ' if args.function else ""
    view = View(
        screen=Screen.LOGS,
        queue=one_queue(args.settings),
        subject=args.key,
        filter=f"{function}({args.filter})" if function and args.filter else function.strip() or args.filter,
        offset=args.offset,
        limit=args.limit,
    )
    return asyncio.run(_follow(args, view))


async def _follow(args: argparse.Namespace, view: View) -> int:
    async with source_of(args.settings) as source:
        if not args.settings.queues:
            await source.discover()
        printed = -1
        while True:
            try:
                snapshot = await source.snapshot(view)
            except QuarterdeckError as error:
                if printed < 0:
                    raise
                print(clean(str(error)), file=sys.stderr)
                await asyncio.sleep(2 * POLL_S)
                continue
            page = snapshot.page or Page()
            if args.key is not None:  # one job's log is a list: its lines are numbered from 0
                page = replace(page, rows=tuple(row for row in page.rows if int(row.id) > printed))
                printed = max(printed, 0, *(int(row.id) for row in page.rows)) if page.rows else max(printed, 0)
            else:
                printed = 0
            _print(page, as_json=args.json)
            if not args.follow:
                if not page.rows:
                    print("There are no log lines.", file=sys.stderr)
                return ExitStatus.DONE
            view = replace(view, after=page.cursor or "0", offset=0, limit=FOLLOWED)
            await asyncio.sleep(POLL_S)


def _print(page: Page, *, as_json: bool) -> None:
    if page.dropped:
        print(f"{count_of(page.dropped, 'line')} dropped at the source", file=sys.stderr)
    for row in page.rows:
        if isinstance(row, LogRow):
            print_json(row) if as_json else print(line_of(row))
    sys.stdout.flush()


def line_of(row: LogRow) -> str:
    """A line with its time (UTC), level, job and text."""
    at = datetime.fromtimestamp(row.at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3] if row.at_ms else "-"
    whose = f"{clean(row.function)}[{clean(row.key)}] " if row.function else ""
    return f"{at} {clean(row.level):7} {whose}{clean(row.text)}"
