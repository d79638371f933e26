"""Run failed jobs again: by their keys, a group, what a filter matches, or all.

At once, `--pace paced --per-s N`, or `--pace canary`: one first, then faster and faster, stopping by itself when
too many of the released jobs fail again (`--trip-rate`).
"""

from __future__ import annotations

import argparse

from quarterdeck.cli.frame import number
from quarterdeck.cli.selection import add_selection_flags, run_verb
from quarterdeck.model import Pace, Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck retry` takes."""
    add_selection_flags(parser, states=("failed", "scheduled"))
    parser.add_argument("--pace", choices=("all", "paced", "canary"), default="all", help="how to go about it (all)")
    parser.add_argument("--per-s", type=number(0.001), default=0, metavar="N", help="jobs a second; a canary's cap")
    parser.add_argument(
        "--trip-rate", type=number(0, 1), default=0.2, metavar="SHARE", help="stop above this share (0.2)"
    )


def run(args: argparse.Namespace) -> int:
    """Retry; the exit status is 1 when some were skipped or failed again. Scheduled jobs are made due at once."""
    if args.state == "scheduled":
        return run_verb(args, Verb.RUN_NOW)
    pace = None if args.pace == "all" else Pace(mode=args.pace, per_s=args.per_s, trip_rate=args.trip_rate)
    return run_verb(args, Verb.RETRY, pace)
