"""The night at 03:10, over a phone's hotspot: from the page to the cause to the cure, at 80×24, keys alone."""

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

FAILED = 300


async def enqueue(url: str) -> None:
    queue = Queue.from_url(url, name="default")
    try:
        await asyncio.gather(*(queue.enqueue("charge", order=order) for order in range(FAILED)))
    finally:
        await queue.disconnect()


def test_the_night(tmp_path: Path, start_valkey: StartValkey) -> None:
    url = start_valkey().url
    (tmp_path / "outage").touch()
    with deck_worker(url, tmp_path):
        asyncio.run(enqueue(url))
        until(lambda: len(ledger(tmp_path, "charge")) == FAILED)
        line = {"bytes_per_s": 10_000, "rtt_s": 0.15}
        with Seat(tmp_path, "--url", url, size=(80, 24), environ={"SSH_CONNECTION": "::1 1 ::1 22"}, **line) as seat:
            # The page: what is wrong, how much, what is it.
            seat.see("failing since", "charge", "ConnectionError")

            # Verdict → group → job → log.
            seat.keys("4")
            seat.under_cursor("charge")
            seat.see("300")
            seat.keys("enter")
            seat.at("group charge")
            seat.see("300 failed", "night_app.py")
            seat.under_cursor("1/1")
            seat.keys("enter")
            seat.see("payments:443 refused order", "in charge")
            seat.keys("l")
            seat.see("charging order")
            seat.keys("esc")
            seat.at("job charge")
            seat.keys("esc")
            seat.at("group charge")
            seat.keys("esc")
            seat.at("failures")

            # A canary, too early: one job fails again, and it stops by itself.
            ask_for_retry(seat)
            seat.keys("tab", "tab", "tab")
            seat.see("[Canary first]")
            seat.keys("enter")
            seat.lose("Canary first")
            seat.keys(":", "bulks", "enter")
            seat.see("tripped", "the canary failed")
            assert len(ledger(tmp_path, "charge")) == FAILED + 1

            # The payment service is back: another canary goes well and is let run into its stride; the rest at once.
            (tmp_path / "outage").unlink()
            seat.keys("4")
            seat.at("failures")
            seat.under_cursor("charge")
            seat.see("300")
            ask_for_retry(seat)
            seat.keys("tab", "tab", "tab")
            seat.see("[Canary first]")
            seat.keys("enter")
            seat.lose("Canary first")
            seat.keys(":", "bulks", "enter")
            seat.see_re(r"running +[^\n]*a second|\b[1-9]/300")
            seat.keys("x")
            seat.see("stopped")
            seat.keys("4")
            seat.at("failures")
            seat.see_re(r"charge +(29\d|2[0-8]\d)")
            seat.keys("r")
            seat.see("per second", "type ")
            count = seat.see_re(r"type (\d+) to go on")[1]
            seat.keys("backtab", count, "enter", "tab")
            seat.see_re(r"\[Retry \d+\]")
            seat.keys("enter")
            seat.see("nothing has failed")
            until(lambda: len(set(ledger(tmp_path, "charge"))) == FAILED)

            # What makes it worse sleeps for an hour, with a name and a reason on it.
            seat.keys("5")
            seat.under_cursor("tick")
            seat.keys("s")
            seat.see("for how long", "1h")
            seat.keys("enter", "hammers the payments", "enter", "enter")
            seat.see_re(r"tick .*paused")

            # The note for the morning.
            seat.keys(":", f"incident {tmp_path}/night.md", "enter")
            seat.see("Wrote night.md")
            assert seat.quit() == 0
    runs = Counter(ledger(tmp_path, "charge"))
    assert sum(runs.values()) == 2 * FAILED + 1, "each job again once, and the canary's failure"
    assert sorted(runs.values()) == [2] * (FAILED - 1) + [3]
    note = (tmp_path / "night.md").read_text()
    for words in (
        "## Queues",
        "charge",
        "pause",
        "hammers the payments",
        "canary",
        "--pace canary",
        "schedules pause tick",
    ):
        assert words in note, f"{words} is not in the note:\n{note}"


def ask_for_retry(seat: Seat) -> None:
    """Open the card on the group under the cursor and type its count; the focus ends on Cancel."""
    seat.keys("r")
    count = seat.see_re(r"type (\d+) to go on")[1]
    seat.see("per second", "Canary first")
    seat.keys("backtab", count, "enter")
    seat.see("[Cancel]")
