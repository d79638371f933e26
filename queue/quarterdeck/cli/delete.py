"""Move jobs into the recycle bin; `quarterdeck undo` brings them back for a week."""

from __future__ import annotations

import argparse

from quarterdeck.cli.selection import add_selection_flags, run_verb
from quarterdeck.model import Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck delete` takes."""
    add_selection_flags(parser, states=("failed", "queued", "scheduled"))


def run(args: argparse.Namespace) -> int:
    """Delete; the exit status is 1 when some were skipped."""
    return run_verb(args, Verb.DELETE)
