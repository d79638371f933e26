"""Schedules: what an expression means, which schedules there are, and what operators do with them."""

from __future__ import annotations

import argparse
import json
from datetime import datetime

from quarterdeck.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `quarterdeck schedules`."""
    commands = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    _add_next(commands)


def run(args: argparse.Namespace) -> int:
    """Carry out one subcommand and return its exit status."""
    status: int = args.carry_out(args)
    return status


def _add_next(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("next", help="when an expression fires, and in words; needs no server")
    parser.add_argument("expression", metavar="EXPR", help="5 fields, 6 with the seconds first, or @daily and its kin")
    parser.add_argument("--tz", default="UTC", metavar="ZONE", help="IANA time zone (UTC)")
    parser.add_argument("--from", dest="since", metavar="ISO-8601", help="fires after this; without offset: the zone's")
    parser.add_argument("--count", type=int, default=10, metavar="N", help="how many (10)")
    parser.add_argument("--saq", action="store_true", help="read it as SAQ's cron_jobs do, seconds last")
    parser.add_argument("--json", action="store_true", help="a list of ISO-8601 times")
    parser.set_defaults(carry_out=_next)


def _next(args: argparse.Namespace) -> int:
    from quarterdeck.schedule.sandbox import preview

    seen = preview(args.expression, args.tz, _moment(args.since), args.count, saq=args.saq)
    times = [fire.isoformat() for fire in seen.fires]
    if args.json:
        print(json.dumps(times))
        return 0
    print(seen.words)
    for fire, text in zip(seen.fires, times, strict=True):
        print(f"{text}  {fire:%a}")
    return 0


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--from {text!r} is not an ISO-8601 time.", "Write 2026-03-28T12:00 or …+01:00.") from None
