"""The demo's database: the orders of a small shop, in SQLite."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tasks.application import folder

KEPT_ORDERS = 50_000
_TABLES = """
CREATE TABLE IF NOT EXISTS orders (
    number INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    cents INTEGER NOT NULL CHECK (cents > 0),
    currency TEXT NOT NULL,
    placed_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS orders_by_time ON orders (placed_at);
"""


def path() -> Path:
    """Where the database is."""
    return folder() / "shop.sqlite3"


@contextmanager
def connect(database: Path | None = None) -> Iterator[sqlite3.Connection]:
    """The open database, committed at the end, rolled back when something raises, closed either way."""
    connection = sqlite3.connect(database or path(), timeout=10)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(_TABLES)
        with connection:
            yield connection
    finally:
        connection.close()


def trim(connection: sqlite3.Connection) -> int:
    """Drop all but the newest orders, so that the demo can run for months; how many went."""
    newest = connection.execute("SELECT max(number) FROM orders").fetchone()[0] or 0
    return connection.execute("DELETE FROM orders WHERE number <= ?", (newest - KEPT_ORDERS,)).rowcount


def totals(connection: sqlite3.Connection, hours: float) -> list[tuple[str, int, int]]:
    """Tenant, number of orders and their sum in cents over the last `hours`, the largest first."""
    question = (
        "SELECT tenant, count(*), sum(cents) FROM orders WHERE placed_at >= ? GROUP BY tenant ORDER BY 3 DESC, tenant"
    )
    return connection.execute(question, (time.time() - hours * 3600,)).fetchall()
