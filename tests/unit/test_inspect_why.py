"""Each state of a job, queue or schedule has its one sentence, and what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.inspect.why import JobFacts, why_job, why_queue, why_schedule
from quarterdeck.model import JobRow, JobState, PauseStat, QueueStat, ScheduleRow, WorkerRow

NOW_MS = 1_795_000_000_000
BUSY = WorkerRow(id="w1", name="web-1:7", queues=("emails",), slots=8, running=8, functions=("send",), beat_ms=NOW_MS)
FREE = WorkerRow(id="w2", name="web-2:8", queues=("emails",), slots=8, running=1, functions=("send",), beat_ms=NOW_MS)
LOST = WorkerRow(id="w3", name="web-3:9", queues=("emails",), state="lost", beat_ms=NOW_MS - 12_000)
STOCK = WorkerRow(id="w4", name="w4", queues=("emails",), state="stock", deck=False, beat_ms=NOW_MS)
PAUSE = PauseStat(owner="ann", reason="deploy", at_ms=5, until_ms=NOW_MS + 60_000)


def _why(
    state: JobState, *, workers: tuple[WorkerRow, ...] = (FREE,), stat: dict[str, Any] | None = None, **known: Any
) -> str:
    fields = {name: known.pop(name) for name in list(known) if name in JobRow.__struct_fields__}
    row = JobRow(**({"id": "emails/k", "queue": "emails", "key": "k", "function": "send", "state": state} | fields))
    queue = QueueStat(**({"name": "emails"} | (stat or {})))
    return why_job(JobFacts(row=row, queue=queue, workers=workers, now_ms=NOW_MS, **known))[0]


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"place": 0}, "It is next in line."),
        ({"place": 41}, "It is number 42 in line."),
        ({"place": None}, "It is behind the first thousand."),
        ({"place": 9, "stat": {"out_per_s": 2.0}}, "It is number 10 in line. About 5.0s at the present rate."),
        ({"place": 0, "workers": (BUSY,)}, "All 8 slots are busy; it is next in line."),
        ({"workers": ()}, "No live worker serves the queue 'emails'."),
        ({"workers": (LOST,)}, "No live worker serves the queue 'emails'."),
        ({"function": "other"}, "No live worker registers the function 'other'."),
        ({"function": "other", "workers": (FREE, STOCK), "place": 0}, "It is next in line."),
        ({"stat": {"paused": PAUSE}}, "The queue 'emails' is paused by ann (deploy) for another 1m00s."),
        ({"stat": {"paused": PauseStat()}}, "The queue 'emails' is paused until someone resumes it."),
        ({"crashes": 2}, "2 workers died under it: it waits for a worker that can run it alone."),
        ({"held_rule": "rule r1"}, "It is set aside: rule r1."),
        ({"broken": "it is not JSON"}, "It can't run: it is not JSON."),
    ],
)
def test_a_waiting_job(known: dict[str, Any], sentence: str) -> None:
    assert _why(JobState.QUEUED, **known) == sentence


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"scheduled_ms": NOW_MS + 41_000}, "It is not due: it is due in 41s."),
        (
            {"scheduled_ms": NOW_MS + 41_000, "attempts": 1},
            "It is not due: it is due in 41s. It is to be tried again then.",
        ),
        (
            {"scheduled_ms": NOW_MS + 9_000, "orphan": True},
            "No live worker registers the function 'send'; it is offered again in 9.0s.",
        ),
        ({"scheduled_ms": NOW_MS - 5_000}, "It was due 5.0s ago; a worker moves it to the queue within seconds."),
        ({"scheduled_ms": NOW_MS - 5_000, "workers": ()}, "It was due 5.0s ago, but no live worker serves 'emails'."),
    ],
)
def test_a_scheduled_job(known: dict[str, Any], sentence: str) -> None:
    assert _why(JobState.SCHEDULED, **known) == sentence


@pytest.mark.parametrize(
    ("known", "sentence"),
    [
        ({"owner": "w2", "started_ms": NOW_MS - 4_000}, "It is running on web-2:8 for 4.0s."),
        (
            {"owner": "w2", "started_ms": NOW_MS - 9_000, "usual_ms": 1_000.0},
            "It is running on web-2:8 for 9.0s; usual is 1.0s.",
        ),
        (
            {"worker": "w2", "started_ms": NOW_MS - 20_000, "timeout_s": 10},
            "It is running on web-2:8 for 20s, longer than its time-out of 10s.",
        ),
        ({"owner": "w2", "aborting": "stop it"}, "It is being aborted: stop it."),
        ({"owner": "w3", "workers": (LOST, FREE)}, "Its worker web-3:9 lost its heartbeat 12s ago."),
        ({"owner": "w3", "workers": (LOST,)}, "Its worker web-3:9 lost its heartbeat 12s ago, and no other is alive."),
        ({"workers": (FREE,)}, "It was taken, but nobody owns it."),
        (
            {"worker": "gone", "workers": (STOCK,)},
            "It was taken, but the worker that took it is not registered any more.",
        ),
        ({"worker": "w4", "workers": (STOCK,), "started_ms": NOW_MS - 2_000}, "It is running on w4 for 2.0s."),
    ],
)
def test_a_running_job(known: dict[str, Any], sentence: str) -> None:
    assert _why(JobState.ACTIVE, **known) == sentence


@pytest.mark.parametrize(
    ("state", "known", "sentence"),
    [
        (JobState.COMPLETE, {"finished_ms": NOW_MS - 60_000}, "It is complete, 1m00s ago."),
        (JobState.COMPLETE, {}, "It is complete."),
        (JobState.FAILED, {"attempts": 3, "error": "E: x"}, "It failed and its 3 attempts are used up: E: x."),
        (JobState.FAILED, {}, "It failed and its attempt is used up."),
        (JobState.FAILED, {"poison": True}, "It is poison: it took its worker down again and again."),
        (JobState.ABORTED, {"error": "wrong tenant"}, "It was aborted: wrong tenant."),
        (JobState.ABORTED, {"error": "aborted by ann: too late"}, "It was aborted by ann: too late."),
        (JobState.ABORTED, {"error": "aborted"}, "It was aborted."),
        (JobState.ABORTED, {}, "It was aborted."),
    ],
)
def test_a_job_that_has_ended(state: JobState, known: dict[str, Any], sentence: str) -> None:
    assert _why(state, **known) == sentence


@pytest.mark.parametrize(
    ("stat", "workers", "sentence"),
    [
        ({"error": "queued: WRONGTYPE"}, (FREE,), "It can't be read: queued: WRONGTYPE."),
        ({"paused": PAUSE}, (FREE,), "It is paused by ann (deploy) for another 1m00s."),
        ({"depth": 12}, (), "No live worker serves it; 12 jobs wait."),
        ({"orphans": 3}, (FREE,), "Jobs for functions that no live worker registers: 3."),
        (
            {"depth": 1204, "out_per_s": 12.0, "in_per_s": 2.0},
            (BUSY,),
            "All 8 slots are busy and 1,204 jobs wait. About 2m00s to drain at the present rate.",
        ),
        (
            {"depth": 9, "out_per_s": 1.0, "in_per_s": 2.0},
            (BUSY,),
            "All 8 slots are busy and 9 jobs wait. It grows as fast as it drains.",
        ),
        ({"depth": 9}, (FREE,), "It flows: 9 jobs wait."),
        ({"failure_rate": 0.5}, (FREE,), "It flows, but 50.0% of the attempts fail."),
        ({}, (FREE,), "Nothing waits."),
        ({"depth": 9}, (STOCK,), "It flows: 9 jobs wait."),
    ],
)  # fmt: skip
def test_a_queue(stat: dict[str, Any], workers: tuple[WorkerRow, ...], sentence: str) -> None:
    assert why_queue(QueueStat(**({"name": "emails"} | stat)), workers, NOW_MS)[0] == sentence


@pytest.mark.parametrize(
    ("fields", "workers", "sentence"),
    [
        ({"next_ms": NOW_MS + 90_000}, (FREE,), "It is not due: it fires in 1m30s."),
        ({"next_ms": NOW_MS - 60_000}, (FREE,), "It is overdue by 1m00s: no scheduler has taken its tick."),
        ({"next_ms": NOW_MS - 60_000}, (), "It is overdue by 1m00s: no live worker serves 'emails'."),
        ({"next_ms": None}, (FREE,), "It has no next time."),
        ({"next_ms": 1, "paused": PAUSE}, (FREE,), "It is paused by ann (deploy) for another 1m00s."),
        ({"next_ms": 1, "broken": "no zone"}, (FREE,), "It can't fire: no zone."),
        ({"next_ms": NOW_MS + 5, "skip_next": True}, (FREE,), "Its next run will be skipped, as an operator asked."),
        (
            {"next_ms": NOW_MS + 5, "last_outcome": "running", "function": "sned"},
            (FREE,),
            "No live worker registers its function 'sned': its runs wait for one.",
        ),
        (
            {"next_ms": NOW_MS + 5, "last_outcome": "running"},
            (FREE,),
            "Its last run is still running, and its overlap policy skips while one runs.",
        ),
    ],
)
def test_a_schedule(fields: dict[str, Any], workers: tuple[WorkerRow, ...], sentence: str) -> None:
    row = ScheduleRow(
        **({"id": "emails/s", "name": "s", "queue": "emails", "function": "send", "expression": "* * * * *"} | fields)
    )
    assert why_schedule(row, QueueStat(name="emails"), workers, NOW_MS)[0] == sentence


def test_a_schedule_of_a_paused_queue() -> None:
    row = ScheduleRow(id="e/s", name="s", queue="e", function="f", expression="", next_ms=NOW_MS + 30_000)
    why, cure = why_schedule(row, QueueStat(name="e", paused=PAUSE), (), NOW_MS)
    assert why == "It fires in 30s, but its queue is paused."
    assert cure == "Resume the queue."


def test_nearly_every_reason_has_a_cure() -> None:
    row = JobRow(id="e/k", queue="e", key="k", function="f", state=JobState.QUEUED)
    assert "quarterdeck worker" in why_job(JobFacts(row=row, queue=QueueStat(name="e"), now_ms=1))[1]
