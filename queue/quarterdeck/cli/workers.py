"""List workers; tell them to be quiet, to go on, to stop, or to use more or fewer slots.

`quarterdeck workers`, `quarterdeck workers quiet ID`, `quarterdeck workers concurrency ID 20`.
"""

from __future__ import annotations

import argparse

from quarterdeck.cli.acting import act, add_act_flags
from quarterdeck.cli.looking import print_json, print_table, see
from quarterdeck.cli.status import now_of, slots_of
from quarterdeck.errors import ExitStatus
from quarterdeck.model import Screen, View
from quarterdeck.text import human_age, human_bytes, human_count

ACTS = {
    "quiet": "take no more jobs, finish those that run",
    "resume": "take jobs again",
    "stop": "finish in order and end the process",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `quarterdeck workers`."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    commands = parser.add_subparsers(dest="act", metavar="ACT")
    listing = commands.add_parser("list", help="the workers (the default)")
    listing.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print JSON")
    for name, text in ACTS.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("worker", metavar="ID", help="the worker's id, as the list has it")
        add_act_flags(command, reason=False)
    slots = commands.add_parser("concurrency", help="use so many slots")
    slots.add_argument("worker", metavar="ID")
    slots.add_argument("value", metavar="SLOTS", type=int)
    add_act_flags(slots, reason=False)


def run(args: argparse.Namespace) -> int:
    """Print the list, or act."""
    if args.act not in {None, "list"}:
        value = str(getattr(args, "value", ""))
        return act(args, lambda operator: operator.control_worker(args.worker, args.act, value))
    snapshot = see(args.settings, View(screen=Screen.WORKERS))
    if args.json:
        return print_json(snapshot.workers)
    heads = ("WORKER", "ID", "QUEUES", ">SLOTS", "NOW", ">BEAT", ">DONE", ">FAILED", ">MEMORY", "VERSION", "STATE")
    print_table(heads, [
        (
            row.name,
            row.id,
            ", ".join(row.queues),
            slots_of(row),
            now_of(row),
            human_age(snapshot.taken_ms - row.beat_ms),
            human_count(row.complete),
            human_count(row.failed),
            human_bytes(row.memory_bytes),
            row.version,
            row.state,
        )
        for row in snapshot.workers
    ])  # fmt: skip
    return ExitStatus.DONE
