"""Put a job on a queue, once its arguments fit what live workers say of the function.

Arguments are NAME=VALUE; a VALUE that reads as JSON is that, any other is text: to=ann copies=2 'tags=["a"]'.
"""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from typing import TYPE_CHECKING, Any

from quarterdeck.cli.acting import act, add_act_flags
from quarterdeck.cli.frame import number, whole
from quarterdeck.errors import UsageError
from quarterdeck.model import Outcome
from quarterdeck.text import clean

if TYPE_CHECKING:
    from quarterdeck.operate import RedisOperator


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck enqueue` takes."""
    parser.add_argument("function", metavar="FUNCTION", help="the function's name")
    parser.add_argument("arguments", metavar="NAME=VALUE", nargs="*", help="its arguments")
    parser.add_argument("--arguments", dest="document", metavar="JSON", help="all arguments as one JSON object")
    parser.add_argument("--key", metavar="KEY", help="the job's key; refused while one with it waits or runs")
    parser.add_argument("--delay", type=number(0), default=0.0, metavar="S", help="run it in S seconds")
    parser.add_argument("--timeout", type=number(0), metavar="S", help="how long it may take; 0 for no limit")
    parser.add_argument("--retries", type=whole(1, 10_000), metavar="N", help="attempts in all")
    add_act_flags(parser, reason=False)


def run(args: argparse.Namespace) -> int:
    """Enqueue the job and print its key; the exit status."""
    arguments = read_arguments(args.arguments, args.document)
    options = {name: value for name in ("timeout", "retries") if (value := getattr(args, name)) is not None}

    async def work(operator: RedisOperator) -> Outcome:
        queue = await _queue(operator, args.settings.queues, args.function)
        outcome = await operator.enqueue(
            queue, args.function, arguments, key=args.key, delay_s=args.delay, options=options
        )
        if not args.json:
            print(clean(f"{outcome.key} on {queue}"))
            await _warn_of_nobody(operator, queue)
        return outcome

    return act(args, work)


async def _warn_of_nobody(operator: RedisOperator, queue: str) -> None:
    """A queue that nobody serves is often a slip in its name."""
    from quarterdeck.operate import workers

    specs, stock = await workers.specs(operator.client, queue)
    if not specs and not stock:
        print(clean(f"No live worker serves the queue {queue}: the job waits for one."), file=sys.stderr)


def read_arguments(pairs: list[str], document: str | None = None) -> dict[str, Any]:
    """The arguments in NAME=VALUE words over those in a JSON object. Raises UsageError."""
    try:
        found = json.loads(document) if document else {}
    except ValueError as error:
        raise UsageError(f"--arguments is not JSON: {error}.", """Write --arguments '{"to": "ann"}'.""") from None
    if not isinstance(found, dict):
        raise UsageError("--arguments is not a JSON object.", """Write --arguments '{"to": "ann"}'.""")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"'{pair}' is no argument.", "Write NAME=VALUE.")
        found[name] = _value(value)
    return found


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


async def _queue(operator: RedisOperator, named: tuple[str, ...], function: str) -> str:
    """The queue that was named, or the one on which live workers expect the function. Raises UsageError."""
    from quarterdeck.operate import workers

    if len(named) == 1:
        return named[0]
    known = named or tuple(await operator.queues())
    homes: dict[str, None] = {}
    heard: set[str] = set()
    for queue in known:
        specs, _ = await workers.specs(operator.client, queue)
        heard |= specs.keys()
        if function in specs:
            homes |= dict.fromkeys(each for each in specs[function].queues or (queue,) if each in known)
    if len(homes) == 1:
        return next(iter(homes))
    if not homes and len(known) == 1:
        return known[0]
    found = f"it could go to {', '.join(homes)}" if homes else "no live worker says where it belongs"
    near = difflib.get_close_matches(function, heard, n=1) if not homes else []
    meant = f"Did you mean {near[0]}? " if near else ""
    raise UsageError(f"The queue for {function} is not clear: {found}.", f"{meant}Name it with --queue.")
