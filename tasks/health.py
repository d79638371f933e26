"""Is everything that the demo needs in good health? Asked every hour, and whenever somebody runs it."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from datetime import UTC, datetime
from typing import Any

from quarterdeck import current_job
from tasks import shop
from tasks.application import app, folder
from tasks.mail import sink
from tasks.neighbours import HOST, Neighbour
from tasks.receiver import receiver

LOW_DISK_BYTES = 200_000_000


class UnhealthyError(Exception):
    """Something that the demo needs is not well."""


@app.schedule("0 * * * *", name="hourly_health_check", description="Server, disk, database, receiver, mail sink")
@app.task(timeout_s=30, expected_s=0.5)
async def check_health() -> dict[str, Any]:
    """Look at the queue's server, the disk, the database and the neighbours; what was found.

    Raises UnhealthyError that names all that is not well. The findings are kept in `health.json` either way.
    """
    log = current_job().log
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "server_ms": await _server_ms(),
        "disk_free_bytes": shutil.disk_usage(folder()).free,
        "orders": await asyncio.to_thread(_orders),
        "receiver": await _answers(receiver),
        "mail_sink": await _answers(sink),
    }
    (folder() / "health.json").write_text(json.dumps(found, indent=1), "utf-8")
    troubles = [name for name in ("receiver", "mail_sink") if not found[name]]
    if found["disk_free_bytes"] < LOW_DISK_BYTES:
        troubles.append("disk_free_bytes")
    for name, value in found.items():
        log.info("%s: %s", name, value)
    if troubles:
        raise UnhealthyError(f"not well: {', '.join(troubles)}")
    return found


async def _server_ms() -> float:
    started = time.perf_counter()
    await app.queue().redis.ping()
    return round((time.perf_counter() - started) * 1000, 2)


def _orders() -> int:
    with shop.connect() as database:
        return int(database.execute("SELECT count(*) FROM orders").fetchone()[0])


async def _answers(neighbour: Neighbour) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(HOST, neighbour.port()), 2)
    except OSError:  # refused, or too late
        return False
    writer.close()
    await writer.wait_closed()
    return True
