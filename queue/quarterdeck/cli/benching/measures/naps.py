"""1,000 jobs that sleep a second, at concurrency 1,000: from the first one's start to the last one's end."""

from __future__ import annotations

from collections import defaultdict

from quarterdeck.cli.benching.bar import Row, row
from quarterdeck.cli.benching.contender import OURS, STOCK, Contender
from quarterdeck.cli.benching.process import Contestant, ask
from quarterdeck.cli.benching.stage import Stage

JOBS = 1_000


def _total_s(stage: Stage, contender: Contender) -> float:
    stage.server.flush()
    load = stage.load(jobs=JOBS, concurrency=JOBS, function="nap")
    ask(contender.module, "fill", load)
    with Contestant(contender.module, "work", load) as worker:
        first = worker.mark(lambda mark: mark.done == 0)
        last = worker.mark(lambda mark: mark.done >= JOBS)
    total_s = last.at_s - first.at_s
    stage.note("sleep", contender.name, total_s=total_s)
    return total_s


def measure(stage: Stage) -> list[Row]:
    """Ours and stock SAQ's in each round."""
    totals: dict[str, list[float]] = defaultdict(list)
    for _ in stage.each_round("sleep"):
        for contender in (OURS, STOCK):
            totals[contender.name].append(_total_s(stage, contender))
    return [
        row("sleep", "1,000 × sleep(1), saq", totals[STOCK.name], "s"),
        row("sleep", "1,000 × sleep(1), quarterdeck", totals[OURS.name], "s", at_most=1.1),
    ]
