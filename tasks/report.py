"""A report of several steps: figures, a page made of them, a mail that says where it is. Each step is a job."""

from __future__ import annotations

import html
import time
from datetime import UTC, datetime
from typing import Any

from quarterdeck import chain, current_job
from tasks import shop
from tasks.application import app, folder
from tasks.mail import send_mail


@app.schedule("30 7 * * mon-fri", name="morning_report", tz="Europe/Berlin", description="Yesterday's orders, by mail")
@app.task(queue="reports", unique="report:{hours}")
async def start_report(hours: float = 24) -> str:
    """Start the report on the last `hours`; the key of its last job."""
    steps = chain(collect_figures.step(hours), render_report.step(), announce_report.step())
    handle = await app.enqueue(steps)
    current_job().log.info("the report's jobs are %s", ", ".join(each.key for each in handle.handles))
    return handle.handles[-1].key


@app.task(queue="reports", timeout_s=60, expected_s=1)
def collect_figures(hours: float) -> dict[str, Any]:
    """Add up the orders of each tenant."""
    with shop.connect() as database:
        rows = shop.totals(database, hours)
    current_job().log.info("%d tenants ordered in the last %g hours", len(rows), hours)
    time.sleep(0.5)  # so that a person can see the steps go by
    tenants = [{"tenant": tenant, "orders": orders, "cents": cents} for tenant, orders, cents in rows]
    return {"hours": hours, "at": datetime.now(UTC).isoformat(timespec="seconds"), "tenants": tenants}


@app.task(queue="reports", timeout_s=60, expected_s=1)
def render_report(figures: dict[str, Any]) -> str:
    """Write the figures as a page of HTML; the file's name."""
    job = current_job()
    lines = []
    for number, row in enumerate(figures["tenants"], 1):
        cells = (html.escape(row["tenant"]), f"{row['orders']}", f"{row['cents'] / 100:,.2f}")
        lines.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        job.progress(number / len(figures["tenants"]))
    page = (
        "<!doctype html><meta charset=utf-8><title>Orders</title>"
        f"<h1>Orders of {figures['hours']:g} hours until {figures['at']}</h1>"
        f"<table><tr><th>Tenant<th>Orders<th>EUR</tr>{''.join(lines)}</table>\n"
    )
    name = f"orders-{figures['at'].replace(':', '')}.html"
    (folder("reports") / name).write_text(page, "utf-8")
    job.log.info("wrote %s with %d rows", name, len(lines))
    return name


@app.task(queue="reports", timeout_s=20)
async def announce_report(name: str) -> str:
    """Mail where the report is; the key of the mail's job."""
    handle = await send_mail.enqueue("team@quarterdeck.example", "The orders report", f"It is {name}.")
    return handle.key
