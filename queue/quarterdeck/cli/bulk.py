"""Bulk operations: list them; pause, resume or stop one. Anyone may, not only who started it."""

from __future__ import annotations

import argparse
import asyncio

from quarterdeck.cli.acting import act, add_act_flags, operator_of
from quarterdeck.cli.looking import print_json
from quarterdeck.cli.selection import progress
from quarterdeck.errors import UsageError
from quarterdeck.operate import bulk as bulks
from quarterdeck.text import clean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck bulk` takes."""
    parser.add_argument("command", choices=("list", "pause", "resume", "stop"))
    parser.add_argument("bulk", nargs="?", default="", metavar="ID")
    add_act_flags(parser, reason=False)


def run(args: argparse.Namespace) -> int:
    """List or control; the exit status."""
    if args.command == "list":
        return asyncio.run(_list(args))
    if not args.bulk or len(args.settings.queues) != 1:
        raise UsageError("Which bulk operation is meant?", "Give its id and its queue: bulk stop ID --queue NAME.")
    return act(args, lambda operator: operator.control_bulk(args.settings.queues[0], args.bulk, args.command))


async def _list(args: argparse.Namespace) -> int:
    async with operator_of(args.settings) as operator:
        rows = [row for queue in await operator.queues() for row in await bulks.rows(operator.client, queue)]
    if args.json:
        return print_json(rows)
    for row in rows:
        print(clean(f"{row.id.rpartition('/')[2]}  {row.verb} {row.query}  by {row.owner}  {progress(row)}"))
    return 0
