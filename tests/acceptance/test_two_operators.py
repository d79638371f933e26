"""Two dashboards act on the same 1,000 failed jobs at the same moment: each job is retried exactly once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from operator_seat import Seat, command, deck_worker, ledger, until

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


@pytest.mark.parametrize("pace", ["at once", "paced"])
def test_each_job_is_retried_exactly_once(tmp_path: Path, start_valkey: StartValkey, pace: str) -> None:
    url = start_valkey().url
    (tmp_path / "outage").touch()
    with deck_worker(url, tmp_path):
        asyncio.run(enqueue(url))
        until(lambda: len(ledger(tmp_path, "charge")) == JOBS)
        people = [Seat(tmp_path, "--url", url, environ={"QUARTERDECK_USER": who}) for who in ("ann", "bob")]
        with people[0] as ann, people[1] as bob:
            for seat in (ann, bob):
                seat.see("charge", "ConnectionError")
                seat.keys("4")
                seat.under_cursor("1,000")
                seat.keys("r")
                seat.see("Retry 1,000")
                if pace == "paced":  # what goes on for four seconds is under way together, however busy the machine
                    seat.keys("backtab", "backtab", "ctrl-u", "250", "enter", "1,000", "enter", "tab", "tab")
                    seat.see_re("per second +250")
                    seat.see("[Paced]")
                else:
                    seat.keys("backtab", "1,000", "enter", "tab")
                    seat.see("[Retry 1,000]")
            (tmp_path / "outage").unlink()
            for seat in (ann, bob):
                seat.keys("enter")
            until(lambda: len(ledger(tmp_path, "charge")) >= 2 * JOBS)
            for seat in (ann, bob):
                seat.see("nothing has failed")
            acts = until(lambda: ended_acts(tmp_path, url))
            # What either did stands in the audit, before both.
            for seat in (ann, bob):
                seat.keys("9")
                seat.at("audit")
                for act in acts:
                    seat.see_re(rf"{act['owner']} +bulk-retry")
                assert seat.quit() == 0
    runs = Counter(int(order) for order in ledger(tmp_path, "charge"))
    assert runs == Counter(dict.fromkeys(range(JOBS), 2))
    # Who came too late to a job has it among the skipped; who came too late to all of them was told so.
    assert sum(act["done"] for act in acts) == JOBS
    assert all(act["failed"] == 0 and act["state"] == "done" for act in acts)
    assert {act["owner"] for act in acts} == {"ann", "bob"} or (pace == "at once" and len(acts) == 1)


def ended_acts(place: Path, url: str) -> list[dict[str, Any]]:
    """The bulk operations, once all are through."""
    done = command(place, "bulk", "list", "--json", "--url", url)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return [] if any(row["state"] in {"waiting", "running"} for row in rows) else rows
