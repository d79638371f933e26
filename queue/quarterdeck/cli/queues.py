"""List queues; pause and resume them.

`quarterdeck queues`, `quarterdeck queues pause emails --for 1h --reason deploy`, `quarterdeck queues resume emails`.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from quarterdeck.cli.acting import act, add_act_flags
from quarterdeck.cli.looking import print_json, print_table, see
from quarterdeck.cli.status import flow_of
from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.model import Screen, View
from quarterdeck.operate.finding import require_queue
from quarterdeck.text import human_count

if TYPE_CHECKING:
    from quarterdeck.model import Outcome
    from quarterdeck.operate import RedisOperator

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `quarterdeck queues`."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(dest="act", metavar="ACT")
    listing = commands.add_parser("list", help="the queues (the default)")
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    pause = commands.add_parser("pause", help="let workers of ours take nothing from a queue")
    pause.add_argument("name", metavar="QUEUE")
    pause.add_argument("--for", dest="length", default="1h", metavar="TIME", help="30m, 1h, 2d or forever (1h)")
    add_act_flags(pause)
    resume = commands.add_parser("resume", help="let them go on")
    resume.add_argument("name", metavar="QUEUE")
    add_act_flags(resume, reason=False)


def run(args: argparse.Namespace) -> int:
    """Print the list, or act."""
    if args.act == "pause":
        for_s = length_of(args.length)

        async def pause(operator: RedisOperator) -> Outcome:
            await require_queue(operator.client, args.name)  # a slip would leave running what was meant
            return await operator.pause_queue(args.name, for_s=for_s, reason=args.reason)

        return act(args, pause)
    if args.act == "resume":
        return act(args, lambda operator: operator.resume_queue(args.name))
    snapshot = see(args.settings, View(screen=Screen.QUEUES))
    if args.json:
        return print_json(snapshot.queues)
    heads = ("QUEUE", ">DEPTH", ">ACTIVE", ">DUE", ">FAILED", ">OLDEST", ">IN/S", ">OUT/S", ">FAIL", ">P95", "STATE")
    print_table(heads, [
        (
            stat.name,
            human_count(stat.depth),
            human_count(stat.active),
            human_count(stat.scheduled),
            human_count(stat.failed),
            *flow_of(stat, snapshot.taken_ms),
        )
        for stat in snapshot.queues
    ])  # fmt: skip
    return ExitStatus.DONE


def length_of(word: str) -> float | None:
    """Seconds in `30m`, `1h`, `2d`; None for `forever`. Raises UsageError."""
    if word == "forever":
        return None
    number, unit = (word[:-1], word[-1:]) if word[-1:] in UNITS else (word, "s")
    try:
        seconds = float(number) * UNITS[unit]
    except ValueError:
        seconds = 0
    if not 0 < seconds < 10 * 365 * 86400:
        raise UsageError(f"'{word}' is no length of time.", "Write 30m, 1h, 2d or forever.")
    return seconds
