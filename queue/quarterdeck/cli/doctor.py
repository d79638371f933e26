"""Check the server, the settings and the terminal, and say what will hurt and how to cure it.

Exit status 1 when trouble was found, 3 when the server could not be reached.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack

from redis.exceptions import ResponseError

from quarterdeck.broker.checkup import Finding, Level, look_at, note, ok, trouble
from quarterdeck.broker.connection import Connection, open_connection
from quarterdeck.broker.embedded import embedded
from quarterdeck.cli.looking import print_json
from quarterdeck.cli.surroundings import look_at_disk, look_at_settings, look_at_terminal
from quarterdeck.errors import ExitStatus, UnreachableError
from quarterdeck.inspect.discovery import Discovery
from quarterdeck.keys import keys_of
from quarterdeck.settings import Settings
from quarterdeck.text import clean

MOST_QUEUES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `quarterdeck doctor` takes."""
    parser.add_argument("--json", action="store_true", help="print the findings as a JSON list")


def run(args: argparse.Namespace) -> int:
    """Look, print, and return the exit status."""
    settings: Settings = args.settings
    findings = [*look_at_settings(settings), *look_at_terminal()]
    reached, found = asyncio.run(_look_at_server(settings))
    findings += found
    if args.json:
        print_json(findings)
    else:
        _print(findings)
    if not reached:
        return ExitStatus.UNREACHABLE
    return ExitStatus.TROUBLE if any(finding.level is Level.TROUBLE for finding in findings) else ExitStatus.DONE


async def _look_at_server(settings: Settings) -> tuple[bool, list[Finding]]:
    """Whether the server was reached, and what was found; the embedded one is started for it if it does not run."""
    findings: list[Finding] = []
    try:
        async with AsyncExitStack() as stack:
            url = settings.url
            if url is None:
                findings += look_at_disk(settings)
                began = time.perf_counter()
                server = await stack.enter_async_context(embedded(data_dir=settings.data_dir))
                url = server.url
                findings.append(ok("embedded", f"ready after {1000 * (time.perf_counter() - began):.0f} ms"))
                findings += [note("embedded", text) for text in server.notes]
                if words := server.worker_trouble():
                    findings.append(trouble("worker", clean(words), f"See {server.logs / 'worker.log'}."))
            connection = await stack.enter_async_context(await open_connection(url, client_name="quarterdeck-doctor"))
            findings += await look_at(connection)
            findings += await _look_at_service(connection, settings)
    except UnreachableError as error:
        findings.append(trouble("connection", clean(error.message), clean(error.cure)))
        return False, findings
    return True, findings


async def _look_at_service(connection: Connection, settings: Settings) -> list[Finding]:
    """Which queues there are, and whether deck workers, stock workers or none serve them."""
    discovery = Discovery(connection.client)
    await discovery.sweep()
    names = sorted(set(settings.queues) or discovery.queues)
    levels: dict[str, list[str]] = {"deck": [], "stock": [], "nobody": [], "broken": []}
    seconds, _ = await connection.client.time()
    for name in names[:MOST_QUEUES]:
        levels[await _served_by(connection, name, 1000 * seconds)].append(name)
    return list(_service(levels, len(names)))


async def _served_by(connection: Connection, queue: str, now_ms: int) -> str:
    """Who serves a queue, by the leases of deck workers and SAQ's registry (both hold when they end, in ms)."""
    keys = keys_of(queue)
    try:
        if await connection.client.zcount(keys.lease, now_ms, "+inf"):
            return "deck"
        return "stock" if await connection.client.zcount(keys.stats, now_ms, "+inf") else "nobody"
    except ResponseError:
        return "broken"


def _service(levels: dict[str, list[str]], count: int) -> Iterator[Finding]:
    if not count:
        yield note("queues", "No queue was found.", "Enqueue a job, start a worker, or name one with --queue.")
        return
    if levels["deck"]:
        yield ok("service", f"deck workers serve {_listed(levels['deck'])}")
    if levels["stock"]:
        yield note(
            "service",
            f"stock SAQ workers serve {_listed(levels['stock'])}: no pausing, no logs, no remote control.",
            "quarterdeck worker MODULE.SETTINGS runs the same settings with all of it; "
            "quarterdeck record keeps the history.",
        )
    if levels["nobody"]:
        yield note("service", f"no live worker serves {_listed(levels['nobody'])}", "quarterdeck worker TARGET.")
    if levels["broken"]:
        names = _listed(levels["broken"])
        yield trouble("service", f"keys of {names} are of a wrong type.", "Look at saq:QUEUE:stats with TYPE.")
    if count > MOST_QUEUES:
        yield note("queues", f"{count} queues; {MOST_QUEUES} were looked at.", "Name others with --queue.")


def _listed(names: list[str]) -> str:
    shown = ", ".join(clean(name) for name in names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.check) for finding in findings)
    for finding in findings:
        cure = f" — {finding.cure}" if finding.cure else ""
        print(f"{finding.level.value:8}{finding.check:{width}}  {clean(finding.message)}{cure}")
    count = sum(finding.level is Level.TROUBLE for finding in findings)
    print("No trouble found." if not count else f"Trouble: {count}.", file=sys.stderr)
