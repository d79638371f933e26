"""Add a line to the audit, for the others who are attached and for the incident note."""

from __future__ import annotations

import argparse

from quarterdeck.cli.acting import act, add_act_flags
from quarterdeck.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck note` takes."""
    parser.add_argument("text", metavar="TEXT")
    add_act_flags(parser, reason=False)


def run(args: argparse.Namespace) -> int:
    """Note; the exit status."""
    if not args.text.strip():
        raise UsageError("The note is empty.", "Write what the others should know.")
    return act(args, lambda operator: operator.note(args.text))
