"""Failed jobs grouped by what broke, or the jobs of one group.

`quarterdeck failures` lists the groups, `quarterdeck failures SIGNATURE` the jobs of one with a traceback.
"""

from __future__ import annotations

import argparse
import sys

from quarterdeck.cli.jobs import print_jobs
from quarterdeck.cli.looking import add_list_flags, one_queue, print_json, print_table, see
from quarterdeck.errors import ExitStatus
from quarterdeck.model import FailureGroup, GroupDetail, JobState, Page, Screen, View
from quarterdeck.text import clean, clean_lines, human_age, human_count, human_percent, sparkline


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck failures` takes."""
    parser.add_argument("signature", nargs="?", metavar="SIGNATURE", help="the jobs of this group")
    parser.add_argument("--sort", choices=("last", "first", "count", "function"), default="", help="order of groups")
    add_list_flags(parser, limit=50)


def run(args: argparse.Namespace) -> int:
    """Print the groups, or one group; the exit status is 1 when there is no such group."""
    queue = one_queue(args.settings)
    screen = Screen.GROUP if args.signature else Screen.FAILURES
    view = View(
        screen=screen,
        queue=queue,
        subject=args.signature,
        state=JobState.FAILED if args.signature else None,
        filter=args.filter,
        sort=args.sort,
        offset=args.offset,
        limit=args.limit,
    )
    snapshot = see(args.settings, view)
    page = snapshot.page or Page()
    if args.signature:
        return _group(args, snapshot.detail, page, snapshot.taken_ms)
    if args.json:
        return print_json(page)
    groups = [row for row in page.rows if isinstance(row, FailureGroup)]
    print_table(("SIGNATURE", "FUNCTION", "QUEUE", ">COUNT", ">SHARE", "LAST HOUR", ">LAST", "WHAT BROKE"), [
        (
            group.signature,
            group.function,
            group.queue,
            human_count(group.count),
            human_percent(group.share),
            sparkline(group.trend, 12),
            human_age(snapshot.taken_ms - group.last_ms),
            f"{group.exception}: {group.message}  {group.frame}" if group.exception else group.message,
        )
        for group in groups
    ])  # fmt: skip
    return ExitStatus.DONE


def _group(args: argparse.Namespace, detail: object, page: Page, now_ms: int) -> int:
    if not isinstance(detail, GroupDetail) or not detail.row.count:
        print(f"There is no failed job with the signature '{clean(args.signature)}'.", file=sys.stderr)
        return ExitStatus.TROUBLE
    if args.json:
        return print_json({"group": detail, "page": page})
    row = detail.row
    what = f"{row.exception}: {row.message}" if row.exception else row.message
    print(f"{clean(row.function)}: {clean(what)} {clean(row.frame)}".rstrip())
    for name, tallies in (("workers", detail.workers), ("versions", detail.versions)):
        if tallies:
            print(f"{name}: {', '.join(f'{clean(each)} ({number})' for each, number in tallies[:10])}")
    if detail.sample is not None and detail.sample.traceback:
        print("\n".join(f"  {line}" for line in clean_lines(detail.sample.traceback)))
    print_jobs(page, now_ms)
    return ExitStatus.DONE
