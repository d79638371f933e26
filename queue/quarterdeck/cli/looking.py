"""What the reading commands share: a source on the server that the flags name, one snapshot, JSON, plain tables."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.model import Snapshot, View
from quarterdeck.text import cell_width, clean, fit

if TYPE_CHECKING:
    from quarterdeck.inspect import RedisSource
    from quarterdeck.settings import Settings

_NOT_ASCII = re.compile("[^ -~]+")
MOST = 10_000
"""Rows that a command asks for at most."""


@asynccontextmanager
async def source_of(settings: Settings) -> AsyncIterator[RedisSource]:
    """The source that `settings` lead to, with all queues found. Raises UnreachableError when nothing is there."""
    from quarterdeck.broker.whereabouts import server_address
    from quarterdeck.inspect import open_source

    address = server_address(settings.url, settings.data_dir)
    async with await open_source(address, queues=settings.queues) as source:
        yield source


async def look(settings: Settings, view: View) -> Snapshot:
    """One snapshot, after queues and crons have been looked for."""
    async with source_of(settings) as source:
        if not settings.queues:
            await source.discover()
        return await source.snapshot(view)


def see(settings: Settings, view: View) -> Snapshot:
    """As `look`, for commands that do nothing else."""
    return asyncio.run(look(settings, view))


def add_list_flags(parser: argparse.ArgumentParser, *, limit: int = 20) -> None:
    """Add what every list takes."""
    parser.add_argument("--filter", default="", metavar="TEXT", help="as on the screen: fn:send err:timeout age>5m")
    parser.add_argument("--limit", type=count, default=limit, metavar="N", help=f"rows at most ({limit})")
    parser.add_argument("--offset", type=count, default=0, metavar="N", help="rows to pass over (0)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def count(word: str) -> int:
    """A number of rows, for argparse."""
    number = int(word)
    if not 0 <= number <= MOST:
        raise argparse.ArgumentTypeError(f"{number} is not between 0 and {MOST:,}")
    return number


def one_queue(settings: Settings) -> str | None:
    """The queue that was named, None for all. Raises UsageError when several were."""
    if len(settings.queues) > 1:
        raise UsageError("Several queues were named.", "This command takes one --queue, or none for all.")
    return settings.queues[0] if settings.queues else None


def print_json(value: Any) -> int:
    """Print a struct as JSON that no terminal can take for anything but text.

    JSON escapes C0 controls by itself; C1 and bidi controls and what else can't be printed are written `\\u…` too.
    """
    text = msgspec.json.encode(value).decode()
    print(text if text.isprintable() else _NOT_ASCII.sub(_escaped, text))
    return ExitStatus.DONE


def _escaped(found: re.Match[str]) -> str:
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in found[0])


def narrowed(widths: Sequence[int], columns: int) -> list[int]:
    """Widths of columns, two cells apart, that fit into `columns` cells: the widest gives first, down to 8."""
    fitting = list(widths)
    while (excess := sum(fitting) + 2 * (len(fitting) - 1) - columns) > 0 and max(fitting) > 8:
        at = fitting.index(max(fitting))
        fitting[at] = max(8, fitting[at] - excess)
    return fitting


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, wide: int = 60) -> None:
    """Print rows in columns as wide as they need, at most `wide`; a head that begins with `>` aligns to the right.

    Cells are cleaned here: none can be anything but text. On a terminal the widest column gives what does not fit.
    """
    cells = [[clean(cell, 4 * wide) for cell in row] for row in rows]
    names = [head.lstrip(">") for head in heads]
    widths = [min(wide, max(cell_width(text) for text in column)) for column in zip(names, *cells, strict=True)]
    if sys.stdout.isatty():
        widths = narrowed(widths, shutil.get_terminal_size().columns)
    for row in (names, *cells):
        fitted = [
            fit(cell, width, "right" if head.startswith(">") else "left")
            for cell, width, head in zip(row, widths, heads, strict=True)
        ]
        print("  ".join(fitted).rstrip())
