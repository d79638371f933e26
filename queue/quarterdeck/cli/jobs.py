"""List jobs by state, or show one job whole.

`quarterdeck jobs --state failed --filter 'fn:send err:timeout'` lists, `quarterdeck jobs KEY` shows one with its
arguments (secrets masked), traceback, attempts, log, and why it is where it is.
"""

from __future__ import annotations

import argparse
import sys

from quarterdeck.cli.cures import as_command
from quarterdeck.cli.looking import add_list_flags, one_queue, print_json, print_table, see
from quarterdeck.errors import ExitStatus, UsageError
from quarterdeck.inspect.filter import parse_filter
from quarterdeck.model import JobDetail, JobRow, JobState, Page, Screen, View
from quarterdeck.text import clean, clean_lines, human_age, human_bytes, human_count, human_duration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck jobs` takes."""
    parser.add_argument("key", nargs="?", metavar="KEY", help="show this job whole")
    parser.add_argument(
        "--state", choices=[str(state) for state in JobState], help="jobs in this state (all but complete ones)"
    )
    add_list_flags(parser)
    parser.add_argument("--budget", type=int, default=1_000_000, metavar="N", help="rows that a filter looks at")


def run(args: argparse.Namespace) -> int:
    """Print the list, or the job; the exit status is 1 when there is no such job."""
    queue = one_queue(args.settings)
    if args.key is not None:
        return _show(args, View(screen=Screen.JOB, queue=queue, subject=args.key))
    view = View(
        screen=Screen.JOBS,
        queue=queue,
        state=JobState(args.state) if args.state else None,
        filter=_filter_of(args),
        offset=args.offset,
        limit=args.limit,
        budget=args.budget,
    )
    snapshot = see(args.settings, view)
    page = snapshot.page or Page()
    if args.json:
        return print_json(page)
    print_jobs(page, snapshot.taken_ms)
    return ExitStatus.DONE


def _filter_of(args: argparse.Namespace) -> str:
    """The filter that was given; of the history, which lists every attempt, only what completed is asked for.

    Raises FilterError.
    """
    if args.state != JobState.COMPLETE:
        return str(args.filter)
    parse_filter(args.filter)  # as it was written: an error names the place in it
    return f"state:=complete ({args.filter})" if args.filter else "state:=complete"


def print_jobs(page: Page, now_ms: int) -> None:
    """Print a page of jobs, and on stderr how many there are."""
    jobs = [row for row in page.rows if isinstance(row, JobRow)]
    print_table(("STATE", "FUNCTION", "QUEUE", "KEY", ">WHEN", ">TRIES", "ARGUMENTS OR ERROR"), [
        (
            "broken" if row.broken else "poison" if row.poison else str(row.state),
            row.function,
            row.queue,
            row.key,
            when_of(row, now_ms),
            str(row.attempts),
            row.broken or row.error or row.arguments,
        )
        for row in jobs
    ])  # fmt: skip
    seen = f", searched {human_count(page.searched)} of {human_count(page.total_unfiltered)}"
    partial = seen if page.searched < page.total_unfiltered else ""
    last = page.offset + len(jobs)
    print(f"{min(page.offset + 1, last)}-{last} of {human_count(page.total)}{partial}", file=sys.stderr)
    if page.error:
        print(f"Not all can be read: {clean(page.error)}.", file=sys.stderr)


def when_of(row: JobRow, now_ms: int) -> str:
    """The time that matters in a job's state: due in, running for, ended or enqueued ago."""
    if row.state is JobState.SCHEDULED and row.scheduled_ms:
        left = row.scheduled_ms - now_ms
        return f"in {human_duration(left)}" if left > 0 else f"due {human_age(-left)}"
    since = row.finished_ms or row.started_ms or row.queued_ms
    return human_age(now_ms - since) if since else "-"


def _show(args: argparse.Namespace, view: View) -> int:
    snapshot = see(args.settings, view)
    detail = snapshot.detail
    if not isinstance(detail, JobDetail):
        print(f"There is no job '{clean(args.key)}'.", file=sys.stderr)
        return ExitStatus.TROUBLE
    if args.json:
        return print_json(detail)
    if args.filter:
        raise UsageError("--filter is for lists, and KEY shows one job.")
    print_job(detail, snapshot.taken_ms)
    return ExitStatus.DONE


def print_job(detail: JobDetail, now_ms: int) -> None:
    """Print everything about one job."""
    row = detail.row
    cure = as_command(detail.why_cure, kind="job", subject=row.key, queue=row.queue)
    facts = [
        ("job", f"{row.key} @{row.queue}"),
        ("function", row.function),
        ("state", f"{row.state}{' (poison)' if row.poison else ''}, {when_of(row, now_ms)}"),
        ("why", f"{detail.why} {cure}".strip()),
        ("attempts", f"{row.attempts} of {row.retries}{f', {detail.crashes} crashes' if detail.crashes else ''}"),
        ("worker", row.worker),
        ("signature", row.signature),
        ("arguments", row.arguments),
        ("result", detail.result),
        ("payload", human_bytes(row.payload_bytes) + (f", {detail.cut_bytes} bytes not read" * bool(detail.cut_bytes))),
    ]
    for name, value in facts:
        if value:
            print(f"{name:10} {clean(value)}")
    for attempt in detail.attempts:
        took = human_duration(attempt.duration_ms)
        ago = human_age(now_ms - attempt.finished_ms)
        print(f"attempt    {attempt.attempt}: {clean(attempt.status)}, took {took}, {ago} ago, {clean(attempt.worker)}")
    for line in clean_lines(detail.traceback) if detail.traceback else []:
        print(f"  {line}")
    for entry in detail.log:
        print(f"log        {clean(entry.level)} {clean(entry.text)}")
