"""Set jobs aside by function, argument and error, present and future; list the rules; lift them. Delete what can't be
read, or put it back."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

import msgspec

from quarterdeck.cli.acting import act, add_act_flags, operator_of
from quarterdeck.cli.looking import print_json
from quarterdeck.errors import UsageError
from quarterdeck.operate import quarantine
from quarterdeck.text import clean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck quarantine` takes."""
    parser.add_argument(
        "command",
        nargs="?",
        default="list",
        choices=("list", "add", "release", "delete", "drop", "put-back"),
        help="what to do (list)",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="RULE for release and delete; what can't be read for drop and put-back"
    )
    parser.add_argument("--payload", metavar="JSON", help="for put-back: the job's fields, mended")
    parser.add_argument("--function", default="", metavar="NAME")
    parser.add_argument("--argument", default="", metavar="TEXT", help="NAME=VALUE, or text in the arguments' JSON")
    parser.add_argument("--error", default="", metavar="TEXT", help="text in the error of the attempt before")
    add_act_flags(parser)


def run(args: argparse.Namespace) -> int:
    """List, add or lift; the exit status."""
    if args.command == "list":
        return asyncio.run(_list(args))
    if len(args.settings.queues) != 1:
        raise UsageError("A rule belongs to one queue.", "Name it with --queue.")
    queue = args.settings.queues[0]
    if args.command == "add":
        if not args.function:
            raise UsageError(
                "A rule needs a function.", "Give --function NAME, and --argument or --error to narrow it."
            )
        return act(
            args,
            lambda operator: operator.quarantine(
                queue, function=args.function, argument=args.argument, error=args.error, reason=args.reason
            ),
        )
    if args.command == "drop":
        return act(args, lambda operator: operator.delete_unreadable(queue, args.names, reason=args.reason))
    if len(args.names) != 1:
        raise UsageError(f"'{args.command}' takes one name.", "quarterdeck quarantine list, or the screen :quarantine.")
    name = args.names[0]
    if args.command == "put-back":
        payload = _payload(args.payload)
        return act(args, lambda operator: operator.put_back(queue, name, payload, reason=args.reason))
    return act(args, lambda operator: operator.lift_quarantine(queue, name, release=args.command == "release"))


def _payload(text: str | None) -> dict[str, Any] | None:
    """The fields in `--payload`, None when there are none. Raises UsageError."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise UsageError(f"--payload is no JSON object: {error}.") from None


async def _list(args: argparse.Namespace) -> int:
    async with operator_of(args.settings) as operator:
        rules = {queue: await quarantine.rules(operator.client, queue) for queue in await operator.queues()}
    if args.json:
        return print_json(rules)
    for queue, held in rules.items():
        for name, rule in held.items():
            parts = [
                rule.function,
                f"argument {rule.argument}" * bool(rule.argument),
                f"error {rule.error}" * bool(rule.error),
            ]
            what = ", ".join(filter(None, parts))
            print(clean(f"{name}  {queue}  {what}  held {rule.held}  by {rule.owner}  {rule.reason}"))
    return 0
