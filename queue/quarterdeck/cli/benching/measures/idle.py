"""A worker that has nothing to do, at concurrency 1,000: its connections, its CPU, what it asks the server."""

from __future__ import annotations

import time
from collections import defaultdict

from quarterdeck.cli.benching.bar import Row, row
from quarterdeck.cli.benching.contender import OURS, STOCK, Contender
from quarterdeck.cli.benching.process import Contestant, ask
from quarterdeck.cli.benching.stage import Stage

CONCURRENCY = 1_000
SETTLE_S = 3.0
WATCH_S = 20.0


def _look(stage: Stage, contender: Contender) -> dict[str, float]:
    stage.server.flush()
    load = stage.load(jobs=1, concurrency=CONCURRENCY)
    with Contestant(contender.module, "work", load) as worker:
        ask(contender.module, "fill", load)
        worker.mark(lambda mark: mark.done >= 1)  # it is up
        time.sleep(SETTLE_S)  # the other connections come; nothing tells when the last one has
        watch_s = max(6.0, WATCH_S * stage.scale)
        with stage.server.listening() as heard:
            began_s, cpu_s = time.monotonic(), worker.cpu_s()
            time.sleep(watch_s)
            took_s, cpu_s = time.monotonic() - began_s, worker.cpu_s() - cpu_s
        found = {
            "connections": stage.server.sample().connections,
            "cpu_percent": 100 * cpu_s / took_s,
            "commands_s": len(heard) / took_s,
        }
    stage.note("idle", contender.name, **found)
    return found


def measure(stage: Stage) -> list[Row]:
    """Ours and stock SAQ's, twice at most: nothing here depends on speed."""
    seen: dict[str, list[dict[str, float]]] = defaultdict(list)
    for number in stage.each_round("idle"):
        for contender in (OURS, STOCK):
            seen[contender.name].append(_look(stage, contender))
        if number == 2:
            break
    rows = []
    for what, figure, unit, bar in (
        ("connections", "connections", "", 8),
        ("CPU", "cpu_percent", "%", 1),
        ("commands sent", "commands_s", "/s", 5),
    ):
        rows.append(row("idle", f"{what}, saq", [each[figure] for each in seen[STOCK.name]], unit))
        rows.append(row("idle", f"{what}, quarterdeck", [each[figure] for each in seen[OURS.name]], unit, at_most=bar))
    return rows
