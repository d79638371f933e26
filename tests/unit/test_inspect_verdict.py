"""The verdict says what is wrong, the worst first, from a snapshot alone."""

from __future__ import annotations

import pytest

from quarterdeck.inspect.verdict import verdict_of
from quarterdeck.model import (
    BulkRow,
    CurrentJob,
    FailureGroup,
    Level,
    PauseStat,
    QueueStat,
    ScheduleRow,
    ServerStat,
    Snapshot,
    View,
    WorkerRow,
)

NOW_MS = 1_795_000_000_000


def _snapshot(**fields: object) -> Snapshot:
    served = {"queues": (QueueStat(name="emails", workers=1),)}
    return Snapshot(view=View(), taken_ms=NOW_MS, **(served | fields))  # type: ignore[arg-type]


def _queue(**fields: object) -> Snapshot:
    stat = QueueStat(**({"name": "emails", "workers": 1, "deck": True} | fields))  # type: ignore[arg-type]
    return _snapshot(queues=(stat,))


def _group(function: str, message: str = "refused by <host>:5432", **fields: object) -> FailureGroup:
    values = {
        "id": f"q/{function}",
        "signature": function,
        "queue": "q",
        "function": function,
        "exception": "ConnectionError",
        "message": message,
        "count": 5,
        "first_ms": NOW_MS - 60_000,
        "last_ms": NOW_MS,
        "trend": (0,) * 11 + (5,),
    }
    return FailureGroup(**(values | fields))  # type: ignore[arg-type]


def test_silence_is_green() -> None:
    verdict = verdict_of(_queue())
    assert (verdict.level, verdict.findings) == (Level.OK, ())


def test_the_sentence_of_the_design() -> None:
    failing = NOW_MS - 3_600_000
    verdict = verdict_of(_queue(depth=1204, oldest_ms=48_000, failure_rate=0.061, failing_since_ms=failing))
    assert verdict.headline == "emails: oldest 48 s, 6.1 % failing"
    assert (verdict.level, verdict.since_ms) == (Level.WARNING, failing)


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"workers": 0, "depth": 1204}, Level.BAD, "emails: no live worker, 1,204 waiting"),
        ({"workers": 0, "active": 3}, Level.BAD, "emails: no live worker, 3 left active"),
        ({"oldest_ms": 31_000}, Level.WARNING, "emails: oldest 31 s"),
        ({"oldest_ms": 400_000}, Level.BAD, "emails: oldest 6 m"),
        ({"failure_rate": 0.3}, Level.BAD, "emails: 30 % failing"),
        ({"orphans": 2}, Level.WARNING, "emails: 2 jobs are for functions that no live worker knows"),
        ({"paused": PauseStat(owner="ann", at_ms=5)}, Level.NOTICE, "emails: paused by ann"),
        ({"quarantined": 5, "held": 2}, Level.NOTICE, "emails: 3 unreadable payloads set aside"),
        ({"error": "queued: WRONGTYPE"}, Level.BAD, "emails: can't be read (queued: WRONGTYPE)"),
    ],
)
def test_a_queue_in_trouble(fields: dict[str, object], level: Level, text: str) -> None:
    verdict = verdict_of(_queue(**fields))
    assert (verdict.level, verdict.headline) == (level, text)
    assert verdict.findings[0].view.endswith("emails")


@pytest.mark.parametrize(
    "fields",
    [
        {"oldest_ms": 29_000},
        {"failure_rate": 0.04},
        {"failure_rate": 0.5, "failed_attempts": 4},
        {"held": 3, "quarantined": 3},
    ],
)
def test_a_queue_in_no_trouble(fields: dict[str, object]) -> None:
    assert verdict_of(_queue(**fields)).level is Level.OK


@pytest.mark.parametrize(
    ("snapshot", "says"),
    [
        (_queue(workers=0), "no worker is alive"),
        (_snapshot(queues=()), "no worker is alive, and there is no queue yet"),
    ],
)
def test_silence_with_nobody_at_work_is_not_green(snapshot: Snapshot, says: str) -> None:
    verdict = verdict_of(snapshot)
    assert (verdict.level, verdict.headline) == (Level.NOTICE, says)


def test_a_paused_queue_may_grow_old() -> None:
    assert verdict_of(_queue(oldest_ms=10**7, paused=PauseStat())).level is Level.NOTICE


def test_one_cause_of_many_failures() -> None:
    groups = tuple(_group(f"f{number}") for number in range(7))
    verdict = verdict_of(_snapshot(groups=groups))
    assert verdict.headline == "7 functions failing, all ConnectionError … :5432: likely one cause"
    assert (verdict.level, verdict.since_ms) == (Level.BAD, NOW_MS - 60_000)


def test_a_group_whose_trend_is_yet_to_be_read_is_known_by_its_last_failure() -> None:
    unread = (0,) * 12
    groups = (_group("f0"), _group("f1", trend=unread), _group("f2", trend=unread, last_ms=NOW_MS - 60_000))
    assert verdict_of(_snapshot(groups=groups)).headline.startswith("3 functions failing")
    long_ago = _group("f2", trend=unread, last_ms=NOW_MS - 3_600_000)
    later = _group("f2", trend=unread, last_ms=NOW_MS + 60_000)  # of a moment in the past that is looked at
    for last in (long_ago, later):
        assert verdict_of(_snapshot(groups=(*groups[:2], last))).level is Level.OK


def test_a_likely_cause_comes_before_the_queues_that_fail_for_it() -> None:
    groups = tuple(_group(f"f{number}") for number in range(3))
    failing = QueueStat(name="emails", workers=1, failure_rate=1.0, failing_since_ms=NOW_MS - 600_000)
    verdict = verdict_of(_snapshot(queues=(failing,), groups=groups))
    assert verdict.headline.startswith("3 functions failing")
    assert verdict.findings[1].text == "emails: 100 % failing"


def test_what_failed_an_hour_ago_or_differs_is_no_common_cause() -> None:
    old = [_group(f"f{number}", trend=(5,) + (0,) * 11) for number in range(7)]
    other = [_group(f"g{number}", exception=f"E{number}") for number in range(7)]
    ports = [_group(f"h{number}", message=f"no <host>:{number}") for number in range(7)]
    assert verdict_of(_snapshot(groups=(*old, *other, *ports))).level is Level.OK


def test_workers() -> None:
    lost = WorkerRow(id="w1", name="web-1:7", state="lost", beat_ms=NOW_MS - 12_000, held=("a", "b"))
    skewed = WorkerRow(id="w2", name="web-2:8", skew_ms=-9_000)
    job = CurrentJob(key="k", function="f", started_ms=1, overdue_thread=True)
    stuck = WorkerRow(id="w3", name="web-3:9", current=(job,))
    texts = {finding.text: finding.level for finding in verdict_of(_snapshot(workers=(lost, skewed, stuck))).findings}
    assert texts == {
        "worker web-1:7: lost, held 2 jobs": Level.WARNING,
        "worker web-2:8: its clock is off by 9 s": Level.NOTICE,
        "worker web-3:9: a thread of f runs on past its time-out": Level.WARNING,
    }


def test_a_worker_lost_long_ago_is_no_news() -> None:
    assert verdict_of(_snapshot(workers=(WorkerRow(id="w", state="lost", beat_ms=5),))).level is Level.OK


def test_two_versions_in_one_queue() -> None:
    rows = tuple(WorkerRow(id=f"w{v}", version=v, queues=("q",)) for v in ("1", "2"))
    assert verdict_of(_snapshot(workers=rows)).headline == "q: workers run 2 versions of the code"
    apart = tuple(WorkerRow(id=f"w{v}", version=v, queues=(v,)) for v in ("1", "2"))
    assert verdict_of(_snapshot(workers=apart)).level is Level.OK


@pytest.mark.parametrize(
    ("fields", "level", "text"),
    [
        ({"broken": "no cron"}, Level.WARNING, "schedule s: no cron"),
        ({"next_ms": NOW_MS - 120_000}, Level.WARNING, "schedule s: overdue by 2 m"),
        ({"last_outcome": "failed"}, Level.NOTICE, "schedule s: its last run failed"),
        ({"next_ms": NOW_MS - 120_000, "paused": PauseStat()}, Level.OK, "all is well"),
        ({"next_ms": NOW_MS - 2_000}, Level.OK, "all is well"),
    ],
)
def test_schedules(fields: dict[str, object], level: Level, text: str) -> None:
    row = ScheduleRow(**({"id": "q/s", "name": "s", "queue": "q", "function": "f", "expression": "* * * * *"} | fields))  # type: ignore[arg-type]
    verdict = verdict_of(_snapshot(schedules=(row,)))
    assert (verdict.level, verdict.headline.replace("120 s", "2 m")) == (level, text)


@pytest.mark.parametrize(
    ("server", "level", "part"),
    [
        (ServerStat(policy="allkeys-lru"), Level.WARNING, "may evict queued jobs"),
        (ServerStat(policy="allkeys-lru", memory_limit_bytes=10**9), Level.BAD, "may evict queued jobs"),
        (ServerStat(policy="noeviction", memory_bytes=80, memory_limit_bytes=100), Level.WARNING, "80% full"),
        (ServerStat(policy="noeviction", memory_bytes=95, memory_limit_bytes=100), Level.BAD, "95% full"),
        (ServerStat(role="slave"), Level.NOTICE, "read-only replica"),
        (ServerStat(disk_error="aof_last_write_status"), Level.BAD, "can't write to its disk"),
        (ServerStat(disk_error="rdb_last_bgsave_status"), Level.WARNING, "last snapshot to disk failed"),
        (ServerStat(warnings=("Beware.",)), Level.NOTICE, "Beware."),
        (ServerStat(policy="noeviction", memory_bytes=10**9), Level.OK, "all is well"),
    ],
)
def test_the_server(server: ServerStat, level: Level, part: str) -> None:
    verdict = verdict_of(_snapshot(server=server))
    assert verdict.level is level
    assert part in verdict.headline


def test_a_bulk_that_stopped_by_itself() -> None:
    row = BulkRow(
        id="q/b", queue="q", verb="retry", query="", reason="", owner="ann", mode="canary", state="tripped",
        started_ms=5, total=9, tripped="40% failed again",
    )  # fmt: skip
    assert verdict_of(_snapshot(bulks=(row,))).headline == "bulk retry by ann stopped by itself: 40% failed again"


def test_the_worst_comes_first_then_the_oldest() -> None:
    queues = (
        QueueStat(name="a", workers=1, oldest_ms=40_000),
        QueueStat(name="b", workers=1, oldest_ms=50_000),
        QueueStat(name="c", workers=0, depth=1),
    )
    texts = [finding.text[0] for finding in verdict_of(_snapshot(queues=queues)).findings]
    assert texts == ["c", "b", "a"]


def test_each_finding_names_a_screen_where_to_look() -> None:
    """As on the command line, where `schedule` alone adds one."""
    stat = QueueStat(name="emails", depth=3, orphans=1, paused=PauseStat(owner="ann"), quarantined=2, deck=True)
    schedule = ScheduleRow(id="q/nightly", name="nightly", queue="q", function="f", expression="bad", broken="bad")
    worker = WorkerRow(id="w-1", name="w", queues=("q",), state="lost", beat_ms=NOW_MS)
    found = verdict_of(_snapshot(queues=(stat,), schedules=(schedule,), workers=(worker,))).findings
    words = {finding.view.partition(" ")[0] for finding in found}
    assert words == {"queues", "quarantine", "schedules", "workers"}
