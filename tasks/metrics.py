"""Every quarter of an hour the engine's counts of each minute become one line of metrics."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from quarterdeck import current_job
from quarterdeck.keys import keys_of
from tasks.application import app, folder

OUTCOMES = ("complete", "failed", "retried", "aborted")
KEPT_BYTES = 5_000_000


@app.schedule("*/15 * * * *", name="quarterly_metrics", description="Counts of the last 15 minutes, by function")
@app.task(timeout_s=60, expected_s=1)
async def aggregate_metrics(minutes: int = 15) -> dict[str, Any]:
    """Add up the last full `minutes` of all queues and append them to `metrics.jsonl`; the line."""
    now = int(time.time()) // 60
    line: dict[str, Any] = {"until": now * 60, "minutes": minutes, "queues": {}}
    for name in app.queues:
        redis, keys = app.queue(name).redis, keys_of(name)
        pipe = redis.pipeline(transaction=False)
        for minute in range(now - minutes, now):
            pipe.hgetall(keys.minute(minute))
        line["queues"][name] = added_up(await pipe.execute())
    path = folder() / "metrics.jsonl"
    if path.exists() and path.stat().st_size > KEPT_BYTES:
        path.replace(path.with_suffix(".old.jsonl"))
    with path.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
    for name, counts in line["queues"].items():
        current_job().log.info("%s: %s", name, counts["all"])
    return line


def added_up(minutes: list[dict[bytes, bytes]]) -> dict[str, Any]:
    """The counts of several minutes' hashes: enqueued, by outcome, and by function; mean durations in ms."""
    sums: Counter[tuple[str, str]] = Counter()
    for fields in minutes:
        for raw, value in fields.items():
            function, tab, what = raw.decode("utf-8", "replace").partition("\t")
            if value.isdigit():
                sums[(function, what) if tab else ("", function)] += int(value)
    functions: dict[str, dict[str, Any]] = {}
    for (function, what), count in sums.items():
        if function and what in OUTCOMES:
            functions.setdefault(function, {})[what] = count
    for function, counts in functions.items():
        ended = sum(counts.values())
        counts["mean_ms"] = round(sums[(function, "us")] / ended / 1000, 2)
    totals = {what: sum(each.get(what, 0) for each in functions.values()) for what in OUTCOMES}
    return {"all": {"in": sums[("", "in")], **totals}, "functions": functions}
