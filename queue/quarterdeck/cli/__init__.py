"""The command `quarterdeck`: the dashboard, or one of the subcommands of `frame.COMMANDS`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from quarterdeck.cli import frame
from quarterdeck.cli.lettering import tolerate
from quarterdeck.errors import UsageError

DASHBOARD = "tui.__main__"
"""The module whose `main(argv) -> int` is the dashboard. It is named, not imported: the arrow points the other way,
and a host that only runs workers needs no Textual. (An entry point would say the same for 50 ms more a start.)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (the process' own unless told) and return the exit status of DESIGN §11."""
    words = list(sys.argv[1:] if argv is None else argv)
    tolerate()
    at = frame.subcommand_at(words)
    work: Callable[[], int] = (lambda: _dashboard(words)) if at is None else (lambda: _command(words, at))
    return frame.guarded(work)


def _dashboard(argv: Sequence[str]) -> int:
    if {"-h", "--help", "--version"} & set(argv):
        frame.parse_dashboard(argv)  # prints and ends; Textual need not be there for it
    try:
        module = import_module(DASHBOARD)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"tui", "textual"}:
            raise
        raise UsageError(
            f"The dashboard is not installed here ({error.name} is missing).",
            "Install the whole package: pip install quarterdeck. The subcommands work without it.",
        ) from None
    return int(module.main(list(argv)))


def _command(argv: Sequence[str], at: int) -> int:
    for word in argv:
        if not word.isascii() and any("\udc80" <= sign <= "\udcff" for sign in word):
            # What is not UTF-8 comes as halves of characters, which no server and no JSON takes.
            raise UsageError(f"{word!a} is not UTF-8.", "Type it in a terminal and a locale that write UTF-8.")
    module, args = frame.parse_command(argv, at)
    return int(module.run(args))
