"""Rows as cells, without a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from quarterdeck.model import (
    AuditRow,
    BinRow,
    BulkRow,
    CurrentJob,
    FailureGroup,
    FunctionStat,
    JobRow,
    JobState,
    PauseStat,
    QuarantineRow,
    QueueStat,
    RunRow,
    ScheduleRow,
    WorkerRow,
)
from quarterdeck.text import whole_minutes
from tui.look.glyphs import ASCII
from tui.rendering import acts, failures, jobs, metrics, queues, schedules, workers
from tui.rendering.moment import Moment
from tui.rendering.why import why_worker
from tui.widgets.cell import AnyCell, Cell, GridRow
from tui.widgets.columns import Column

NOW = 1_795_349_000_000
S, M, H = 1_000, 60_000, 3_600_000
MOMENT = Moment(NOW)
HOSTILE = "\x1b[2J[red]\u202e\x00" + "x" * 5_000


def said(row: GridRow, columns: Sequence[Column], now_ms: int = NOW) -> dict[str, str]:
    """What each column of a row says at a time."""
    assert len(row.cells) == len(columns)
    return {column.key: _text(cell) for column, cell in zip(columns, row.at(now_ms).cells, strict=True)}


def _text(cell: AnyCell) -> str:
    if isinstance(cell, str):
        return cell
    assert isinstance(cell, Cell)
    return "".join(text for text, _ in cell.runs) if cell.runs else cell.text


def style(row: GridRow, columns: Sequence[Column], key: str) -> str:
    cell = row.at(NOW).cells[[column.key for column in columns].index(key)]
    assert isinstance(cell, Cell)
    return cell.style or next((style for _, style in cell.runs if style), "")


# Moment.


def test_clock_times_are_the_viewers_and_have_a_date_on_other_days() -> None:
    moment = Moment(NOW, timezone(timedelta(hours=1)))
    assert moment.clock_time(NOW) == "13:03:20"
    assert moment.clock_time(NOW - 26 * H) == "11-21 11:03"
    assert moment.clock_time(None) == moment.clock_time(0) == "-"
    assert Moment(NOW, UTC).stamp(NOW) == "2026-11-22 12:03:20 UTC"
    assert moment.stamp(0) == "-"


@pytest.mark.parametrize(
    ("ms", "text"),
    [(-5, "0s"), (59_000, "59s"), (119_000, "119s"), (41 * M, "41m"), (125 * M, "2h05m"), (26 * H, "1d02h")],
)
def test_what_is_left_of_a_pause_is_one_word(ms: int, text: str) -> None:
    assert whole_minutes(ms) == text


def test_a_pause_says_how_much_longer_and_by_whom() -> None:
    assert MOMENT.pause(PauseStat(owner="ann", until_ms=NOW + 41 * M)) == "paused 41m ann"
    assert MOMENT.pause(PauseStat(owner="ann")) == "paused ann"
    assert MOMENT.pause(PauseStat(until_ms=NOW + M)) == "paused 60s"


# Queues.


def queue(**changed: Any) -> QueueStat:
    plain: dict[str, Any] = {"name": "emails", "depth": 3, "active": 1, "workers": 1, "slots": 10, "deck": True}
    return QueueStat(**(plain | changed))


@pytest.mark.parametrize(
    ("changed", "state"),
    [
        ({}, ("running", "ok")),
        ({"depth": 0, "active": 0}, ("idle", "muted")),
        ({"workers": 0}, ("no worker", "bad")),
        ({"workers": 0, "depth": 0}, ("no worker", "muted")),
        ({"failure_rate": 0.05}, ("failing", "warn")),
        ({"failure_rate": 0.25, "failed_attempts": 5}, ("failing", "bad")),
        ({"failure_rate": 0.25, "failed_attempts": 4}, ("running", "ok")),
        ({"failure_rate": 0.049}, ("running", "ok")),
        ({"oldest_ms": 48_000, "in_per_s": 35.0, "out_per_s": 12.0}, ("backing up", "warn")),
        ({"oldest_ms": 48_000, "in_per_s": 12.0, "out_per_s": 35.0}, ("running", "ok")),
        ({"orphans": 4}, ("4 orphans", "warn")),
        ({"paused": PauseStat(owner="ann", until_ms=NOW + 41 * M), "failure_rate": 0.5}, ("paused 41m ann", "paused")),
        ({"error": "WRONGTYPE"}, ("broken: WRONGTYPE", "bad")),
    ],
)
def test_the_worst_of_a_queue_is_its_state(changed: dict[str, Any], state: tuple[str, str]) -> None:
    assert queues.queue_state(queue(**changed), MOMENT) == state


def test_a_queue_in_figures() -> None:
    row = queues.queue_row(
        queue(depth=1204, oldest_ms=48_000, in_per_s=35.0, out_per_s=12.2, failure_rate=0.061, p95_ms=1200, failed=532),
        MOMENT,
    )
    cells = said(row, queues.columns())
    assert row.key == "emails"
    assert (cells["depth"], cells["oldest"], cells["in"], cells["out"]) == ("1,204", "48 s", "35.0", "12.2")
    assert (cells["fail"], cells["p95"], cells["failed"], cells["slots"]) == ("6.1%", "1.2s", "532", "1/10")
    assert style(row, queues.columns(), "fail") == "warn"
    assert style(row, queues.columns(), "oldest") == "warn"


def test_figures_that_are_bad_look_bad() -> None:
    row = queues.queue_row(queue(oldest_ms=300_000, failure_rate=0.25), MOMENT)
    assert style(row, queues.columns(), "fail") == style(row, queues.columns(), "oldest") == "bad"


def test_what_is_not_known_of_a_queue_is_a_dash() -> None:
    cells = said(queues.queue_row(QueueStat(name="q"), MOMENT), queues.columns())
    assert cells["oldest"] == cells["in"] == cells["fail"] == cells["p50"] == "-"
    assert cells["slots"] == "none"


def test_a_sparkline_is_as_wide_as_its_column() -> None:
    for width in (9, 20):
        cells = said(queues.queue_row(queue(depths=tuple(range(60))), MOMENT, width), queues.columns(width))
        assert len(cells["depths"]) == width


# Workers.


def worker(**changed: Any) -> WorkerRow:
    plain: dict[str, Any] = {"id": "w-1", "name": "web-1:4123", "slots": 10, "beat_ms": NOW - 400, "version": "1.4.2"}
    return WorkerRow(**(plain | changed))


def test_a_worker_names_its_functions_and_how_many_of_each() -> None:
    current = tuple(CurrentJob(key=str(at), function="send", started_ms=NOW - 12 * S) for at in range(5))
    row = workers.worker_row(
        worker(running=6, current=(*current, CurrentJob(key="x", function="export", started_ms=NOW - S))), MOMENT
    )
    cells = said(row, workers.COLUMNS)
    assert cells["now"] == "send ×5, export"
    assert (cells["slots"], cells["age"], cells["beat"]) == ("6/10", "12 s", "0 s")
    assert "x5" in workers.now_text(worker(current=current), Moment(NOW, UTC, ASCII))


@pytest.mark.parametrize(
    ("changed", "now"),
    [
        ({"state": "lost", "held": ("a", "b")}, "lost: held 2 jobs"),
        ({"state": "lost"}, "lost: held nothing"),
        ({"state": "quiet"}, "quiet"),
        ({"state": "stock"}, "-"),
        ({}, "-"),
    ],
)
def test_a_state_that_is_not_usual_is_told_without_its_column(changed: dict[str, Any], now: str) -> None:
    assert said(workers.worker_row(worker(**changed), MOMENT), workers.COLUMNS)["now"] == now


def test_a_beat_that_is_late_and_a_version_that_lags_draw_the_eye() -> None:
    row = workers.worker_row(worker(beat_ms=NOW - 11 * S, version="1.4.1"), MOMENT, newest_version="1.4.2")
    assert style(row, workers.COLUMNS, "beat") == "bad"
    assert style(row, workers.COLUMNS, "version") == "warn"


def test_the_newest_version_is_that_of_the_worker_started_last_among_the_living() -> None:
    fleet = (
        worker(version="1", started_ms=1),
        worker(version="2", started_ms=2),
        worker(version="3", started_ms=3, state="lost"),
    )
    assert workers.newest_version(fleet) == "2"
    assert workers.newest_version(()) == ""


@pytest.mark.parametrize(
    ("job", "late"),
    [
        (CurrentJob(key="a", function="f", started_ms=NOW - 13 * S, expected_ms=4_000), True),
        (CurrentJob(key="a", function="f", started_ms=NOW - 11 * S, expected_ms=4_000), False),
        (CurrentJob(key="a", function="f", started_ms=NOW - H), False),
        (CurrentJob(key="a", function="f", started_ms=NOW, overdue_thread=True), True),
    ],
)
def test_a_job_is_overdue_against_what_is_usual(job: CurrentJob, late: bool) -> None:
    assert workers.is_overdue(job, NOW) is late


# Schedules.


def schedule(**changed: Any) -> ScheduleRow:
    plain: dict[str, Any] = {
        "id": "q/backup", "name": "backup", "queue": "q", "function": "f", "expression": "0 2 * * *",
        "next_ms": NOW + 12 * S,
    }  # fmt: skip
    return ScheduleRow(**(plain | changed))


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "00:12"),
        ({"next_ms": None}, "-"),
        ({"next_ms": NOW - 5 * S}, "-00:05"),
        ({"skip_next": True}, "skips next"),
        ({"paused": PauseStat(owner="bob", until_ms=NOW + 55 * M)}, "paused 55m bob"),
        ({"broken": "never fires"}, "broken"),
    ],
)
def test_when_a_schedule_fires_next_or_why_it_does_not(changed: dict[str, Any], text: str) -> None:
    for render, columns in (
        (schedules.overview_row, schedules.OVERVIEW_COLUMNS),
        (schedules.schedule_row, schedules.COLUMNS),
    ):
        assert said(render(schedule(**changed), MOMENT), columns)["next"] == text


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({}, "-"),
        ({"last_outcome": "ran", "last_duration_ms": 41_000}, "✓ 41s"),
        ({"last_outcome": "failed", "last_ms": NOW - 200 * S}, "✗ 12:00:00"),
        ({"last_outcome": "skipped", "last_cause": "paused by ann"}, "– paused by ann"),
        ({"last_outcome": "late", "last_ms": NOW - 200 * S}, "◷ 12:00:00"),
    ],
)
def test_how_the_last_tick_ended(changed: dict[str, Any], text: str) -> None:
    assert schedules.last_cell(schedule(**changed), MOMENT).text == text


def test_the_last_runs_are_a_sign_each_and_the_newest_is_at_the_right() -> None:
    strip = schedules.strip_cell(schedule(strip=("complete",) * 9 + ("skipped", "failed", "running")), MOMENT, 4)
    assert "".join(text for text, _ in strip.runs) == "✓–✗▶"


def test_a_run_says_its_cause_result_or_error() -> None:
    run = RunRow(id="1-0", name="b", tick_ms=NOW, outcome="late", late_ms=95_000, status="FAILED", error="disk full")
    cells = said(schedules.run_row(run, MOMENT), schedules.RUN_COLUMNS)
    assert (cells["outcome"], cells["status"], cells["late"], cells["cause"]) == (
        "◷ late",
        "failed",
        "1m35s",
        "disk full",
    )


# Failures and jobs.


def test_a_group_says_what_broke_where_and_how_often() -> None:
    group = FailureGroup(
        id="q/sig", signature="sig", queue="q", function="send", exception="ConnectionError", message="smtp refused",
        frame="mail.py:41 in send", count=532, first_ms=NOW - 2 * M, last_ms=NOW - 2 * S, poison=True,
    )  # fmt: skip
    cells = said(failures.group_row(group, MOMENT), failures.COLUMNS)
    assert cells["broke"] == "poison ConnectionError: smtp refused  mail.py:41 in send"
    assert (cells["count"], cells["first"], cells["last"]) == ("532", "2 m", "2 s")


def job(**changed: Any) -> JobRow:
    plain: dict[str, Any] = {"id": "q/k", "queue": "q", "key": "k", "function": "send", "state": JobState.FAILED}
    return JobRow(**(plain | changed))


@pytest.mark.parametrize(
    ("changed", "when"),
    [
        ({"state": JobState.SCHEDULED, "scheduled_ms": NOW + 90 * S}, "01:30"),
        ({"state": JobState.ACTIVE, "started_ms": NOW - 12 * S}, "12 s"),
        ({"state": JobState.QUEUED, "queued_ms": NOW - 48 * S}, "48 s"),
        ({"state": JobState.FAILED, "finished_ms": NOW - 4 * M}, "4 m"),
        ({"state": JobState.FAILED}, "-"),
    ],
)
def test_a_job_shows_the_time_that_matters_in_its_state(changed: dict[str, Any], when: str) -> None:
    assert said(jobs.job_row(job(**changed), MOMENT), jobs.COLUMNS)["when"] == when


def test_a_running_job_past_its_time_out_draws_the_eye() -> None:
    row = jobs.job_row(job(state=JobState.ACTIVE, started_ms=NOW - 12 * S, timeout_s=10), MOMENT)
    assert style(row, jobs.COLUMNS, "when") == "warn"


def test_a_job_that_can_not_be_read_is_a_row_and_says_why() -> None:
    cells = said(jobs.job_row(job(broken="not JSON", function=""), MOMENT), jobs.COLUMNS)
    assert cells["state"] == "✗ broken"
    assert cells["said"] == "can't be read: not JSON"
    assert cells["function"] == "-"


def test_errors_lose_their_module_and_sentences_stay_whole() -> None:
    assert jobs.short_error("tasks.webhook.RefusedError: 422 a.b") == "RefusedError: 422 a.b"
    assert jobs.short_error("it went wrong. badly: x") == "it went wrong. badly: x"


def test_among_its_like_a_job_shows_its_arguments_first() -> None:
    row = jobs.group_job_row(job(arguments='{"to": "a"}', error="m.E: refused"), MOMENT)
    assert said(row, jobs.GROUP_COLUMNS)["said"] == '{"to": "a"}  E: refused'


# What operators did.


def test_an_act_says_who_did_what_to_how_many_and_why() -> None:
    act = AuditRow(
        id="1-0", at_ms=NOW, who="bob", origin="bob@b", verb="retry", subject="send", done=12, skipped=1, reason="ok"
    )
    cells = said(acts.audit_row(act, MOMENT), acts.AUDIT_COLUMNS)
    assert (cells["at"], cells["who"], cells["verb"], cells["count"], cells["reason"]) == (
        "12:03:20", "bob", "retry", "12-1", "ok",
    )  # fmt: skip


def test_what_is_in_the_bin_says_when_it_will_be_gone() -> None:
    row = BinRow(
        id="q/1",
        queue="q",
        key="k",
        function="f",
        deleted_ms=NOW - M,
        expires_ms=NOW + H,
        who="bob",
        was=JobState.FAILED,
    )
    cells = said(acts.bin_row(row, MOMENT), acts.BIN_COLUMNS)
    assert (cells["at"], cells["expires"], cells["was"]) == ("60 s", "01:00:00", "failed")


def bulk(**changed: Any) -> BulkRow:
    plain: dict[str, Any] = {
        "id": "q/b", "queue": "q", "verb": "retry", "query": "all", "reason": "", "owner": "bob", "mode": "paced",
        "state": "running", "started_ms": NOW - 30 * S, "total": 532, "done": 41, "skipped": 2,
    }  # fmt: skip
    return BulkRow(**(plain | changed))


def test_a_bulk_operation_shows_its_progress_and_why_it_tripped() -> None:
    assert acts.progress(bulk(), MOMENT) == "░░░░░░░░ 43/532"
    assert acts.progress(bulk(done=530), MOMENT).startswith("████████")
    assert acts.progress(bulk(total=0, done=0, skipped=0), Moment(NOW, UTC, ASCII)) == "-------- 0/0"
    assert acts.progress(bulk(total=-1), MOMENT) == "43 so far"
    cells = said(acts.bulk_row(bulk(state="tripped", tripped="2 of 2 failed"), MOMENT), acts.BULK_COLUMNS)
    assert (cells["state"], cells["phase"]) == ("tripped", "2 of 2 failed")


def test_what_is_set_aside_says_why() -> None:
    row = QuarantineRow(id="q/1", queue="q", key="k", reason="not JSON", at_ms=NOW - S)
    assert said(acts.quarantine_row(row, MOMENT), acts.QUARANTINE_COLUMNS)["reason"] == "not JSON"


def test_functions_are_sorted_worst_first_unless_a_column_was_chosen() -> None:
    stats = tuple(
        FunctionStat(queue="q", name=name, complete=done, failed=bad) for name, done, bad in (("a", 9, 0), ("b", 1, 5))
    )
    assert [it.name for it in metrics.sort_functions(stats, "", True)] == ["b", "a"]
    assert [it.name for it in metrics.sort_functions(stats, "complete", True)] == ["a", "b"]
    assert [it.name for it in metrics.sort_functions(stats, "name", False)] == ["a", "b"]
    assert said(metrics.function_row(stats[1], MOMENT), metrics.COLUMNS)["rate"] == "83%"


# Untrusted text.


@pytest.mark.parametrize(
    "row",
    [
        queues.queue_row(queue(name=HOSTILE, error=HOSTILE), MOMENT),
        workers.worker_row(worker(name=HOSTILE, version=HOSTILE, queues=(HOSTILE,)), MOMENT),
        schedules.schedule_row(schedule(name=HOSTILE, expression=HOSTILE, words=HOSTILE, broken=HOSTILE), MOMENT),
        schedules.overview_row(schedule(name=HOSTILE, last_outcome="skipped", last_cause=HOSTILE), MOMENT),
        jobs.job_row(job(function=HOSTILE, error=HOSTILE, arguments=HOSTILE, worker=HOSTILE), MOMENT),
        failures.group_row(
            FailureGroup(id="g", signature="s", queue=HOSTILE, function=HOSTILE, exception=HOSTILE, message=HOSTILE),
            MOMENT,
        ),
        acts.audit_row(AuditRow(id="1", at_ms=NOW, who=HOSTILE, origin=HOSTILE, verb=HOSTILE, subject=HOSTILE), MOMENT),
        acts.bulk_row(bulk(query=HOSTILE, reason=HOSTILE, tripped=HOSTILE), MOMENT),
        acts.quarantine_row(
            QuarantineRow(id="1", queue=HOSTILE, key=HOSTILE, reason=HOSTILE, at_ms=1, raw=HOSTILE), MOMENT
        ),
    ],
)
def test_hostile_text_becomes_plain_text_of_bounded_length(row: GridRow) -> None:
    for cell in row.at(NOW).cells:
        text = _text(cell)
        assert text.isprintable()
        assert len(text) < 1_000


def test_of_the_past_nobody_says_that_there_was_no_worker() -> None:
    queue = QueueStat(name="q", depth=3)
    assert queues.queue_state(queue, MOMENT)[0] == "no worker"
    assert queues.queue_state(queue, MOMENT, workers_known=False)[0] == "running"
    row = said(queues.queue_row(queue, MOMENT, workers_known=False), queues.columns())
    assert (row["slots"], row["state"]) == ("-", "running")


def test_what_there_is_one_of_is_said_so() -> None:
    moment = Moment(NOW)
    assert queues.queue_state(QueueStat(name="q", workers=1, depth=1, orphans=1), moment)[0] == "1 orphan"
    lost = WorkerRow(id="w", name="w", state="lost", held=("a",), beat_ms=NOW)
    assert workers.now_text(lost, moment) == "held 1 job"
    alone = replace(lost, held=(), current=(CurrentJob(key="b", function="f", started_ms=NOW),))
    assert workers.now_text(alone, moment) == "held 1 job"  # nobody was left to write it down
    assert workers.now_text(replace(lost, held=()), moment) == "held nothing"
    assert why_worker(lost, moment).endswith("its job goes back to the queue.")
    one = WorkerRow(id="w", name="w", slots=1, running=1, beat_ms=NOW)
    assert "its slot is busy" in why_worker(one, moment)
    assert why_worker(replace(one, slots=2), moment) == "w runs 1 job on 2 slots."


def test_the_bin_says_of_garbage_that_it_was_none_that_could_be_read() -> None:
    row = BinRow(
        id="q/a/k", queue="q", key="k", function="", deleted_ms=NOW, expires_ms=NOW + H, who="ann", was=JobState.FAILED
    )
    assert said(acts.bin_row(row, MOMENT), acts.BIN_COLUMNS)["was"] == "failed"
    assert said(acts.bin_row(replace(row, aside=True), MOMENT), acts.BIN_COLUMNS)["was"] == "unread"
