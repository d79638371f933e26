"""Schedules: what an expression means, which there are, how their runs went, and what operators do with them.

`quarterdeck schedules next "30 2 * * 1-5" --tz Europe/Berlin`, `quarterdeck schedules pause backup --for 2h`,
`quarterdeck schedules add nightly "0 3 * * *" cleanup --arg days=30`, `quarterdeck schedules ledger --status FAILED`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from quarterdeck.cli.acting import act, add_act_flags, operator_of, tell
from quarterdeck.cli.looking import add_list_flags, count, one_queue
from quarterdeck.cli.queues import length_of
from quarterdeck.cli.timetable import list_schedules, show_ledger, show_next, show_schedule
from quarterdeck.errors import UsageError

if TYPE_CHECKING:
    from quarterdeck.model import Outcome
    from quarterdeck.operate import RedisOperator

One = Callable[["RedisOperator", str, str], Awaitable["Outcome"]]
Many = Callable[["RedisOperator", str, list[str]], Awaitable["Outcome"]]
STATUSES = ("COMPLETED", "FAILED", "ABORTED", "RUNNING", "WAITING", "SKIPPED", "ran", "late", "skipped", "manual")
"""How runs end, and what became of ticks."""
Commands = Any
"""argparse's private type of a set of subcommands."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `quarterdeck schedules`; none lists them."""
    parser.set_defaults(carry_out=list_schedules, filter="", limit=200, offset=0, json=False)
    commands = parser.add_subparsers(dest="act", metavar="ACT")
    _add_looking(commands)
    _add_defining(commands)
    _add_controlling(commands)


def run(args: argparse.Namespace) -> int:
    """Carry out one subcommand and return its exit status."""
    status: int = args.carry_out(args)
    return status


def _add_looking(commands: Commands) -> None:
    listing = commands.add_parser("list", help="the schedules, the next to fire first (the default)")
    add_list_flags(listing, limit=200)
    listing.set_defaults(carry_out=list_schedules)
    show = commands.add_parser("show", help="one schedule: next fires, last runs, what was changed by whom")
    show.add_argument("name", metavar="NAME")
    show.add_argument("--json", action="store_true", help="print JSON")
    show.set_defaults(carry_out=show_schedule)
    ledger = commands.add_parser("ledger", help="runs, newest first: ran, late or skipped, and why")
    ledger.add_argument("name", metavar="NAME", nargs="?", default="", help="of this schedule (all)")
    ledger.add_argument("--status", default="", choices=("", *STATUSES), metavar="STATUS", help=", ".join(STATUSES))
    ledger.add_argument("--since", metavar="ISO-8601", help="not older than this")
    ledger.add_argument("--until", metavar="ISO-8601", help="not newer than this")
    ledger.add_argument("--limit", type=count, default=50, metavar="N", help="runs at most (50)")
    ledger.add_argument("--json", action="store_true", help="print JSON")
    ledger.set_defaults(carry_out=show_ledger)
    following = commands.add_parser("next", help="when an expression fires, and in words; needs no server")
    following.add_argument(
        "expression", metavar="EXPR", help="5 fields, 6 with the seconds first, or @daily and its kin"
    )
    following.add_argument("--tz", default="UTC", metavar="ZONE", help="IANA time zone (UTC)")
    following.add_argument(
        "--from", dest="since", metavar="ISO-8601", help="after this; without offset the zone's time"
    )
    following.add_argument("--count", type=int, default=10, metavar="N", help="how many (10)")
    following.add_argument("--saq", action="store_true", help="read it as SAQ's cron_jobs do, seconds last")
    following.add_argument("--json", action="store_true", help="print a list of ISO-8601 times")
    following.set_defaults(carry_out=show_next)


def _add_defining(commands: Commands) -> None:
    add = commands.add_parser("add", help="a schedule of your own")
    add.add_argument("name", metavar="NAME")
    add.add_argument("expression", metavar="EXPR")
    add.add_argument("function", metavar="FUNCTION")
    _add_fields(add)
    add_act_flags(add, reason=False)
    add.set_defaults(carry_out=_add)
    edit = commands.add_parser("edit", help="change a schedule; what its code says stays beside it")
    edit.add_argument("name", metavar="NAME")
    edit.add_argument("--expression", metavar="EXPR")
    edit.add_argument("--function", metavar="FUNCTION")
    edit.add_argument("--reset", action="store_true", help="back to what the code says, also when it was deleted")
    _add_fields(edit)
    add_act_flags(edit)
    edit.set_defaults(carry_out=_edit)
    delete = commands.add_parser("delete", help="delete a schedule; a redeploy does not bring it back")
    delete.add_argument("name", metavar="NAME")
    add_act_flags(delete)
    delete.set_defaults(carry_out=_delete)


def _add_fields(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tz", metavar="ZONE", help="IANA time zone")
    parser.add_argument("--arg", dest="pairs", action="append", metavar="NAME=VALUE", help="an argument; repeatable")
    parser.add_argument("--overlap", choices=("skip", "queue", "allow", "cancel"))
    parser.add_argument("--catch-up", choices=("latest", "none", "all"), help="what becomes of missed ticks")
    parser.add_argument("--catch-up-max", type=int, metavar="N", help="all: the newest N of them")
    parser.add_argument("--catch-up-window", metavar="TIME", help="none that is older (7d)")
    parser.add_argument("--jitter", metavar="TIME", help="fire up to this much later")
    parser.add_argument("--expected", metavar="TIME", help="how long a run usually takes")
    parser.add_argument("--description", metavar="TEXT")
    parser.add_argument(
        "--set", dest="settings_of_job", action="append", metavar="FIELD=VALUE", help="timeout, retries, …"
    )


def _add_controlling(commands: Commands) -> None:
    pause = commands.add_parser("pause", help="keep schedules from firing, for a time")
    _add_names(pause)
    pause.add_argument("--for", dest="length", default="1h", metavar="TIME", help="30m, 1h, 2d or forever (1h)")
    add_act_flags(pause)
    pause.set_defaults(carry_out=_pause)
    resume = commands.add_parser("resume", help="let them fire again")
    _add_names(resume)
    add_act_flags(resume, reason=False)
    resume.set_defaults(carry_out=_resume)
    skip = commands.add_parser("skip", help="skip just the next run")
    skip.add_argument("name", metavar="NAME")
    skip.add_argument("--take-back", action="store_true", help="do not skip it after all")
    add_act_flags(skip, reason=False)
    skip.set_defaults(carry_out=_skip)
    start = commands.add_parser("run", help="run it now; its timetable stays")
    start.add_argument("name", metavar="NAME")
    start.add_argument("--arg", dest="pairs", action="append", metavar="NAME=VALUE", help="other arguments; repeatable")
    add_act_flags(start, reason=False)
    start.set_defaults(carry_out=_run)


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", metavar="NAME", nargs="*", help="with * and ? many")
    parser.add_argument("--all", action="store_true", help="all of them")


def _add(args: argparse.Namespace) -> int:
    values = {"name": args.name, "expression": args.expression, "function": args.function, **_fields(args)}
    queue = one_queue(args.settings) or "default"
    return act(args, lambda operator: operator.add_schedule(queue, values))


def _fields(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a schedule that were given."""
    plain = ("tz", "overlap", "catch_up", "catch_up_max", "description")
    fields: dict[str, Any] = {name: getattr(args, name) for name in plain if getattr(args, name) is not None}
    for name in ("catch_up_window", "jitter", "expected"):
        if getattr(args, name) is not None:
            fields[f"{name}_s"] = _length(name, getattr(args, name))
    if args.pairs is not None:
        fields["arguments"] = _pairs(args.pairs)
    if args.settings_of_job is not None:
        fields["options"] = _pairs(args.settings_of_job)
    return fields


def _length(name: str, word: str) -> float | None:
    """Seconds; `forever` only where it means something: no window, or nothing expected."""
    from quarterdeck.schedule.spec import CENTURY_S

    if word == "0":
        return 0.0
    length_s = length_of(word)
    if length_s is None and name == "jitter":
        raise UsageError("A jitter has an end.", "Write 30s, 5m or 1h.")
    return CENTURY_S if length_s is None and name == "catch_up_window" else length_s


def _pairs(words: list[str]) -> dict[str, Any]:
    from quarterdeck.operate.arguments import parse_pairs

    return parse_pairs(None, words)


def _edit(args: argparse.Namespace) -> int:
    fields = _fields(args)
    fields |= {name: getattr(args, name) for name in ("expression", "function") if getattr(args, name) is not None}
    if args.reset == bool(fields):
        raise UsageError("Say what to change, or --reset.", "For instance --expression '0 3 * * *'.")

    async def work(operator: RedisOperator) -> Outcome:
        queue, name = await _one(args, operator)
        if args.reset:
            return await operator.reset_schedule(queue, name, reason=args.reason)
        return await operator.edit_schedule(queue, name, fields, reason=args.reason)

    return act(args, work)


def _delete(args: argparse.Namespace) -> int:
    async def work(operator: RedisOperator) -> Outcome:
        return await operator.delete_schedule(*await _one(args, operator), reason=args.reason)

    return act(args, work)


def _skip(args: argparse.Namespace) -> int:
    async def work(operator: RedisOperator) -> Outcome:
        return await operator.skip_next(*await _one(args, operator), skip=not args.take_back)

    return act(args, work)


def _run(args: argparse.Namespace) -> int:
    arguments = None if args.pairs is None else _pairs(args.pairs)

    async def work(operator: RedisOperator) -> Outcome:
        return await operator.run_schedule(*await _one(args, operator), arguments=arguments)

    return act(args, work)


def _pause(args: argparse.Namespace) -> int:
    for_s = length_of(args.length)

    async def one(operator: RedisOperator, queue: str, name: str) -> Outcome:
        return await operator.pause_schedule(queue, name, for_s=for_s, reason=args.reason)

    async def many(operator: RedisOperator, queue: str, names: list[str]) -> Outcome:
        return await operator.pause_schedules(queue, names, for_s=for_s, reason=args.reason)

    return _many(args, one, many)


def _resume(args: argparse.Namespace) -> int:
    async def one(operator: RedisOperator, queue: str, name: str) -> Outcome:
        return await operator.resume_schedule(queue, name)

    async def many(operator: RedisOperator, queue: str, names: list[str]) -> Outcome:
        return await operator.resume_schedules(queue, names)

    return _many(args, one, many)


def _many(args: argparse.Namespace, one: One, many: Many) -> int:
    """One schedule, or many of each queue; the exit status tells whether all could be done."""
    if bool(args.names) == args.all:
        raise UsageError("Say which schedules, or --all.", "A name may hold * and ?.")

    async def go() -> list[Outcome]:
        async with operator_of(args.settings) as operator:
            found = await operator.find_schedules(args.names, queue=one_queue(args.settings), everything=args.all)
            if len(found) == 1:
                return [await one(operator, *found[0])]
            by_queue: dict[str, list[str]] = {}
            for queue, name in found:
                by_queue.setdefault(queue, []).append(name)
            return [await many(operator, queue, names) for queue, names in by_queue.items()]

    outcomes = asyncio.run(go())
    if not outcomes:
        raise UsageError("There are no schedules here.")
    return max(tell(outcome, as_json=args.json) for outcome in outcomes)


async def _one(args: argparse.Namespace, operator: RedisOperator) -> tuple[str, str]:
    """The queue and name of the one schedule that is meant."""
    found = await operator.find_schedules([args.name], queue=one_queue(args.settings))
    if len(found) > 1:
        told = ", ".join(f"{name} on {queue}" for queue, name in found[:5])
        raise UsageError(f"{args.name!r} means more than one schedule: {told}.", "Name it, and its --queue.")
    return found[0]
