"""Two dashboards act on the same 1,000 failed jobs at the same moment: each job is retried exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from operator_seat import Seat, deck_worker, ledger, until

from quarterdeck.broker.queue import Queue

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import StartValkey

pytestmark = pytest.mark.slow

JOBS = 1_000


async def enqueue(url: str) -> None:
    queue = Queue.from_url(url, name="default")
    try:
        await asyncio.gather(*(queue.enqueue("charge", order=order) for order in range(JOBS)))
    finally:
        await queue.disconnect()


def test_each_job_is_retried_exactly_once(tmp_path: Path, start_valkey: StartValkey) -> None:
    url = start_valkey().url
    (tmp_path / "outage").touch()
    with deck_worker(url, tmp_path):
        asyncio.run(enqueue(url))
        until(lambda: len(ledger(tmp_path, "charge")) == JOBS)
        with Seat(tmp_path, "--url", url) as ann, Seat(tmp_path, "--url", url) as bob:
            for seat in (ann, bob):
                seat.see("charge", "ConnectionError")
                seat.keys("4")
                seat.under_cursor("1,000")
                seat.keys("r")
                seat.see("Retry 1,000")
                seat.keys("backtab", "1,000", "enter", "tab")
                seat.see("[Retry 1,000]")
            (tmp_path / "outage").unlink()
            for seat in (ann, bob):
                seat.keys("enter")
            until(lambda: len(ledger(tmp_path, "charge")) >= 2 * JOBS)
            for seat in (ann, bob):
                seat.see("nothing has failed")
            # Who came second is told what was left for them; both acts are in the audit.
            for seat in (ann, bob):
                seat.keys("9")
                seat.see_re(r"(?s)retry.*\n.*retry")
            assert ann.quit() == 0
            assert bob.quit() == 0
    runs = Counter(int(order) for order in ledger(tmp_path, "charge"))
    assert runs == Counter(dict.fromkeys(range(JOBS), 2))
