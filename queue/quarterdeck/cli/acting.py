"""What the acting commands share: an operator on the server that the flags name, and how outcomes are told."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from quarterdeck.cli.looking import print_json
from quarterdeck.errors import ExitStatus
from quarterdeck.model import Outcome
from quarterdeck.text import clean, mask_url

if TYPE_CHECKING:
    from quarterdeck.operate import RedisOperator
    from quarterdeck.settings import Settings

Act = Callable[["RedisOperator"], Awaitable[Outcome]]


def add_act_flags(parser: argparse.ArgumentParser, *, reason: bool = True) -> None:
    """Add what every acting command takes."""
    if reason:
        parser.add_argument("--reason", default="", metavar="TEXT", help="why; the audit keeps it")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def address_flags(settings: Settings) -> str:
    """The flags that reach this environment, for the command echo; nothing secret is in them."""
    if settings.environment in settings.environments:
        return f"--env {settings.environment}"
    if settings.url is None:
        return ""
    return f"--url {mask_url(settings.url)}"


@asynccontextmanager
async def operator_of(settings: Settings, *, carry_bulks: bool = False) -> AsyncIterator[RedisOperator]:
    """The operator that `settings` lead to. Raises UnreachableError when nothing is there."""
    from quarterdeck.broker.whereabouts import server_address
    from quarterdeck.operate import open_operator

    operator = await open_operator(
        server_address(settings.url, settings.data_dir),
        role=settings.role,
        read_only=settings.read_only,
        queues=settings.queues,
        address=address_flags(settings),
        carry_bulks=carry_bulks,
    )
    try:
        yield operator
    finally:
        await operator.close()


def act(args: argparse.Namespace, work: Act) -> int:
    """Do `work` with an operator, tell its outcome, and give the exit status: 1 when not all could be done."""

    async def go() -> Outcome:
        async with operator_of(args.settings) as operator:
            return await work(operator)

    return tell(asyncio.run(go()), as_json=args.json)


def tell(outcome: Outcome, *, as_json: bool) -> int:
    """Print an outcome: data on stdout, narration on stderr."""
    if as_json:
        print_json(outcome)
    else:
        print(clean(outcome.message))
        if outcome.undo:
            print(f"Take it back with: quarterdeck undo {outcome.undo}", file=sys.stderr)
    return ExitStatus.TROUBLE if outcome.trouble else ExitStatus.DONE
