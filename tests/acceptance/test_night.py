"""The night at 03:10, over a phone's hotspot: from the page to the cause to the cure, at 80×24, keys alone.

The line takes 10 KB a second and 150 ms there and back. A step is over when a person would see that it is; what it
did is asked of the server afterwards, by the commands that anyone else would use.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from operator_seat import Seat, command, deck_worker, ledger, until
from redis import Redis
from tmux_seat import TmuxSeat, tmux_is_here

from quarterdeck.broker.queue import Queue
from quarterdeck.keys import keys_of

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import StartValkey

pytestmark = pytest.mark.slow

CHARGES = 300
OTHERS = 4
"""Jobs of each of two other functions that need the same service."""
EVERY = CHARGES + 2 * OTHERS
LINE = {"size": (80, 24), "bytes_per_s": 10_000.0, "rtt_s": 0.15}
HOUR_MS = 3_600_000

IN_TMUX = pytest.param(TmuxSeat, id="tmux", marks=pytest.mark.skipif(not tmux_is_here(), reason="there is no tmux"))


@pytest.fixture
def url(tmp_path: Path, start_valkey: StartValkey) -> str:
    """A server that an environment of the user's settings calls `shop`."""
    url = start_valkey().url
    (tmp_path / "quarterdeck.toml").write_text(f'[env.shop]\nurl = "{url}"\n')
    return url


@pytest.mark.parametrize("terminal", [pytest.param(Seat, id="pty"), IN_TMUX])
def test_the_night(tmp_path: Path, url: str, terminal: type[Seat]) -> None:
    with deck_worker(url, tmp_path):
        break_the_payments(url, tmp_path)
        environ = {
            "SSH_CONNECTION": "::1 1 ::1 22",
            "QUARTERDECK_USER": "ann",
            "QUARTERDECK_SETTINGS": str(tmp_path / "quarterdeck.toml"),
        }
        with terminal(tmp_path, "--env", "shop", environ=environ, **LINE) as seat:
            see_the_page_and_walk_to_the_cause(seat)
            try_a_canary_too_early(seat, tmp_path)
            (tmp_path / "outage").unlink()
            let_a_canary_go_first(seat)
            retry_the_rest(seat, tmp_path, url)
            pause_what_makes_it_worse(seat)
            seat.keys(":", f"incident {tmp_path}/night.md", "enter")
            seat.see("Wrote night.md")
            assert seat.quit() == 0
        every_job_went_well_once(tmp_path)
        the_bulks_tell_the_same(tmp_path, url)
        the_schedule_sleeps_for_an_hour(tmp_path, url)
    the_note_is_for_the_morning((tmp_path / "night.md").read_text())


# What a person does, and sees.


def break_the_payments(url: str, place: Path) -> None:
    """The payment service is away: everything that needs it has failed."""

    async def enqueue() -> None:
        queue = Queue.from_url(url, name="default")
        try:
            for function, count in (("charge", CHARGES), ("refund", OTHERS), ("payout", OTHERS)):
                await asyncio.gather(*(queue.enqueue(function, order=order) for order in range(count)))
        finally:
            await queue.disconnect()

    (place / "outage").touch()
    asyncio.run(enqueue())
    until(lambda: sum(len(ledger(place, word)) for word in ("charge", "refund", "payout")) == EVERY)


def see_the_page_and_walk_to_the_cause(seat: Seat) -> None:
    """Page → verdict → group → job → log, and back."""
    seat.see("3 functions failing, all Conn", "refund", "payout", "ConnectionError: payments:443 refused")
    seat.see_re(r"charge +300 ")
    seat.keys("4")
    seat.at("failures")
    seat.under_cursor("charge")
    seat.keys("enter")
    seat.at("group charge")
    seat.see("300 failed", "100% of its runs", "night_app.py")
    seat.under_cursor("1/1")
    seat.keys("enter")
    seat.at("job charge")
    seat.see("payments:443 refused order", "in charge")
    seat.keys("l")
    seat.at("logs")
    seat.see("charging order", "ended: ConnectionError")
    for place in ("job charge", "group charge", "failures"):
        seat.keys("esc")
        seat.at(place)
    seat.see_re(r"^▸charge +300 ")


def try_a_canary_too_early(seat: Seat, place: Path) -> None:
    """One job fails again, and the operation stops by itself."""
    card(seat, CHARGES, "Canary first")
    seat.keys(":", "bulks", "enter")
    seat.at("bulks")
    seat.see("tripped", "the canary failed")
    assert len(ledger(place, "charge")) == CHARGES + 1
    seat.keys("4")
    seat.at("failures")
    seat.see_re(r"^▸charge +300 ")


def let_a_canary_go_first(seat: Seat) -> None:
    """One goes well, then one a second; that is enough to trust it, and it is stopped."""
    card(seat, CHARGES, "Canary first")
    seat.keys(":", "bulks", "enter")
    seat.at("bulks")
    seat.see_re(r"^▸retry +running .*\d/300 .* a second")
    seat.keys("x")
    seat.see_re(r"^▸retry +stopped ")
    seat.keys("4")
    seat.at("failures")


def retry_the_rest(seat: Seat, place: Path, url: str) -> None:
    """All the other charges at once; then what little is left of the other functions."""
    left = seat.wait(lambda: as_many_as_failed(seat, url))
    card(seat, left, f"Retry {left}")
    seat.lose("charge ")
    seat.see_re(r"^▹(refund|payout) ")  # its row is gone, and the cursor aims at no other by itself
    seat.keys("a")
    seat.at("all that match")
    seat.keys("r")
    seat.see(f"retry {2 * OTHERS} jobs?", "payout", "refund", "[Cancel]")
    seat.keys("tab")
    seat.see(f"[Retry {2 * OTHERS}]")
    seat.keys("enter")
    seat.see("nothing has failed")
    until(lambda: len(set(ledger(place, "charge"))) == CHARGES)


def as_many_as_failed(seat: Seat, url: str) -> int:
    """The charges that the screen says are left, once that is so on the server: it may be a moment behind."""
    found = re.search(r"^▸charge +(2\d\d) ", seat.text, re.MULTILINE)
    with Redis.from_url(url) as client:
        failed = int(client.zcard(keys_of("default").failed))  # type: ignore[arg-type]
    return failed - 2 * OTHERS if found and int(found[1]) == failed - 2 * OTHERS else 0


def card(seat: Seat, count: int, verb: str) -> None:
    """Retry the group under the cursor: the card says how many, the count is typed, and a verb chosen."""
    seat.keys("r")
    seat.see(f"retry {count} jobs?", f"type {count} to go on", "per second", "[Cancel]")
    seat.keys("backtab", str(count))
    seat.see_re(rf"type {count} to go on +{count}")
    seat.keys("enter")
    for _ in range(3):
        if f"[{verb}]" not in seat.text:
            chosen = seat.see_re(r"\[\w[^\]]*\]")[0]
            seat.keys("tab")
            seat.lose(chosen)
            seat.see_re(r"\[\w[^\]]*\]")
    seat.see(f"[{verb}]")
    seat.keys("enter")
    seat.lose("[Cancel]")
    seat.lose(f"[{verb}]")


def pause_what_makes_it_worse(seat: Seat) -> None:
    """The schedule sleeps for an hour, with a name and a reason on it."""
    seat.keys("5")
    seat.at("schedules")
    seat.under_cursor("tick")
    seat.keys("s")
    seat.see("for how long", "1h")
    seat.keys("enter", "hammers the payments", "enter", "enter")
    seat.see_re(r"tick .*paused")


# What is so afterwards.


def every_job_went_well_once(place: Path) -> None:
    """Each job ran once more, and the first canary's job once more than that."""
    runs = Counter(ledger(place, "charge"))
    assert sorted(runs.values()) == [2] * (CHARGES - 1) + [3]
    for word in ("refund", "payout"):
        assert sorted(Counter(ledger(place, word)).values()) == [2] * OTHERS


def asked(place: Path, *words: str) -> Any:
    """What a command prints as JSON."""
    done = command(place, *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def the_bulks_tell_the_same(place: Path, url: str) -> None:
    """Bulk operations are on the server with exact counts; the good canary was alone until it had gone well."""

    def ended() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = asked(place, "bulk", "list", "--url", url)
        return [] if any(row["state"] in {"waiting", "running"} for row in rows) else rows

    early, canary, rest, others = sorted(until(ended), key=lambda row: row["started_ms"])
    assert all(row["owner"] == "ann" and row["verb"] == "retry" for row in (early, canary, rest, others))
    assert [row["mode"] for row in (early, canary, rest, others)] == ["canary", "canary", "all", "all"]
    assert counts(early) == ("tripped", CHARGES, 1, 1, 0)
    assert early["tripped"] == "the canary failed again"
    assert counts(canary) == ("stopped", CHARGES, canary["done"], 0, 0)
    left = CHARGES - canary["done"]
    assert counts(rest) == ("done", left, left, 0, 0)
    assert counts(others) == ("done", 2 * OTHERS, 2 * OTHERS, 0, 0)

    most = str(3 * CHARGES)  # the history holds the runs that failed, too
    found = asked(place, "jobs", "--state", "complete", "--filter", "fn:charge", "--limit", most, "--url", url)
    went_well = [row for row in found["rows"] if row["state"] == "complete"]
    runs = sorted(went_well, key=lambda row: row["started_ms"])
    assert len(runs) == CHARGES
    assert runs[0]["finished_ms"] <= runs[1]["started_ms"]


def counts(row: dict[str, Any]) -> tuple[Any, ...]:
    """State, jobs in all, released, failed again and skipped."""
    return tuple(row[name] for name in ("state", "total", "done", "failed", "skipped"))


def the_schedule_sleeps_for_an_hour(place: Path, url: str) -> None:
    """It is paused by her, for that reason, until an hour after, and does not fire."""
    (tick,) = asked(place, "schedules", "list", "--url", url)
    paused = tick["paused"]
    assert (tick["name"], paused["owner"], paused["reason"]) == ("tick", "ann", "hammers the payments")
    assert paused["until_ms"] - paused["at_ms"] == pytest.approx(HOUR_MS, abs=1_000)
    assert int(ledger(place, "tick")[-1]) <= paused["at_ms"] + 1_000, "one may have been under way"


def the_note_is_for_the_morning(note: str) -> None:
    """What was seen, the groups, the acts with who and when, and the commands for the runbook."""
    (signature,) = re.findall(r"^\| charge \|.* (\w+) \|$", note, re.MULTILINE)
    for words in (
        "# Incident on shop",
        "## Queues",
        "## Failures",
        "| charge | 300 | 0 | ConnectionError: payments:443",
        "## What operators did",
        f"ann: bulk-retry q:default state:failed sig:{signature}, {CHARGES} jobs",
        "ann: pause-schedule tick (hammers the payments)",
        f"canary: tripped (the canary failed again), 1 of {CHARGES} retried, 1 failed again",
        f"at once: done, {2 * OTHERS} of {2 * OTHERS} retried",
        "--pace canary",
        "schedules pause tick",
    ):
        assert words in note, f"{words} is not in the note:\n{note}"
