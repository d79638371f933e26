"""What a finished job costs in the server's memory.

The jobs keep no result, so that what the server holds more than before is the history, the counts and nothing else.
"""

from __future__ import annotations

import time

from quarterdeck.cli.benching.bar import Row, row
from quarterdeck.cli.benching.contender import OURS
from quarterdeck.cli.benching.process import BenchError, Contestant, ask
from quarterdeck.cli.benching.stage import Stage

JOBS = 40_000
PATIENCE_S = 10.0


def _bytes(stage: Stage) -> float:
    jobs = stage.scaled(JOBS, 5000)
    client = stage.server.client
    load = stage.load(jobs=jobs, concurrency=100, keep=False)
    stage.server.flush()
    before = stage.server.sample().memory
    ask(OURS.module, "fill", load)
    with Contestant(OURS.module, "work", load) as worker:
        worker.mark(lambda mark: mark.done >= jobs)
        end_s = time.monotonic() + PATIENCE_S
        while client.xlen("qd:history:bench") < jobs or client.zcard("saq:bench:incomplete"):
            if time.monotonic() > end_s:
                raise BenchError(f"The history holds {client.xlen('qd:history:bench')} of {jobs} jobs.")
            time.sleep(0.02)
    client.memory_purge()
    after = stage.server.sample().memory
    stage.note("memory", OURS.name, jobs=jobs, bytes=(after - before) / jobs)
    return (after - before) / jobs


def measure(stage: Stage) -> list[Row]:
    """Once: it does not depend on speed."""
    for _ in stage.each_round("memory"):
        found = _bytes(stage)
        break
    return [row("memory", "server memory a finished job in the history", [found], "bytes", at_most=300)]
