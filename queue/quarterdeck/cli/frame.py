"""The frame of the command line: the flags that all commands share, how one is found, and how errors end.

A subcommand is a module `quarterdeck.cli.<name>` with `add_arguments(parser)` and `run(args) -> int`; only the one
that is asked for is imported. `args.settings` holds the resolved `Settings`.
"""

from __future__ import annotations

import argparse
import errno
import math
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

from quarterdeck.errors import ExitStatus, QuarterdeckError, UsageError

COMMANDS = {
    "worker": "run jobs, schedules and rescue: worker TARGET",
    "record": "keep what stock SAQ workers would drop: runs, failures, rates",
    "serve": "the HTTP API, /metrics and notifications",
    "status": "what the overview shows, once or with --watch",
    "jobs": "list and show jobs",
    "failures": "failed jobs, grouped by what broke",
    "retry": "run jobs again: one, a group, all, at once or as a canary",
    "abort": "stop jobs",
    "delete": "move jobs into the recycle bin",
    "undo": "take an act back",
    "bulk": "list, pause, resume, stop bulk operations",
    "quarantine": "set jobs aside by function, argument and error",
    "note": "add a line to the audit",
    "enqueue": "put a job on a queue",
    "schedules": "list, next, pause, resume, run, skip",
    "queues": "list, pause, resume",
    "retention": "show and set how much is kept",
    "workers": "list, quiet, stop",
    "logs": "log lines of a job, a function or all",
    "why": "why is this job, queue or schedule not running?",
    "doctor": "check server, settings and terminal",
    "bench": "measure the engine against SAQ and other queues",
}
_VALUED = {"--url", "--env", "--app", "--queue", "--style"}
INTERRUPTED = 130
PIPE_CLOSED = 141


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviations, which would change their meaning with the next flag."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **options})

    def error(self, message: str) -> NoReturn:
        """End with exit status 2 and one line that names the way out."""
        print(f"{self.prog}: {message}. Try '{self.prog} --help'.", file=sys.stderr)
        raise SystemExit(ExitStatus.USAGE)


def add_global_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags that every command takes, before or after its name."""
    group = parser.add_argument_group("where and what")
    place = group.add_mutually_exclusive_group()
    place.add_argument("--url", metavar="URL", help="server: redis://, rediss://, unix://, redis+sentinel://, …")
    place.add_argument("--env", metavar="NAME", help="an environment of quarterdeck.toml")
    group.add_argument("--app", metavar="MODULE:OBJECT", help="the app whose tasks are run")
    group.add_argument("--queue", metavar="NAME", action="append", default=[], dest="queues", help="repeatable")
    group.add_argument("--read-only", action="store_true", help="look, change nothing")


def add_dashboard_flags(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the dashboard alone."""
    group = parser.add_argument_group("dashboard")
    group.add_argument("--style", metavar="FILE", help="a stylesheet laid over the dashboard's own")
    group.add_argument("--ascii", action="store_true", help="plain ASCII, no lines and blocks")
    group.add_argument("--plain-driver", action="store_true", help="send Textual's own output, not the difference")
    group.add_argument("--view", metavar="VIEW", help="open this view, such as ':failures @emails'")


def subcommand_at(argv: Sequence[str]) -> int | None:
    """The index of the subcommand in `argv`, or None: the first word that is neither a flag nor a flag's value."""
    skip = False
    for index, word in enumerate(argv):
        if skip:
            skip = False
        elif word == "--":
            return None
        elif word in _VALUED or word == "--view":
            skip = True
        elif not word.startswith("-"):
            return index
    return None


def parse_dashboard(argv: Sequence[str] | None = None, prog: str = "quarterdeck") -> argparse.Namespace:
    """Parse a command line without a subcommand. The result has `settings` and `view`, and each flag by its name."""
    from quarterdeck import __version__

    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:{width}}  {text}" for name, text in COMMANDS.items())
    parser = Parser(
        prog=prog,
        usage=f"{prog} [flags]            open the dashboard\n       {prog} COMMAND [flags]    {prog} COMMAND --help",
        description="A dashboard over SAQ job queues. Without --url or --env it carries its own server along.",
        epilog=f"commands:\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_global_flags(parser)
    add_dashboard_flags(parser)
    parser.add_argument("--version", action="version", version=f"quarterdeck {__version__}")
    return _settled(parser.parse_args(argv))


def parse_command(argv: Sequence[str], at: int, prog: str = "quarterdeck") -> tuple[ModuleType, argparse.Namespace]:
    """Import the subcommand at index `at` of `argv` and parse the rest with it.

    Raises `UsageError` for a command that is not known or can't be imported here.
    """
    name = argv[at]
    if name not in COMMANDS:
        from quarterdeck.settings import nearest

        raise UsageError(f"There is no command '{name}'.", nearest(name, COMMANDS))
    path = f"quarterdeck.cli.{name}"
    try:
        module = import_module(path)
    except ModuleNotFoundError as error:
        if error.name == path:
            raise UsageError(f"The command '{name}' is not part of this installation.") from None
        raise
    summary = COMMANDS[name]
    parser = Parser(
        prog=f"{prog} {name}",
        description=(module.__doc__ or summary).strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    add_global_flags(parser)  # for --help; those that were given are taken out first:
    shared, rest = _take_global_flags([*argv[:at], *argv[at + 1 :]], parser.prog)
    # Words and flags may be mixed (`retry A --yes B`); argparse can't do that with subcommands or after `--`.
    plain = parser._subparsers is not None or "--" in rest
    parse = parser.parse_args if plain else parser.parse_intermixed_args
    return module, _settled(parse(rest, shared))


def _take_global_flags(argv: Sequence[str], prog: str) -> tuple[argparse.Namespace, list[str]]:
    """The global flags in `argv`, and what else is there in its order.

    They may stand after a subcommand's own subcommand, where argparse would not know them. What follows `--` stays.
    """
    words = list(argv)
    end = words.index("--") if "--" in words else len(words)
    parser = Parser(prog=prog, add_help=False)
    add_global_flags(parser)
    shared, rest = parser.parse_known_args(words[:end])
    return shared, [*rest, *words[end:]]


def whole(least: int, most: int) -> Callable[[str], int]:
    """A type for argparse: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from {least:,} to {most:,}")
        return int(text)

    return read


def number(least: float, most: float = 1e9) -> Callable[[str], float]:
    """A type for argparse: a number from `least` to `most`."""

    def read(text: str) -> float:
        try:
            found = float(text)
        except ValueError:
            found = math.nan
        if not least <= found <= most:
            bounds = f"from {least:g} to {most:g}" if most < 1e9 else f"from {least:g} up"
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {bounds}")
        return found

    return read


def _settled(args: argparse.Namespace) -> argparse.Namespace:
    """Resolve the settings that the flags lead to into `args.settings`. Not needed for `--help` and `--version`."""
    from quarterdeck.settings import Flags, resolve

    args.settings = resolve(
        Flags(
            url=args.url,
            env=args.env,
            app=args.app,
            queues=tuple(args.queues),
            read_only=args.read_only,
            style=getattr(args, "style", None),
            ascii=getattr(args, "ascii", False),
            plain_driver=getattr(args, "plain_driver", False),
        )
    )
    return args


def guarded(work: Callable[[], int], prog: str = "quarterdeck") -> int:
    """Run `work` and return the exit status.

    Our own errors become one sentence on stderr and their exit status, Ctrl-C is 130, a closed pipe is quiet. A bug
    keeps its traceback.
    """
    try:
        status = work()
        if sys.stdout is not None:  # None: it was closed by whoever started us
            sys.stdout.flush()
    except QuarterdeckError as error:
        report(error, prog)
        return int(error.exit_status)
    except BrokenPipeError:
        # Python flushes stdout once more at its end, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        report(QuarterdeckError(f"{_unwritten(error)} can't be written: no space is left.", "Make room there."), prog)
        return ExitStatus.TROUBLE
    except KeyboardInterrupt:
        return INTERRUPTED
    return int(status)


def _unwritten(error: OSError) -> str:
    """What a full disk left no room for: a file, what is printed, or what a task's own code writes on its way."""
    if error.filename:
        return str(error.filename)
    try:
        sys.stdout.flush()
    except OSError:
        # Python flushes once more at its end, and would complain then.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return "What is printed"
    return "Something"


def report(error: QuarterdeckError, prog: str = "quarterdeck") -> None:
    """Print an error as one clean line on stderr; parts of it may come from a server or a file."""
    from quarterdeck.text import clean

    print(f"{prog}: {clean(str(error))}", file=sys.stderr)
