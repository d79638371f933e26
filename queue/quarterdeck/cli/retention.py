"""Show how much each queue keeps, and how much of that is in use; set the bounds of one.

`quarterdeck retention`, `quarterdeck retention --queue emails failed_age 30d failed_bytes 2GB`,
`quarterdeck retention --queue emails failed_age default`. Workers keep to new bounds within half a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from quarterdeck.cli.acting import add_act_flags, operator_of, tell
from quarterdeck.cli.looking import print_json, print_table, source_of
from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.model import BoundStat, QueueDetail, Screen, Tally, View
from quarterdeck.record.bounds import new_limits
from quarterdeck.text import amount, human_age, human_bytes, human_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from quarterdeck.operate import RedisOperator
    from quarterdeck.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck retention` takes."""
    parser.add_argument(
        "words", nargs="*", metavar="NAME VALUE", help="bounds to set: 30d, 2GB, 100000, or default; none: show them"
    )
    parser.add_argument("--yes", action="store_true", help="don't ask before anything is dropped")
    add_act_flags(parser)


def run(args: argparse.Namespace) -> int:
    """Show the bounds, or set some; the exit status."""
    if not args.words:
        return _show(asyncio.run(_read(args.settings)), as_json=args.json)
    values = pairs_of(args.words)
    new_limits(values)  # what is wrong with them is said before a server is looked for
    return asyncio.run(_set(args, values))


def pairs_of(words: Sequence[str]) -> dict[str, str]:
    """Names and values in `failed_age 30d failed_count 50000`. Raises UsageError."""
    if len(words) % 2:
        raise UsageError(f"There is no value for '{words[-1]}'.", "Write NAME VALUE, such as failed_age 30d.")
    return dict(zip(words[::2], words[1::2], strict=True))


async def _set(args: argparse.Namespace, values: dict[str, str]) -> int:
    async with operator_of(args.settings) as operator:
        queue = await _queue(operator, args.settings.queues)
        dropped = await operator.preview_retention(queue, values)
        if dropped and not args.yes and not _agreed(dropped, queue, args.settings):
            print("Nothing was done.", file=sys.stderr)
            return ExitStatus.TROUBLE
        return tell(await operator.set_retention(queue, values, reason=args.reason), as_json=args.json)


async def _queue(operator: RedisOperator, named: tuple[str, ...]) -> str:
    """The queue that was named, or the only one there is. Raises UsageError."""
    known = named or await operator.queues()
    if len(known) != 1:
        raise UsageError("Bounds belong to one queue.", "Name it with --queue.")
    return known[0]


def _agreed(dropped: tuple[Tally, ...], queue: str, settings: Settings) -> bool:
    """Ask; in a protected environment, or above its bound, the count must be typed, as on the screen."""
    told = ", ".join(f"{tally.count:,} {tally.name}" for tally in dropped)
    print(f"This drops {told} of {queue}: the oldest, for good.", file=sys.stderr)
    if not sys.stdin.isatty():
        raise UsageError("This drops what was kept, and nobody is there to be asked.", "Add --yes.")
    count = sum(tally.count for tally in dropped)
    grave = settings.protected or count > settings.confirm_above
    word = str(count) if grave else "yes"
    return input(f"Drop them? Type {word}: ").strip().lower().replace(",", "") == word


async def _read(settings: Settings) -> dict[str, tuple[BoundStat, ...]]:
    """The bounds of each queue that is known, or named."""
    found: dict[str, tuple[BoundStat, ...]] = {}
    async with source_of(settings) as source:
        if not settings.queues:
            await source.discover()
        for queue in settings.queues or source.queues:
            detail = (await source.snapshot(View(screen=Screen.QUEUE, queue=queue))).detail
            if isinstance(detail, QueueDetail):
                found[queue] = detail.bounds
    return found


def _show(found: dict[str, tuple[BoundStat, ...]], *, as_json: bool) -> int:
    if as_json:
        return print_json(found)
    rows = [
        (
            queue,
            stat.name.removesuffix("_ms"),
            in_use(stat),
            amount(stat.limit, stat.unit),
            amount(stat.usual, stat.unit),
        )
        for queue, stats in found.items()
        for stat in stats
    ]
    print_table(("QUEUE", "BOUND", ">IN USE", ">KEPT AT MOST", ">USUAL"), rows)
    return ExitStatus.DONE


def in_use(stat: BoundStat) -> str:
    """How much of a bound is in use, for people; an age is that of the oldest."""
    if stat.unit == "ms":
        return human_age(stat.used) if stat.used != 0 else "-"
    return human_bytes(stat.used) if stat.unit == "bytes" else human_count(stat.used)
