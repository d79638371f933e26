"""Stop jobs: waiting ones go into the recycle bin, running ones are asked to end."""

from __future__ import annotations

import argparse

from quarterdeck.cli.selection import add_selection_flags, run_verb
from quarterdeck.model import Verb


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck abort` takes."""
    add_selection_flags(parser, states=("queued", "scheduled", "active"))


def run(args: argparse.Namespace) -> int:
    """Abort; the exit status is 1 when some were skipped."""
    return run_verb(args, Verb.ABORT)
