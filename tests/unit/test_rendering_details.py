"""Details, lines around the lists, sentences and notes, without a terminal."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from quarterdeck.errors import UsageError
from quarterdeck.model import (
    AttemptStat,
    AuditRow,
    BoundStat,
    BulkRow,
    CurrentJob,
    FailureGroup,
    Finding,
    GroupDetail,
    JobDetail,
    JobRow,
    JobState,
    Level,
    LogRow,
    OperatorRow,
    Outcome,
    PauseStat,
    QueueDetail,
    QueueHour,
    QueueStat,
    ScheduleDetail,
    ScheduleRow,
    Screen,
    Snapshot,
    Verdict,
    View,
    WorkerDetail,
    WorkerRow,
)
from quarterdeck.text import cell_width
from tui.rendering import details, lines
from tui.rendering.block import Block, block, document_of, pairs
from tui.rendering.incident import incident_note
from tui.rendering.job import attempt_bar, job_blocks, job_title
from tui.rendering.moment import Moment
from tui.rendering.sharing import share_lines
from tui.rendering.timeline import HOURS, MOST_TOLD, cells_of, timeline_lines
from tui.rendering.why import why_schedule, why_worker
from tui.screens.group import summary_runs
from tui.screens.places import read_place, view_named, view_of
from tui.screens.timeline import fires_of

NOW = 1_795_349_000_000
S, M, H = 1_000, 60_000, 3_600_000
MOMENT = Moment(NOW)


def text(blocks: list[Block]) -> str:
    return "\n".join(line.text for line in document_of(blocks))


def runs_text(runs: lines.Runs) -> str:
    return "".join(piece for piece, _ in runs)


# Blocks.


def test_values_are_aligned_and_those_without_one_are_left_out() -> None:
    assert [runs_text(runs) for runs in pairs(MOMENT, ("a", "1"), ("none", ""), ("long", "2"))] == [
        "a     1",
        "long  2",
    ]


def test_a_block_is_folded_under_its_title_and_an_empty_one_is_not_shown() -> None:
    shown = document_of([block("one", [(("x", "bad"),)], folded=True), block("two", [])])
    assert [(line.text, line.depth, line.folded) for line in shown] == [("one", 0, True), ("x", 1, False)]
    assert shown[1].spans == ((0, 1, "bad"),)


# A job.


def detail(**changed: Any) -> JobDetail:
    row = JobRow(
        id="q/k", queue="q", key="k", function="send", state=JobState.FAILED, attempts=3, retries=3, timeout_s=10,
        queued_ms=NOW - H, finished_ms=NOW - M, payload_bytes=400, worker="w-1",
    )  # fmt: skip
    plain: dict[str, Any] = {
        "row": row,
        "document": {"kwargs": {"to": "a@b.c", "password": "hunter2"}},
        "why": "It failed 3 times.",
        "why_cure": "r retries it.",
    }
    return JobDetail(**(plain | changed))


def test_a_job_says_first_why_and_what_to_do() -> None:
    shown = text(job_blocks(detail(), MOMENT))
    assert shown.startswith("why\nIt failed 3 times.\nr retries it.")
    for word in ("3 of 3", "10 s", "400 B", "w-1", "a@b.c"):
        assert word in shown


def test_secrets_are_masked_even_when_they_were_not_before() -> None:
    shown = text(job_blocks(detail(), MOMENT))
    assert "hunter2" not in shown
    assert "***" in shown


def test_a_traceback_a_result_a_log_and_acts_are_shown_when_there_are_any() -> None:
    shown = text(
        job_blocks(
            detail(
                traceback='Traceback (most recent call last):\n  File "a.py", line 1, in f\n    g()\nValueError: no',
                result='"done"',
                log=(LogRow(id="0", at_ms=NOW, level="ERROR", text="it broke"),),
                acts=(AuditRow(id="1", at_ms=NOW, who="bob", origin="", verb="retry", subject="k", reason="try"),),
                crashes=2,
            ),
            MOMENT,
        )
    )
    for word in (
        "ValueError: no",
        '"done"',
        "12:03:20 ERROR",
        "it broke",
        "bob retry k: try",
        "2 workers died under it",
    ):
        assert word in shown
    assert "result" not in text(job_blocks(detail(), MOMENT))


def test_a_payload_that_can_not_be_read_is_shown_raw() -> None:
    row = JobRow(id="q/k", queue="q", key="k", function="", state=JobState.QUEUED, broken="not JSON")
    shown = text(job_blocks(JobDetail(row=row, document={}, raw='{"fun\x1b[2J'), MOMENT))
    assert "payload: not JSON" in shown
    assert "\x1b" not in shown


def test_attempts_are_a_timeline() -> None:
    first = AttemptStat(
        attempt=1, status="failed", queued_ms=NOW - 100 * S, started_ms=NOW - 50 * S, finished_ms=NOW - 25 * S
    )
    second = AttemptStat(attempt=2, status="complete", queued_ms=NOW - 25 * S, started_ms=NOW - 25 * S, finished_ms=NOW)
    assert attempt_bar(first, (first, second), MOMENT, 8) == "····━━  "
    assert attempt_bar(second, (first, second), MOMENT, 8) == "      ━━"
    shown = text(job_blocks(detail(attempts=(first, second)), MOMENT))
    assert "waited 50s" in shown


def test_what_came_before_under_the_same_key_stands_apart() -> None:
    runs = tuple(
        AttemptStat(attempt=number, status="failed", queued_ms=NOW - at * S, started_ms=NOW - at * S + 1)
        for number, at in ((1, 90), (2, 80), (1, 30), (2, 20), (3, 10))
    )
    shown = text(job_blocks(detail(attempts=runs), MOMENT))
    own, _, before = shown.partition("before, under the same key")
    assert own.count("failed   ") == 3
    assert before.count("failed   ") == 2
    assert "same key" not in text(job_blocks(detail(attempts=runs[2:]), MOMENT))


def test_the_log_of_each_attempt_begins_under_its_own_line() -> None:
    runs = tuple(AttemptStat(attempt=at, status="failed", started_ms=NOW - (30 - 10 * at) * S) for at in (1, 2))
    log = tuple(
        LogRow(id=str(at), at_ms=NOW - at * S, level="INFO", text=said)
        for at, said in ((20, "one"), (10, "two"), (1, "x"))
    )
    lines = text(job_blocks(detail(attempts=runs, log=log), MOMENT)).splitlines()
    assert [
        line.split()[-1] if line[:2] == "12" else line.split(",")[0]
        for line in lines[lines.index("log, 3 lines") + 1 :]
    ][:5] == ["attempt 1", "one", "attempt 2", "two", "x"]
    assert "attempt 1," not in text(job_blocks(detail(attempts=runs[:1], log=log), MOMENT))


@pytest.mark.parametrize(
    ("state", "attempts", "retries", "said"),
    [
        (JobState.ACTIVE, 1, 3, "attempt 2 of 3 follows"),
        (JobState.ACTIVE, 3, 3, "its last attempt"),
        (JobState.QUEUED, 0, 2, "attempt 2 of 2 follows"),
        (JobState.SCHEDULED, 2, 3, "its last attempt"),
        (JobState.QUEUED, 0, 1, "its last attempt"),
        (JobState.FAILED, 1, 3, ""),
    ],
)
def test_what_comes_next_is_said_of_what_has_not_ended(state: JobState, attempts: int, retries: int, said: str) -> None:
    row = replace(detail().row, state=state, attempts=attempts, retries=retries)
    shown = text(job_blocks(detail(row=row, version="1.4.2"), MOMENT))
    assert ("if it fails" in shown) is bool(said)
    assert said in shown
    assert "1.4.2" in shown


@pytest.mark.parametrize("times", [(0, 0, 0), (NOW, NOW, NOW), (NOW, 0, 0), (0, NOW, 0), (NOW, NOW - H, NOW - 2 * H)])
def test_no_times_of_an_attempt_break_its_bar(times: tuple[int, int, int]) -> None:
    attempt = AttemptStat(attempt=1, status="lost", queued_ms=times[0], started_ms=times[1], finished_ms=times[2])
    assert cell_width(attempt_bar(attempt, (attempt,), MOMENT, 24)) == 24


def test_the_title_of_a_job_tells_its_state_by_sign_and_word() -> None:
    assert job_title(detail().row, MOMENT) == "send k ✗ failed"


# Queues, workers, groups, schedules.


def test_a_queue_says_who_paused_it_and_what_nobody_takes() -> None:
    stat = QueueStat(
        name="q", depth=3, workers=1, slots=10, depths=(1, 2, 3),
        paused=PauseStat(owner="ann", reason="deploy", until_ms=NOW + H),
    )  # fmt: skip
    shown = text(details.queue_blocks(QueueDetail(row=stat, orphans=(("old", 4),), why="It is paused."), MOMENT))
    for word in ("It is paused.", "ann", "deploy", "13:03:20", "4 waiting  old", "stock SAQ"):
        assert word in shown


def test_a_worker_shows_its_jobs_its_stack_and_what_it_held() -> None:
    row = WorkerRow(
        id="w", name="h:1", host="h", pid=1, slots=2, running=1, state="lost", held=("k1",), skew_ms=2500,
        current=(CurrentJob(key="k", function="f", started_ms=NOW - 9 * S, expected_ms=1_000, overdue_thread=True),),
    )  # fmt: skip
    shown = text(details.worker_blocks(WorkerDetail(row=row, stack="in f\nawait g", stack_key="k"), MOMENT))
    for word in ("f k  9.0s  usually 1.0s", "past its time-out", "stack of k", "await g", "k1", "+2500 ms"):
        assert word in shown


def test_a_group_shows_whom_it_hits_and_a_sample() -> None:
    group = FailureGroup(
        id="q/s", signature="s", queue="q", function="f", exception="E", message="m", count=7, first_ms=NOW - H,
        last_ms=NOW, trend=(0, 1), share=0.5,
    )  # fmt: skip
    shown = text(
        details.group_blocks(
            GroupDetail(row=group, sample=detail(), workers=(("w-1", 5),), versions=(("", 5),)), MOMENT
        )
    )
    for word in ("E: m", "50%", "w-1 5", "? 5", "arguments of k"):
        assert word in shown


def test_a_schedule_shows_its_fires_in_its_zone_and_in_the_viewers() -> None:
    row = ScheduleRow(
        id="q/b", name="b", queue="q", function="f", expression="0 2 * * *", tz="Asia/Tokyo", words="daily"
    )
    viewer = Moment(NOW, timezone(timedelta(hours=1), "CET"))
    shown = text(
        details.schedule_blocks(ScheduleDetail(row=row, fires_ms=(NOW + H,), edits={"expression": "x"}), viewer)
    )
    assert "22:03:20 JST" in shown
    assert "14:03:20 CET" in shown
    assert "changed by operators" in shown


def test_an_unknown_zone_is_painted_in_the_viewers() -> None:
    assert "12:03:20 UTC" in runs_text(details.fire_line(NOW, "Mars/Olympus", MOMENT))


# Lines.


def snapshot(**changed: Any) -> Snapshot:
    plain: dict[str, Any] = {"view": View(), "taken_ms": NOW, "rtt_ms": 2.1, "per_minute": 1284.0}
    return Snapshot(**(plain | changed))


TROUBLE = Verdict(
    level=Level.BAD,
    headline="emails: oldest 48 s",
    since_ms=NOW - 140 * S,
    findings=(Finding(level=Level.BAD, text="a"), Finding(level=Level.WARNING, text="b")),
)


def test_the_verdict_is_a_quiet_word_when_all_is_well_and_else_what_and_since_when() -> None:
    assert lines.verdict_runs(snapshot(), MOMENT) == (("✓ all is well ", "ok"),)
    assert runs_text(lines.verdict_runs(snapshot(verdict=TROUBLE), MOMENT)) == "⚠ emails: oldest 48 s since 12:01 +1 "
    assert lines.verdict_runs(None, MOMENT) == (("reading ", "muted"),)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize(
    "place", ["jobs", "group send_email @emails · 1-17 of 532 · all that match and much more of it"]
)
def test_the_top_line_is_exactly_as_wide_as_the_screen_and_keeps_its_flags(width: int, place: str) -> None:
    flags = [("read-only", "note"), ("protected", "warn")]
    shown = lines.top_runs("production", flags, place, snapshot(verdict=TROUBLE), MOMENT, width)
    assert lines.width_of(shown) == width
    assert "read-only protected" in runs_text(shown)
    assert "jobs" in runs_text(shown) or "group" in runs_text(shown)


def test_the_rule_names_the_environment_the_others_and_the_newest_act() -> None:
    act = AuditRow(id="1", at_ms=NOW - 40 * S, who="bob", origin="", verb="retry", subject="send", done=12)
    people = tuple(OperatorRow(id=it, who=it, origin="", since_ms=0, seen_ms=NOW) for it in ("me:1", "bob"))
    shown = lines.rule_runs("demo", snapshot(acts=(act,), operators=people), "me:", MOMENT, 80)
    assert runs_text(shown).startswith("─ demo ─ with bob ─ 12:02:40 bob: retry 12 send ─")
    assert lines.width_of(shown) == 80
    assert lines.width_of(lines.rule_runs("e" * 200, None, "", MOMENT, 60)) == 60


def test_as_many_keys_as_fit_are_shown() -> None:
    entries = [("e", "new"), ("r", "retry"), ("?", "help")]
    assert runs_text(lines.key_runs(entries, (("2ms ", ""),), 80)).strip().split("  ")[0] == "e new"
    narrow = runs_text(lines.key_runs(entries, (("2ms ", ""),), 18))
    assert "new" in narrow
    assert "retry" not in narrow


def test_the_round_trip_draws_the_eye_when_it_is_long_and_says_when_there_is_none() -> None:
    assert lines.round_trip_runs(snapshot(rtt_ms=300.0), "", False)[-1] == ("300ms ", "warn")
    assert runs_text(lines.round_trip_runs(snapshot(), "line 420ms", False)) == "line 420ms 2ms "
    assert runs_text(lines.round_trip_runs(snapshot(), "", True)) == "no answer "
    assert runs_text(lines.round_trip_runs(None, "", False)) == " "


def test_the_size_of_a_deployment() -> None:
    assert lines.deployment_text(snapshot(queues=(QueueStat(name="a"),))) == "1 queue · 1,284/min"
    assert lines.deployment_text(None) == ""


@pytest.mark.parametrize(
    ("wanted", "room", "given"),
    [
        ((3, 3, 4, 3), 17, (3, 3, 4, 7)),
        ((3, 40, 4, 3), 17, (3, 7, 4, 3)),
        ((1, 1, 1, 1), 2, (1, 1, 1, 1)),
        ((9, 9, 9, 9), 8, (2, 2, 2, 2)),
        ((0, 0, 0, 5), 8, (0, 0, 0, 8)),
    ],
)
def test_lines_are_shared_so_that_no_panel_hides_another(
    wanted: tuple[int, ...], room: int, given: tuple[int, ...]
) -> None:
    assert share_lines(wanted, room) == given


# Sentences.


def schedule(**changed: Any) -> ScheduleRow:
    plain: dict[str, Any] = {"id": "q/b", "name": "b", "queue": "q", "function": "f", "expression": "@daily"}
    return ScheduleRow(**(plain | changed))


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"broken": "30 February"}, "can't fire: 30 February"),
        ({"paused": PauseStat(owner="ann", reason="deploy", until_ms=NOW + H)}, "paused by ann until"),
        ({"paused": PauseStat(owner="ann")}, "until someone resumes it"),
        ({"overdue_ms": 90_000}, "1m30s overdue"),
        ({}, "nobody schedules it"),
        ({"next_ms": NOW + 12 * S, "skip_next": True}, "skips its next run in 00:12"),
        ({"next_ms": NOW + 12 * S, "last_outcome": "skipped", "last_cause": "running"}, "tick was skipped: running"),
    ],
)
def test_why_a_schedule_does_not_run(changed: dict[str, Any], word: str) -> None:
    assert word in why_schedule(schedule(**changed), MOMENT)


@pytest.mark.parametrize(
    ("worker", "waits"),
    [
        ({"functions": ("g",)}, True),
        ({"functions": ("f",)}, False),
        ({"functions": ("g",), "state": "lost"}, False),
        ({"functions": ("g",), "queues": ("other",)}, False),
        ({"functions": (), "deck": False, "state": "stock"}, False),
    ],
)
def test_a_schedule_whose_function_nobody_knows_says_so(worker: dict[str, Any], waits: bool) -> None:
    plain = {"id": "w", "name": "h:1", "version": "1.0", "state": "running", "deck": True, "queues": ("q",)}
    told = why_schedule(schedule(next_ms=NOW + 12 * S), MOMENT, (WorkerRow(**(plain | worker)),))
    assert ("no live worker registers its function f" in told) is waits


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"state": "lost", "held": ("a",), "beat_ms": NOW - M}, "last sign 60 s ago"),
        ({"state": "quiet"}, "told to be quiet"),
        ({"state": "stopping", "running": 3}, "hands back 3 jobs"),
        ({"slots": 2, "running": 2}, "all its 2 slots are busy"),
        ({"slots": 2}, "is idle"),
        ({"slots": 2, "running": 1}, "runs 1 job on 2 slots"),
    ],
)
def test_why_a_worker_takes_nothing(changed: dict[str, Any], word: str) -> None:
    assert word in why_worker(WorkerRow(id="w", **changed), MOMENT)


# Timeline and incident note.


def test_the_timeline_marks_fires_and_names_collisions() -> None:
    fires = {"a": [NOW + 10 * M, NOW + 11 * M], "b": [NOW + 10 * M], "c": [NOW + 99 * H]}
    shown = [runs_text(runs) for runs in timeline_lines(fires, MOMENT, 60)]
    assert shown[0].strip().startswith("12:03")
    assert "2" in shown[1]
    assert "●" in shown[2]
    assert "●" not in shown[3]
    assert any("2 collide at about" in line and "a, b" in line for line in shown)


@pytest.mark.parametrize("expression", ["* * * * * *", "*/5 * * * * *", "* * * * *"])
def test_what_fires_often_fills_the_whole_timeline(expression: str) -> None:
    row = schedule(expression=expression)
    found = fires_of(row, MOMENT.now_ms, cells_of(120))
    (line,) = [runs_text(runs) for runs in timeline_lines({"often": found}, MOMENT, 120)[1:2]]
    assert set(line.removeprefix("often").strip()) <= set("3456789")
    assert len(found) <= MOST_TOLD * cells_of(120)


def test_the_timeline_tells_each_fire_where_there_are_few() -> None:
    found = fires_of(schedule(expression="0 * * * *"), MOMENT.now_ms, cells_of(80))
    assert found == sorted(set(found))
    assert len(found) == HOURS
    until = PauseStat(owner="ann", reason="", until_ms=NOW + 3 * H)
    assert all(at >= NOW + 3 * H for at in fires_of(schedule(expression="0 * * * *", paused=until), NOW, 60))


def test_an_incident_note_is_markdown_that_untrusted_text_can_not_break() -> None:
    group = FailureGroup(
        id="g", signature="s1", queue="q", function="a|b", exception="E", message="[x](y) `z`\n# h", count=3
    )
    seen = snapshot(
        queues=(QueueStat(name="q", depth=3),),
        workers=(WorkerRow(id="w", name="h:1", version="1.0"),),
        groups=(group,),
        verdict=TROUBLE,
        acts=(AuditRow(id="1", at_ms=NOW, who="bob", origin="", verb="retry", subject="s", done=3, reason="why"),),
    )
    bulk = BulkRow(
        id="q/1", queue="q", verb="retry", query="sig:a|b", reason="", owner="ann", mode="canary", state="tripped",
        started_ms=NOW, total=300, done=1, failed=1, tripped="the canary failed again",
    )  # fmt: skip
    note = incident_note("prod", seen, [Outcome(message="Did.", command="quarterdeck retry k")], MOMENT, (), [bulk])
    assert note.startswith("# Incident on prod, 2026-11-22 12:03:20 UTC")
    assert "a\\|b" in note
    assert "\n# h" not in note
    assert "\\[x\\](y)" in note
    assert "quarterdeck retry k" in note
    assert "bob: retry s, 3 jobs (why)" in note
    assert "ann: retry sig:a\\|b, canary: tripped (the canary failed again), 1 of 300 retried, 1 failed again" in note


@pytest.mark.parametrize(
    ("verb", "done"),
    [("delete", "deleted"), ("abort", "aborted"), ("run-now", "made due"), ("retry", "retried"), ("newer", "done")],
)
def test_an_incident_note_says_what_a_bulk_operation_did(verb: str, done: str) -> None:
    bulk = BulkRow(
        id="q/1", queue="q", verb=verb, query="state:failed", reason="", owner="ann", mode="all", state="done",
        started_ms=NOW, total=4_811, done=4_810, skipped=1,
    )  # fmt: skip
    note = incident_note("prod", snapshot(), [], MOMENT, (), [bulk])
    assert f"ann: {verb} state:failed, at once: done, 4,810 of 4,811 {done}, 1 skipped" in note


# Places.


def test_words_after_a_screens_name_narrow_it() -> None:
    view = read_place(View(screen=Screen.JOBS), "@emails failed fn:send age>5m")
    assert (view.queue, view.state, view.filter) == ("emails", JobState.FAILED, "fn:send age>5m")
    assert read_place(View(screen=Screen.FAILURES), "failed").filter == "failed"
    assert read_place(View(screen=Screen.JOB), "@q k1").subject == "k1"


def test_a_view_is_named_as_on_the_command_line() -> None:
    assert view_named(":failures @emails") == View(screen=Screen.FAILURES, queue="emails")
    with pytest.raises(UsageError, match="no view 'nowhere'"):
        view_named("nowhere")
    assert view_named("queue @emails").subject == "emails"
    for word in ("queue", "job", "schedule", "worker @emails", "group"):
        with pytest.raises(UsageError, match="needs a name"):
            view_named(word)


def test_what_a_row_opens() -> None:
    assert view_of(schedule()) == View(screen=Screen.SCHEDULE, queue="q", subject="b")
    assert view_of(QueueStat(name="q")) == View(screen=Screen.QUEUE, queue="q", subject="q")
    log = LogRow(id="1", at_ms=0, level="", text="")
    assert view_of(log) is None
    assert view_of(AuditRow(id="1", at_ms=0, who="", origin="", verb="", subject="")) is None
    assert Moment(NOW, UTC).zone is UTC


def test_all_that_is_wrong_is_listed_with_where_to_look_and_the_server() -> None:
    from quarterdeck.model import ServerStat
    from tui.rendering.findings import finding_blocks

    verdict = Verdict(
        level=Level.BAD,
        headline="x",
        findings=(Finding(level=Level.BAD, text="6 % failing", since_ms=NOW - 2 * M, view="failures"),),
    )
    server = ServerStat(version="9.1", policy="allkeys-lru", memory_bytes=2**20, warnings=("jobs may be evicted",))
    shown = text(finding_blocks(snapshot(verdict=verdict, server=server), MOMENT))
    for word in (
        "6 % failing",
        "since 12:01:20",
        ":failures",
        "allkeys-lru",
        "jobs may be evicted",
        "1.0 MB",
        "2.1 ms",
    ):
        assert word in shown
    assert "nothing" in text(finding_blocks(snapshot(), MOMENT))


def test_bulk_operations_under_way_stand_in_the_rule() -> None:
    def bulk(**changed: Any) -> BulkRow:
        plain: dict[str, Any] = {
            "id": "q/b", "queue": "q", "verb": "retry", "query": "", "reason": "", "owner": "bob", "mode": "canary",
            "state": "running", "started_ms": NOW, "total": 532, "done": 41, "skipped": 2,
        }  # fmt: skip
        return BulkRow(**(plain | changed))

    assert lines.bulk_text(bulk(), MOMENT) == "retry 43/532 canary"
    assert lines.bulk_text(bulk(mode="all", total=-1, state="paused"), MOMENT) == "retry 43, paused"
    shown = lines.rule_runs("demo", snapshot(bulks=(bulk(), bulk(state="done"))), "", MOMENT, 80)
    assert runs_text(shown).count("retry") == 1


@pytest.mark.parametrize(
    ("subject", "done", "says"),
    [
        ("send_email", 12, "retry 12 send_email"),
        ("send_email", 1, "retry send_email"),
        ("2 jobs", 2, "retry 2 jobs"),
        ("1,204 jobs", 1_204, "retry 1,204 jobs"),
        ("3 jobs", 2, "retry 2 of 3 jobs"),
        ("3 jobs", 0, "retry 0 of 3 jobs"),
        ("3-orders", 2, "retry 2 3-orders"),
    ],
)
def test_an_act_says_once_how_many_jobs_it_was_for(subject: str, done: int, says: str) -> None:
    act = AuditRow(id="1", at_ms=NOW, who="bob", origin="", verb="retry", subject=subject, done=done)
    assert lines.act_text(act, MOMENT) == f"12:03:20 bob: {says}"
    note = incident_note("prod", snapshot(acts=(act,)), [], MOMENT)
    assert "2 jobs, 2 jobs" not in note


@pytest.mark.parametrize(("aborted", "says"), [(True, "3 aborted · first"), (False, "3 failed · 8.0% of its runs")])
def test_a_group_that_was_aborted_has_not_failed(aborted: bool, says: str) -> None:
    group = FailureGroup(
        id="q/s", signature="s", queue="q", function="f", exception="", message="aborted by ann", count=3,
        aborted=aborted, share=None if aborted else 0.08,
    )  # fmt: skip
    detail = GroupDetail(row=group)
    assert says in " ".join(runs_text(runs) for runs in summary_runs(detail, MOMENT))
    assert ("aborted jobs" in text(details.group_blocks(detail, MOMENT))) is aborted


def test_a_queue_shows_its_last_hour_a_bar_a_minute() -> None:
    hour = QueueHour(
        arrived=(*(None,) * 59, 120), finished=(0,) * 60, failing=(None,) * 60, p95_ms=(*(None,) * 59, 85.0)
    )
    shown = text(details.queue_blocks(QueueDetail(row=QueueStat(name="q", depths=(3,) * 60), hour=hour), MOMENT))
    lines = {line.split()[0]: line for line in shown.partition("the last hour")[2].splitlines() if line.strip()}
    assert lines["depth"].endswith(" 3")
    assert lines["in"].endswith(" 2.0/s")
    assert lines["p95"].endswith(" 85ms")
    assert not {"out", "failing", "p50"} & set(lines)
    assert "the last hour" not in text(details.queue_blocks(QueueDetail(row=QueueStat(name="q")), MOMENT))


def test_a_queue_shows_what_it_keeps_and_which_bounds_somebody_set() -> None:
    bounds = (
        BoundStat(name="failed_count", unit="count", limit=50_000, usual=20_000, used=535),
        BoundStat(name="failed_age_ms", unit="ms", limit=14 * 24 * H, usual=14 * 24 * H, used=5 * H),
        BoundStat(name="failed_bytes", unit="bytes", limit=2**29, usual=2**29, used=812_000),
        BoundStat(name="ledger_per_schedule", unit="count", limit=1_000, usual=1_000),
        BoundStat(name="ledger_age_ms", unit="ms", limit=90 * 24 * H, usual=90 * 24 * H, used=0),
        BoundStat(name="log_lines", unit="count", limit=50_000, usual=50_000),
    )
    shown = text(details.queue_blocks(QueueDetail(row=QueueStat(name="q"), bounds=bounds), MOMENT))
    kept = [" ".join(line.split()) for line in shown.partition("kept at most")[2].splitlines() if line.strip()]
    assert kept[:5] == [
        "failed 535 of 50,000 5 h of 14d 793 KB of 512MB",
        "ledger 1,000 a schedule - of 90d",
        "log ? of 50,000",
        "set failed_count 50,000, usually 20,000",
        "to set one :retention failed_age 30d, or default",
    ]
    assert "kept at most" not in text(details.queue_blocks(QueueDetail(row=QueueStat(name="q")), MOMENT))


def test_slots_that_stock_workers_do_not_tell_are_not_said_to_be_none() -> None:
    stock = QueueDetail(row=QueueStat(name="shop", active=3, workers=1))
    assert "3 on 1 worker" in text(details.queue_blocks(stock, MOMENT))
    ours = QueueDetail(row=QueueStat(name="shop", active=3, slots=10, workers=1, deck=True))
    assert "3 on 10 slots of 1 worker" in text(details.queue_blocks(ours, MOMENT))


def test_an_expression_that_a_stock_worker_alone_knows_is_left_out() -> None:
    told = text(details.schedule_blocks(ScheduleDetail(row=replace(schedule(), expression="")), MOMENT))
    assert "expression" not in told
    assert "(UTC)" not in told
