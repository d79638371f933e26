"""Orders of the demo's shop: plain functions, which run in threads; some of what they are fed is wrong."""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from quarterdeck import current_job
from tasks import shop
from tasks.application import app

RATES = {"EUR": 1.0, "USD": 1.08, "GBP": 0.85, "CHF": 0.94}


@app.task(retries=2, retry_delay_s=1, timeout_s=10, expected_s=0.1)
def place_order(record: dict[str, Any]) -> int:
    """Store one order in the shop's database and return its number."""
    cents = in_euro_cents(record["cents"], record["currency"])
    with shop.connect() as database:
        cursor = database.execute(
            "INSERT INTO orders (tenant, cents, currency, placed_at) VALUES (?, ?, ?, ?)",
            (record["tenant_id"], cents, record["currency"], time.time()),
        )
    number = cursor.lastrowid or 0
    current_job().log.info("order %d of %s over %.2f EUR", number, record["tenant_id"], cents / 100)
    return number


def in_euro_cents(cents: int, currency: str) -> int:
    """An amount in euro cents. Raises ValueError for a currency without a rate."""
    if currency not in RATES:
        raise ValueError(f"no exchange rate for {currency}")
    return round(cents / RATES[currency])


@app.task(timeout_s=20, expected_s=2)
def forecast_demand(tenant: str, seconds: float) -> float:
    """A slow one: smooth the tenant's orders over and over, for about `seconds`; a forecast in cents an hour."""
    job = current_job()
    with shop.connect() as database:
        rows = database.execute("SELECT cents FROM orders WHERE tenant = ? ORDER BY number", (tenant,)).fetchall()
    values = [row[0] for row in rows] or [0]
    started = time.monotonic()
    level, rounds = float(values[0]), 0
    while (spent := time.monotonic() - started) < seconds:
        alpha = 0.1 + 0.8 * abs(math.sin(rounds))
        for value in values[-2_000:]:
            level += alpha * (value - level)
        rounds += 1
        job.progress(spent / seconds)
        time.sleep(0.05)  # half of the time elsewhere: the demo shares its machine
    job.log.info("forecast of %s after %d rounds: %.0f", tenant, rounds, level)
    return level


@app.task(timeout_s=2, expected_s=1)
async def reserve_stock(tenant: str, units: int) -> int:
    """Ask a supplier that is slow with large orders: above some 200 units the time-out of 2 s comes first."""
    current_job().log.info("asking for %d units for %s", units, tenant)
    await asyncio.sleep(units / 100)
    return units
