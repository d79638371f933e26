"""From enqueue to the result in hand, one at a time, with an idle worker; and the library's `apply()`."""

from __future__ import annotations

import statistics
from collections import defaultdict

from quarterdeck.cli.benching.bar import Row, ratios, row
from quarterdeck.cli.benching.contender import OURS, STOCK, Contender
from quarterdeck.cli.benching.process import Contestant, ask
from quarterdeck.cli.benching.stage import Stage

JOBS = 500
APPLIED = {OURS.name: 100, STOCK.name: 3}
"""Stock SAQ's takes a second each."""


def _times(stage: Stage, contender: Contender, jobs: int, mode: str) -> list[float]:
    load = stage.load(jobs=jobs, mode=mode)
    stage.server.flush()
    with Contestant(contender.module, "work", stage.load(jobs=1)) as worker:
        ask(contender.module, "fill", stage.load(jobs=1))
        worker.mark(lambda mark: mark.done >= 1)  # it is up
        times = sorted(float(each) for each in ask(contender.module, "roundtrip", load))
    stage.note("roundtrip", contender.name, mode=mode, p50_ms=times[len(times) // 2], p99_ms=_p99(times))
    return times


def _p99(times: list[float]) -> float:
    return times[min(len(times) - 1, int(len(times) * 0.99))]


def measure(stage: Stage) -> list[Row]:
    """Everybody in each round."""
    contenders = [OURS, STOCK, *(peer for peer in stage.peers if peer.name == "ardiq")]
    p50: dict[str, list[float]] = defaultdict(list)
    p99: dict[str, list[float]] = defaultdict(list)
    applied: dict[str, list[float]] = defaultdict(list)
    for _ in stage.each_round("roundtrip"):
        for contender in contenders:
            times = _times(stage, contender, stage.scaled(JOBS, 200), "one")
            p50[contender.name].append(statistics.median(times))
            p99[contender.name].append(_p99(times))
            if contender.name in APPLIED:
                times = _times(stage, contender, APPLIED[contender.name], "apply")
                applied[contender.name].append(statistics.median(times))
    rows = []
    for contender in contenders:
        rows.append(row("roundtrip", f"{contender.name}, p50", p50[contender.name], "ms"))
        rows.append(row("roundtrip", f"{contender.name}, p99", p99[contender.name], "ms"))
    return [
        *rows,
        row("roundtrip", "p50 against saq", ratios(p50[OURS.name], p50[STOCK.name]), "×", at_most=0.5),
        row("roundtrip", "p99 against saq", ratios(p99[OURS.name], p99[STOCK.name]), "×", at_most=0.6),
        row("roundtrip", "apply(), saq", applied[STOCK.name], "ms"),
        row("roundtrip", "apply(), quarterdeck", applied[OURS.name], "ms", at_most=5.0),
    ]
