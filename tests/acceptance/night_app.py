"""The app of the acceptance tests. Every run of a job is a line in a file that no server and no worker can lose.

While the file ``outage`` stands in the directory of NIGHT_DIR, payments fail: how a test breaks and mends the world.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from quarterdeck import App, current_job

PLACE = Path(os.environ.get("NIGHT_DIR", "."))
OUTAGE = PLACE / "outage"
LEDGER = PLACE / "ledger"

app = App("night", queues=("default",), timeout_s=20)


def ask_the_payments(order: int) -> None:
    """The service that three functions need."""
    if OUTAGE.exists():
        raise ConnectionError(f"payments:443 refused order {order}")


def note(word: str, number: object) -> None:
    """One line, whole, whoever else writes at that moment."""
    fd = os.open(LEDGER, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        os.write(fd, f"{word} {number}\n".encode())
    finally:
        os.close(fd)


@app.task
async def charge(order: int) -> int:
    """Charge an order at the payment service."""
    note("charge", order)
    current_job().log.info("charging order %s", order)
    ask_the_payments(order)
    return order


@app.task
async def refund(order: int) -> None:
    """Give the money back."""
    note("refund", order)
    ask_the_payments(order)


@app.task
async def payout(order: int) -> None:
    """Hand the money on."""
    note("payout", order)
    ask_the_payments(order)


@app.task
def greet(name: str, times: int = 1) -> str:
    """Greet someone, several times."""
    note("greet", f"{name} {times}")
    return f"hello {name} " * times


@app.task
def shout(text: str) -> None:
    """Say it in the log, then fail with it."""
    current_job().log.warning("heard %s", text)
    raise ValueError(text)


@app.task
def deliver(to: str, login: dict, copies: int = 1) -> None:  # type: ignore[type-arg]  # a signature as people write it
    """Deliver to an address, with what is needed to log in."""
    if "@" not in to:
        raise ValueError("no address")
    note("deliver", f"{to} {login['user']} {login['password']} {copies}")


@app.task(timeout_s=None)
async def crawl(number: int, pause_s: float = 0.0) -> int:
    """A job that takes its time."""
    note("begin", number)
    await asyncio.sleep(pause_s)
    note("end", number)
    return number


@app.schedule("* * * * * *", ttl_s=60)
async def tick() -> None:
    """Each second."""
    note("tick", time.time_ns() // 1_000_000)
