"""Enqueuing: one by one, 100 at a time with gather, and in bulk (which stock SAQ has not: against its gather)."""

from __future__ import annotations

from collections import defaultdict

from quarterdeck.cli.benching.bar import Row, ratios, row
from quarterdeck.cli.benching.contender import OURS, STOCK, Contender
from quarterdeck.cli.benching.process import ask
from quarterdeck.cli.benching.stage import Stage

JOBS = {
    (OURS.name, "one"): 8_000,
    (OURS.name, "gather"): 15_000,
    (OURS.name, "bulk"): 40_000,
    (STOCK.name, "one"): 3_000,
    (STOCK.name, "gather"): 4_000,
    ("ardiq", "one"): 4_000,
    ("ardiq", "bulk"): 40_000,
}
BARS = {"one": 1.8, "gather": 2.3, "bulk": 5.0}
WORDS = {"one": "one by one", "gather": "gather(100)", "bulk": "in bulk"}


def measure(stage: Stage) -> list[Row]:
    """Everybody in each round."""
    contenders: list[Contender] = [OURS, STOCK, *(peer for peer in stage.peers if peer.name == "ardiq")]
    rates: dict[tuple[str, str], list[float]] = defaultdict(list)
    for _ in stage.each_round("enqueue"):
        for mode in BARS:
            for contender in contenders:
                jobs = JOBS.get((contender.name, mode))
                if jobs is None:
                    continue
                stage.server.flush()
                load = stage.load(jobs=stage.scaled(jobs, 1000) // 100 * 100, mode=mode)
                rate = float(ask(contender.module, "enqueue", load))
                rates[contender.name, mode].append(rate)
                stage.note("enqueue", contender.name, mode=mode, jobs_s=rate)
    rows = []
    for mode, bar in BARS.items():
        rows += [
            row("enqueue", f"{each.name}, {WORDS[mode]}", rates[each.name, mode], "jobs/s")
            for each in contenders
            if rates[each.name, mode]
        ]
        against = "gather" if mode == "bulk" else mode
        within = ratios(rates[OURS.name, mode], rates[STOCK.name, against])
        rows.append(row("enqueue", f"{WORDS[mode]} against saq's {WORDS[against]}", within, "×", at_least=bar))
    return rows
