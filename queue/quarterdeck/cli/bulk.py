"""Bulk operations: list them; pause, resume or stop one. Anyone may, not only who started it."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING

from quarterdeck.cli.acting import act, add_act_flags, operator_of
from quarterdeck.cli.looking import print_json
from quarterdeck.cli.selection import progress
from quarterdeck.errors import UsageError
from quarterdeck.operate import bulk as bulks
from quarterdeck.text import clean

if TYPE_CHECKING:
    from quarterdeck.model import Outcome
    from quarterdeck.operate import RedisOperator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck bulk` takes."""
    parser.add_argument(
        "command", nargs="?", default="list", choices=("list", "pause", "resume", "stop"), help="what to do (list)"
    )
    parser.add_argument("bulk", nargs="?", default="", metavar="ID", help="as the list names it")
    add_act_flags(parser, reason=False)


def run(args: argparse.Namespace) -> int:
    """List or control; the exit status."""
    if args.command == "list":
        return asyncio.run(_list(args))
    if not args.bulk:
        raise UsageError("Which bulk operation is meant?", f"quarterdeck bulk lists them: bulk {args.command} ID.")
    wanted = args.bulk.rpartition("/")[2]

    async def work(operator: RedisOperator) -> Outcome:
        for queue in await operator.queues():
            if await bulks.read(operator.client, queue, wanted) is not None:
                return await operator.control_bulk(queue, wanted, args.command)
        raise UsageError(f"There is no bulk operation '{args.bulk}'.", "quarterdeck bulk lists them.")

    return act(args, work)


async def _list(args: argparse.Namespace) -> int:
    async with operator_of(args.settings) as operator:
        rows = [row for queue in await operator.queues() for row in await bulks.rows(operator.client, queue)]
    if args.json:
        return print_json(rows)
    for row in rows:
        print(clean(f"{row.id.rpartition('/')[2]}  {row.verb} {row.query}  by {row.owner}  {progress(row)}"))
    return 0
