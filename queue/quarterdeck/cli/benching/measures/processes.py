"""Two processes against one, with jobs of 2 ms of CPU each. A machine needs more than two cores to show it well."""

from __future__ import annotations

from quarterdeck.cli.benching.bar import Row, ratios, row
from quarterdeck.cli.benching.contender import OURS
from quarterdeck.cli.benching.process import Contestant, ask
from quarterdeck.cli.benching.stage import Stage

JOBS = 1_500
BAR = 1.7


def _rate(stage: Stage, processes: int) -> float:
    jobs = stage.scaled(JOBS * processes)
    load = stage.load(jobs=jobs, function="burn", processes=processes, every=1)
    stage.server.flush()
    done: dict[int, int] = {}
    began: dict[int, tuple[float, int]] = {}
    with Contestant(OURS.module, "work", load) as worker:
        # Both must be up before they are timed: one job each is not enough, the first to start takes them all.
        ask(OURS.module, "fill", load)
        while sum(done.values()) < jobs:
            mark = worker.mark(lambda _: True)
            done[mark.pid] = mark.done
            if len(done) == processes and not began:
                began[0] = (mark.at_s, sum(done.values()))
    at_s, before = began[0]
    return (jobs - before) / (mark.at_s - at_s)


def measure(stage: Stage) -> list[Row]:
    """One, then two, in each round."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in stage.each_round("processes"):
        for processes, found in rates.items():
            found.append(_rate(stage, processes))
            stage.note("processes", OURS.name, processes=processes, jobs_s=found[-1])
    return [
        row("processes", "one process, 2 ms jobs", rates[1], "jobs/s"),
        row("processes", "two processes, 2 ms jobs", rates[2], "jobs/s"),
        row("processes", "two processes against one", ratios(rates[2], rates[1]), "×", at_least=BAR),
    ]
