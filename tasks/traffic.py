"""The traffic that keeps the demo alive: orders, webhooks, mails and slow work, some of it bound to fail.

How much is on the server, in `qd:demo:traffic`: off, low, normal or high. The dashboard turns it up and down.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from quarterdeck import current_job
from quarterdeck.keys import TRAFFIC as LEVEL_KEY
from tasks.application import app
from tasks.mail import send_mail
from tasks.orders import forecast_demand, place_order, reserve_stock
from tasks.report import start_report
from tasks.webhook import deliver_webhook

JOBS = {"off": 0, "low": 1, "normal": 5, "high": 40}
"""Jobs each tick."""
TENANTS = ("acme", "birch", "corvid", "dunlin", "ember")
_chance = random.Random()  # noqa: S311 - nothing secret hangs on it


async def order() -> None:
    """An order; one in a hundred comes without its tenant, as many in a currency unknown here."""
    record = {"tenant_id": _chance.choice(TENANTS), "cents": _chance.randint(500, 90_000), "currency": "EUR"}
    luck = _chance.random()
    if luck < 0.01:
        del record["tenant_id"]
    elif luck < 0.02:
        record["currency"] = "XTS"
    else:
        record["currency"] = _chance.choice(["EUR", "EUR", "USD", "GBP", "CHF"])
    await place_order.enqueue(record)


async def webhook() -> None:
    """An event; a few are of a kind that the receiver has retired."""
    event = "order.legacy" if _chance.random() < 0.02 else "order.placed"
    await deliver_webhook.enqueue(event, {"tenant": _chance.choice(TENANTS), "number": _chance.randint(1, 10**6)})


async def mail() -> None:
    """A notification; a few go to people who have left."""
    tenant = _chance.choice(TENANTS)
    who = "nobody" if _chance.random() < 0.02 else "orders"
    await send_mail.enqueue(f"{who}@{tenant}.example", f"News for {tenant}", "Your order is on its way.")


async def stock() -> None:
    """A question to the supplier; one in fifty is so large that it times out."""
    units = _chance.randint(220, 400) if _chance.random() < 0.02 else _chance.randint(5, 120)
    await reserve_stock.enqueue(_chance.choice(TENANTS), units)


async def forecast() -> None:
    """A slow job."""
    await forecast_demand.enqueue(_chance.choice(TENANTS), round(_chance.uniform(1, 6), 1))


async def report() -> None:
    """A report of several steps, unless one is under way."""
    await start_report.options(key="report:now").enqueue(1)


KINDS: Sequence[tuple[Callable[[], Awaitable[None]], float]] = (
    (order, 40),
    (webhook, 25),
    (mail, 20),
    (stock, 10),
    (forecast, 4),
    (report, 1),
)


@app.schedule("*/3 * * * * *", name="demo_traffic", catch_up="none", description="Keeps the demo alive")
@app.task(timeout_s=10, ttl_s=60)
async def make_traffic() -> int:
    """Enqueue a handful of jobs, as many as the level says; how many."""
    raw: Any = await app.queue().redis.get(LEVEL_KEY)
    level = raw.decode() if raw else "normal"
    count = JOBS.get(level, JOBS["normal"])
    kinds, weights = zip(*KINDS, strict=True)
    for make in _chance.choices(kinds, weights, k=count):
        await make()
    current_job().log.debug("%d jobs at level %s", count, level)
    return count
