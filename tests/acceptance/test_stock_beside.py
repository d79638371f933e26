"""A stock SAQ worker beside it, untouched: its jobs are shown and retried, its cron is paused and resumed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from operator_seat import HERE, Seat, Worker, command, ledger, until

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import StartValkey

pytestmark = pytest.mark.slow


def test_a_stock_deployment_is_shown_and_served_from_the_dashboard(tmp_path: Path, start_valkey: StartValkey) -> None:
    url = start_valkey().url
    (tmp_path / "outage").touch()
    with (
        Worker([sys.executable, str(HERE / "stock_worker.py"), url], tmp_path),
        Seat(tmp_path, "--url", url) as seat,
    ):
        until(lambda: ledger(tmp_path, "sweep"))
        seat.see("parcels", "sweep_floor")  # between two of its jobs nothing tells of a stock cron
        enqueued = command(tmp_path, "enqueue", "ship", "parcel=7", "--queue", "parcels", "--url", url)
        assert enqueued.returncode == 0, enqueued.stderr
        until(lambda: ledger(tmp_path, "ship"))

        # A job of a stock worker fails, is shown with its traceback, and is retried.
        seat.keys("4")
        seat.under_cursor("ship")
        seat.keys("enter")
        seat.at("group ship")
        seat.under_cursor("1/1")
        seat.keys("enter")
        seat.see("ConnectionError: carrier:443 refused parcel 7", "stock_worker.py", "in ship")
        (tmp_path / "outage").unlink()
        seat.keys("r")
        until(lambda: ledger(tmp_path, "ship") == ["7", "7"])
        seat.at("complete")

        # Its cron is paused by SAQ's own marker, and resumed.
        seat.keys("5")
        seat.under_cursor("sweep_floor")
        seat.keys("s")
        seat.see("for how long")
        seat.keys("enter", "quiet, please", "enter", "enter")
        seat.see_re(r"sweep_floor .*paused")
        fired = len(ledger(tmp_path, "sweep"))
        seat.settle(2.5, 4.0)
        assert len(ledger(tmp_path, "sweep")) <= fired + 1  # one may have been under way
        fired = len(ledger(tmp_path, "sweep"))
        seat.keys("s")
        until(lambda: len(ledger(tmp_path, "sweep")) > fired)
        seat.lose("paused")

        # What stock workers can't do is said, not pretended.
        seat.keys("2")
        seat.under_cursor("parcels")
        seat.keys("s")
        seat.see("stock SAQ")
        assert seat.quit() == 0
