"""The flags that say which jobs are meant, the same for all commands that act on jobs."""

from __future__ import annotations

import argparse
import asyncio
import sys

from msgspec.structs import replace

from quarterdeck.cli.acting import add_act_flags, operator_of, tell
from quarterdeck.cli.looking import print_json
from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.model import BlastCard, BulkRow, JobRef, JobState, Outcome, Pace, Selection, Verb
from quarterdeck.operate import RedisOperator
from quarterdeck.operate import bulk as bulks
from quarterdeck.operate.finding import queues_of
from quarterdeck.settings import Settings
from quarterdeck.text import clean, human_duration

POLL_S = 0.3


def add_selection_flags(parser: argparse.ArgumentParser, *, states: tuple[str, ...]) -> None:
    """Add KEYS and what selects by query; `states` are those this command can act on, the first is the default."""
    parser.add_argument("keys", nargs="*", metavar="KEY", help="job keys; with none, all that the flags match")
    parser.add_argument("--state", choices=states, default=states[0], help=f"which jobs ({states[0]})")
    parser.add_argument("--signature", metavar="SIG", help="failed jobs of one group")
    parser.add_argument("--function", metavar="NAME", help="jobs of one function")
    parser.add_argument("--filter", default="", metavar="TEXT", help="as on the screen: fn:send err:timeout age>5m")
    parser.add_argument("--all", action="store_true", help="all jobs of that state; needed when nothing else selects")
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, do nothing")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    add_act_flags(parser)


def selection_of(args: argparse.Namespace) -> Selection:
    """The selection that the flags mean. Raises UsageError when nothing selects."""
    queues = args.settings.queues
    if args.keys:
        return Selection(
            refs=tuple(JobRef(queue=queues[0] if len(queues) == 1 else "", key=key) for key in args.keys),
            queue=queues[0] if len(queues) == 1 else None,
            state=JobState(args.state),
        )
    if not (args.all or args.signature or args.function or args.filter):
        raise UsageError("Nothing says which jobs are meant.", "Give keys, --signature, --function, --filter or --all.")
    return Selection(
        queue=queues[0] if len(queues) == 1 else None,
        state=JobState(args.state),
        signature=args.signature,
        function=args.function,
        filter=args.filter,
    )


def run_verb(args: argparse.Namespace, verb: Verb, pace: Pace | None = None) -> int:
    """Preview, ask, do and follow an act on jobs; the exit status."""
    return asyncio.run(_run_verb(args, verb, pace))


async def _run_verb(args: argparse.Namespace, verb: Verb, pace: Pace | None) -> int:
    selection = selection_of(args)
    async with operator_of(args.settings, carry_bulks=not args.dry_run) as operator:
        selection = replace(selection, refs=await _placed(operator, selection.refs))
        if not selection.refs or args.dry_run:
            card = await operator.preview(verb, selection)
            if args.dry_run:
                _show(card, as_json=args.json)
                return ExitStatus.DONE
            _show(card, as_json=False, to_stderr=True)
            if card.exact and not card.count:
                print("Nothing matches: nothing was done.", file=sys.stderr)
                return ExitStatus.TROUBLE
            if card.exact and len(card.queues) == 1:  # no idle bulk operation on each of the others
                selection = replace(selection, queue=card.queues[0].name)
            if not args.yes and not _agreed(card, args.settings):
                print("Nothing was done.", file=sys.stderr)
                return ExitStatus.TROUBLE
        outcome = await operator.act(verb, selection, reason=args.reason, pace=pace)
        if not outcome.bulk:
            return tell(outcome, as_json=args.json)
        return await _follow(operator, outcome, as_json=args.json)


async def _placed(operator: RedisOperator, refs: tuple[JobRef, ...]) -> tuple[JobRef, ...]:
    """The jobs with their queues, looked for where none was named. Raises UsageError for keys of none or of several."""
    found = []
    for ref in refs:
        homes = [ref.queue] if ref.queue else await queues_of(operator.client, await operator.queues(), ref.key)
        homes = homes or await queues_of(operator.client, await operator.all_queues(), ref.key)
        if not homes:
            raise UsageError(f"There is no job '{ref.key}'.", "quarterdeck jobs lists them; --queue names a queue.")
        if len(homes) > 1:
            raise UsageError(
                f"The key '{ref.key}' is that of a job in {' and in '.join(homes)}.", "Name the queue with --queue."
            )
        found.append(JobRef(queue=homes[0], key=ref.key))
    return tuple(found)


async def _follow(operator: RedisOperator, outcome: Outcome, *, as_json: bool) -> int:
    """Wait until the bulk operations that an act started are over, telling their progress."""
    mine = outcome.bulk.rsplit("-", 1)[1]
    shown = ""
    while True:
        rows = [row for queue in await operator.queues() for row in await bulks.rows(operator.client, queue)]
        rows = [row for row in rows if row.id.endswith(mine) and row.owner == operator.who]
        line = "; ".join(progress(row) for row in rows)
        if line != shown and not as_json:
            print(line, file=sys.stderr)
            shown = line
        if all(row.state not in bulks.LIVE for row in rows):
            if as_json:
                print_json(rows)
            well = all(row.state == "done" and not row.failed and not row.skipped for row in rows)
            return ExitStatus.DONE if well and rows else ExitStatus.TROUBLE
        await asyncio.sleep(POLL_S)


def progress(row: BulkRow) -> str:
    """A bulk operation in one line."""
    total = f"/{row.total}" if row.total >= 0 else ""
    parts = [f"{row.queue}: {row.state} {row.done}{total}"]
    if row.failed:
        parts.append(f"{row.failed} failed again")
    if row.skipped:
        parts.append(f"{row.skipped} skipped")
    if row.phase:
        parts.append(row.phase)
    return ", ".join(parts)


def _show(card: BlastCard, *, as_json: bool, to_stderr: bool = False) -> None:
    if as_json:
        print_json(card)
        return
    out = sys.stderr if to_stderr else sys.stdout
    some = f"{card.count:,}" if card.exact else f"at least {card.count:,}"
    print(f"{card.verb}: {some} {'job' if card.count == 1 else 'jobs'}", file=out)
    for word, tallies in (("function", card.functions), ("queue", card.queues)):
        for tally in tallies:
            print(f"  {word} {clean(tally.name)}: {tally.count:,}", file=out)
    for sample in card.sample:
        print(f"  e.g. {clean(sample, 100)}", file=out)
    if card.drain_s is not None:
        print(f"  drains in about {human_duration(card.drain_s * 1000)} at the present rate", file=out)


def _agreed(card: BlastCard, settings: Settings) -> bool:
    """Ask; in a protected environment, or above its bound, the count must be typed, as on the screen."""
    if not card.count:
        return True
    if not sys.stdin.isatty():
        raise UsageError(
            "This acts on many jobs, and nobody is there to be asked.", "Add --yes, or look with --dry-run."
        )
    grave = settings.protected or card.count > settings.confirm_above
    word = str(card.count) if grave else "yes"
    where = f" in {settings.environment}" if grave else ""
    what = f"{card.count:,} {'job' if card.count == 1 else 'jobs'}{where}"
    asked = f"{card.verb} {what}? Type {'the number' if grave else word}: "
    return input(asked).strip().lower().replace(",", "") == word
