"""Take an act back: the one named, or your own newest that can be undone."""

from __future__ import annotations

import argparse

from quarterdeck.cli.acting import act, add_act_flags


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck undo` takes."""
    parser.add_argument(
        "act", nargs="?", default="", metavar="ACT", help="the act's id, as its toast and the audit say"
    )
    add_act_flags(parser, reason=False)


def run(args: argparse.Namespace) -> int:
    """Undo; the exit status is 1 when not all could be taken back."""
    return act(args, lambda operator: operator.undo(args.act))
