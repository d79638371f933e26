"""No-op jobs: how fast, at what cost in CPU on both sides, in how many round trips.

The queue is filled first, then the worker starts. It is timed from the first job's end to the last one's; the
server's counters are read at the same two moments, so that neither filling nor starting counts.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from quarterdeck.cli.benching.bar import Row, ratios, row
from quarterdeck.cli.benching.contender import OURS, STOCK, Contender
from quarterdeck.cli.benching.process import BenchError, Contestant, ask
from quarterdeck.cli.benching.stage import Stage

CONCURRENCIES = (10, 100)
BAR_STOCK = {10: 12.0, 100: 15.0}
BAR_ARDIQ, BAR_PURE = 2.0, 5.0


class Run(NamedTuple):
    """What one run showed."""

    jobs_s: float
    worker_us: float
    server_us: float
    commands: float
    reads: float


def run(stage: Stage, contender: Contender, concurrency: int) -> Run:
    """Fill, work, look."""
    jobs = stage.scaled(contender.jobs)
    load = stage.load(jobs=jobs, concurrency=concurrency)
    stage.server.flush()
    ask(contender.module, "fill", load)
    with Contestant(contender.module, "work", load) as worker:
        first = worker.mark(lambda mark: mark.done >= 1)
        before = stage.server.sample()
        last = worker.mark(lambda mark: mark.done >= jobs)
        after = stage.server.sample()
    count = last.done - first.done
    found = Run(
        jobs_s=count / (last.at_s - first.at_s),
        worker_us=1e6 * (last.cpu_s - first.cpu_s) / count,
        server_us=1e6 * (after.cpu_s - before.cpu_s) / count,
        commands=(after.commands - before.commands) / count,
        reads=(after.reads - before.reads) / count,
    )
    stage.note("noop", contender.name, concurrency=concurrency, jobs=jobs, **found._asdict())
    return found


def measure(stage: Stage) -> list[Row]:
    """All contenders, one after the other in each round, at both concurrencies."""
    runs: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for _ in stage.each_round("noop"):
        for concurrency in CONCURRENCIES:
            for contender in (OURS, STOCK, *stage.peers):
                if contender.threads and concurrency > CONCURRENCIES[0]:
                    continue
                try:
                    found = run(stage, contender, concurrency)
                except BenchError as error:
                    if contender in (OURS, STOCK):
                        raise
                    stage.drop(contender, error)
                else:
                    runs[contender.name, concurrency].append(found)
    rows = []
    for concurrency in CONCURRENCIES:
        rows += _speed(stage, runs, concurrency)
    for concurrency in CONCURRENCIES:
        rows += _cost(runs, concurrency)
    return rows


def _speeds(runs: dict[tuple[str, int], list[Run]], name: str, concurrency: int) -> list[float]:
    return [each.jobs_s for each in runs[name, concurrency]]


def _speed(stage: Stage, runs: dict[tuple[str, int], list[Run]], concurrency: int) -> list[Row]:
    at = f"concurrency {concurrency}"
    ours, stock = (_speeds(runs, each.name, concurrency) for each in (OURS, STOCK))
    rows = [
        row("noop", f"quarterdeck, {at}", ours, "jobs/s"),
        row("noop", f"saq, {at}", stock, "jobs/s"),
        row("noop", f"against saq, {at}", ratios(ours, stock), "×", at_least=BAR_STOCK[concurrency]),
    ]
    for peer in stage.peers:
        speeds = _speeds(runs, peer.name, concurrency)
        if not speeds:
            continue
        rows.append(row("noop", f"{peer.name}, {at}", speeds, "jobs/s"))
        bar = BAR_PURE if peer.pure else BAR_ARDIQ
        rows.append(row("noop", f"against {peer.name}, {at}", ratios(ours, speeds), "×", at_least=bar))
    return rows


def _cost(runs: dict[tuple[str, int], list[Run]], concurrency: int) -> list[Row]:
    at = f"concurrency {concurrency}"
    ours, stock = runs[OURS.name, concurrency], runs[STOCK.name, concurrency]
    rows = []
    for side, bar in (("worker", 1 / 10), ("server", 1 / 1.5)):
        mine, theirs = ([getattr(each, f"{side}_us") for each in which] for which in (ours, stock))
        rows += [
            row("noop", f"{side} CPU a job, quarterdeck, {at}", mine, "µs"),
            row("noop", f"{side} CPU a job, saq, {at}", theirs, "µs"),
            row("noop", f"{side} CPU against saq, {at}", ratios(mine, theirs), "×", at_most=round(bar, 3)),
        ]
    trips = [each.reads for each in ours]
    rows.append(row("noop", f"round trips a job, {at}", trips, "reads", at_most=0.2))
    rows.append(row("noop", f"round trips a job, saq, {at}", [each.reads for each in stock], "reads"))
    rows.append(row("noop", f"commands a job, in scripts too, {at}", [each.commands for each in ours], "commands"))
    return rows
