"""The walk of someone new: one command, keys alone, 80×24, no documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from operator_seat import Home, Seat, ledger, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for one test; whatever runs in it is ended."""
    path = tmp_path_factory.mktemp("w", numbered=True)
    yield path
    Home(path).end()


def test_the_demo_shows_jobs_failing_being_retried_and_a_schedule_firing(place: Path) -> None:
    with Seat(place) as seat:
        seat.see("QUEUE", "WORKER", "SCHEDULE", "FAILURES")
        seat.see_re(r"demo_traffic .* ✓")  # a schedule fires on screen
        seat.see_re(r"default +\d+ .*\d\.\d")  # jobs complete
        seat.keys("8")
        seat.see_re(r"place_order +\d+")
        seat.keys("q")
        seat.see("QUEUE", "WORKER", "SCHEDULE")
        seat.keys("q")
        seat.see("Quit")
        seat.keys("tab", "enter")
        assert seat.wait_exit() == 0


def test_enqueue_a_job_find_a_failure_retry_it_pause_and_resume_a_schedule(place: Path) -> None:
    (place / "outage").touch()
    with Seat(place, "--app", "night_app:app") as seat:
        seat.see("0/10")

        # A job by `e`: the function completes, what does not fit is said where it is.
        seat.keys("e")
        seat.see("Enqueue a job")
        seat.keys("gre", "enter")
        seat.see("times")
        seat.keys("ada", "enter", "many", "enter", "enter", "enter", "enter")
        seat.see("times", "int")
        assert not ledger(place, "greet")
        seat.keys("ctrl-u", "2")
        for _ in range(4):
            seat.keys("tab")
        seat.keys("enter")
        seat.see("Enqueued")
        until(lambda: ledger(place, "greet") == ["ada 2"])
        seat.keys(":", "jobs complete fn:greet", "enter")
        seat.see_re(r"complete +greet")
        seat.keys("enter")
        seat.see("hello ada hello ada")

        # A failed one: group, job, traceback, log, retry.
        seat.keys(":", "enqueue charge order=7", "enter")
        seat.see("Enqueue a job")
        seat.keys("enter", "enter", "enter", "enter")
        seat.lose("Enqueue a job")
        until(lambda: ledger(place, "charge") == ["7"])
        seat.keys("4")
        seat.under_cursor("charge")
        seat.see("ConnectionError: payments:443 ref")
        seat.keys("enter")
        seat.at("group charge")
        seat.under_cursor("1/1")
        seat.keys("enter")
        seat.see("ConnectionError: payments:443 refused order 7", "night_app.py", "in charge")
        seat.keys("l")
        seat.see("charging order 7")
        seat.keys("esc")
        seat.at("failed")
        (place / "outage").unlink()
        seat.keys("r")
        seat.see("Retried")
        until(lambda: ledger(place, "charge") == ["7", "7"])
        seat.at("complete")

        # A schedule paused does not fire; resumed it does.
        seat.keys("5")
        seat.under_cursor("tick")
        seat.keys("s")
        seat.see("for how long")
        seat.keys("enter", "no, too loud", "enter", "enter")
        seat.see_re(r"tick .*paused")
        fired = len(ledger(place, "tick"))
        seat.keys("enter")
        seat.see(": no, too loud", "skipped")
        seat.keys("esc")
        seat.settle(2.5, 4.0)
        assert len(ledger(place, "tick")) <= fired + 1  # one may have been under way
        seat.keys("s")
        fired = len(ledger(place, "tick"))
        until(lambda: len(ledger(place, "tick")) > fired)
        assert seat.quit() == 0
    Home(place).gone()
