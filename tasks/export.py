"""The run history as files that a spreadsheet and a program can read."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from quarterdeck import current_job
from quarterdeck.keys import keys_of
from quarterdeck.record.entry import HistoryEntry, decode_history
from tasks.application import app, folder

PAGE = 1_000
COLUMNS = ("queue", *HistoryEntry.__struct_fields__)


@app.schedule("5 * * * *", name="hourly_export", args={"limit": 20_000}, description="The run history as CSV and JSON")
@app.task(queue="reports", timeout_s=120, retries=2, expected_s=3)
async def export_history(limit: int = 10_000) -> dict[str, Any]:
    """Write the newest `limit` runs of each queue to a CSV and a JSON file; their names and the number of rows."""
    log = current_job().log
    rows: list[dict[str, Any]] = []
    for at, name in enumerate(app.queues):
        rows += [{"queue": name, **msgspec.structs.asdict(run)} for run in await runs(name, limit)]
        current_job().progress((at + 1) / (len(app.queues) + 1))
        log.info("read the history of %s, %d rows so far", name, len(rows))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    files = [folder("exports") / f"runs-{stamp}.{kind}" for kind in ("csv", "json")]
    write_csv(files[0], rows)
    files[1].write_text(json.dumps(rows, indent=1), "utf-8")
    return {"files": [each.name for each in files], "rows": len(rows)}


async def runs(queue: str, limit: int) -> list[HistoryEntry]:
    """The newest runs of a queue, the newest first."""
    found: list[HistoryEntry] = []
    redis: Any = app.queue(queue).redis  # redis-py's types serve clients with and without asyncio at once
    newest = "+"
    while len(found) < limit:
        page = await redis.xrevrange(keys_of(queue).history, max=newest, count=PAGE)
        found += [run for _, fields in page if (run := decode_history(fields.get(b"r", b"")))]
        if len(page) < PAGE:
            break
        newest = f"({page[-1][0].decode()}"
    return found[:limit]


def write_csv(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows with a header; what spreadsheets would take for a formula is made text."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _plain(value) for name, value in row.items()})


def _plain(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@"} else value
