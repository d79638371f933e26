"""Snapshots as a server would give them, without one; and doubles of the two seams that answer with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC
from typing import Any

from msgspec.structs import replace

from quarterdeck.errors import QuarterdeckError, UnreachableError
from quarterdeck.model import (
    AttemptStat,
    AuditRow,
    BinRow,
    BlastCard,
    BoundStat,
    BulkRow,
    CurrentJob,
    FailureGroup,
    Finding,
    FunctionSpec,
    FunctionStat,
    GroupDetail,
    JobDetail,
    JobRow,
    JobState,
    Level,
    LogRow,
    OperatorRow,
    Outcome,
    Page,
    ParameterSpec,
    PauseStat,
    QuarantineRow,
    QueueDetail,
    QueueHour,
    QueueStat,
    RunRow,
    ScheduleDetail,
    ScheduleRow,
    Screen,
    Selection,
    Snapshot,
    Tally,
    Verb,
    Verdict,
    View,
    WorkerDetail,
    WorkerRow,
)
from tui.app import Deck
from tui.station import Right, Station
from tui.widgets.clock import DeckClock

NOW_MS = 1_795_349_000_000
"""2026-11-22 12:03:20 UTC."""
S, M, H = 1_000, 60_000, 3_600_000

TRACEBACK = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.12/site-packages/quarterdeck/worker/running.py", line 210, in run
    return await function(context, **arguments)
  File "/srv/app/mail.py", line 41, in send_email
    deliver(message)
  File "/srv/venv/lib/python3.12/site-packages/smtplib.py", line 255, in __init__
    (code, msg) = self.connect(host, port)
  File "/srv/venv/lib/python3.12/site-packages/smtplib.py", line 341, in connect
    self.sock = self._get_socket(host, port, self.timeout)
ConnectionError: smtp:25 refused
"""


def queues() -> tuple[QueueStat, ...]:
    """Three queues: calm, backing up, paused."""
    rising = tuple(5 + minute * minute // 3 for minute in range(60))
    calm = tuple(30 + (minute * 7) % 13 for minute in range(60))
    return (
        QueueStat(
            name="default", depth=42, active=7, scheduled=3, failed=3, oldest_ms=1_000, in_per_s=20.1, out_per_s=21.4,
            failure_rate=0.003, p50_ms=31, p95_ms=85, p99_ms=140, depths=calm, slots=20, workers=2, deck=True,
        ),
        QueueStat(
            name="emails", depth=1204, active=10, scheduled=0, failed=532, oldest_ms=48_000, in_per_s=35.0,
            out_per_s=12.2, failure_rate=0.061, p50_ms=640, p95_ms=1200, p99_ms=2400, depths=rising, slots=10,
            workers=1, deck=True, failing_since_ms=NOW_MS - 140 * S,
        ),
        QueueStat(
            name="reports", in_per_s=0.1, out_per_s=0.1, failure_rate=0.0, p95_ms=4100, depths=(0,) * 60, slots=10,
            workers=1, deck=True,
            paused=PauseStat(owner="ann", reason="quarter end", at_ms=NOW_MS - 19 * M, until_ms=NOW_MS + 41 * M),
        ),
    )  # fmt: skip


def workers() -> tuple[WorkerRow, ...]:
    """A busy one, an idle one that lags a version behind, and a lost one."""
    export = CurrentJob(key="x1", function="export_csv", started_ms=NOW_MS - 3 * S, queue="default", expected_ms=4000)
    emails = (CurrentJob(key=f"e{at}", function="send_email", started_ms=NOW_MS - 12 * S) for at in range(5))
    busy = (*emails, export)
    return (
        WorkerRow(
            id="w-1", name="web-1:4123", host="web-1", pid=4123, queues=("default", "emails"), slots=10, running=6,
            current=busy, beat_ms=NOW_MS - 400, started_ms=NOW_MS - 2 * H, version="1.4.2", complete=18_204, failed=61,
            functions=("send_email", "export_csv"), cpu_percent=38.0, memory_bytes=88_000_000,
        ),
        WorkerRow(
            id="w-2", name="web-2:4188", host="web-2", pid=4188, queues=("default",), slots=10, beat_ms=NOW_MS - 1200,
            started_ms=NOW_MS - 26 * H, version="1.4.1", complete=9_120, failed=3, functions=("export_csv",),
        ),
        WorkerRow(
            id="w-0", name="web-1:3990", host="web-1", pid=3990, queues=("emails",), slots=10, state="lost",
            beat_ms=NOW_MS - 4 * M, started_ms=NOW_MS - 9 * H, version="1.4.1", held=("e90", "e91", "e92"),
        ),
    )  # fmt: skip


def schedules() -> tuple[ScheduleRow, ...]:
    """One calm, one that failed and missed, one paused, one that can't be read."""
    return (
        ScheduleRow(
            id="default/nightly_backup", name="nightly_backup", queue="default", function="backup",
            expression="0 2 * * *", words="every day at 02:00", next_ms=NOW_MS + 8049 * S, last_ms=NOW_MS - 10 * H,
            last_outcome="ran", last_duration_ms=41_000, strip=("complete",) * 8,
        ),
        ScheduleRow(
            id="default/health_check", name="health_check", queue="default", function="health",
            expression="*/15 * * * *", words="every 15 minutes", next_ms=NOW_MS + 12 * S, last_ms=NOW_MS - 200 * S,
            last_outcome="failed", missed=2, strip=("complete", "complete", "skipped", "failed"),
        ),
        ScheduleRow(
            id="reports/weekly", name="weekly", queue="reports", function="report", expression="30 6 * * mon",
            tz="Europe/Berlin", words="every Monday at 06:30 Berlin", next_ms=NOW_MS + 20 * H,
            paused=PauseStat(owner="bob", reason="moving house", until_ms=NOW_MS + 55 * M), origin="runtime",
        ),
        ScheduleRow(
            id="default/never", name="never", queue="default", function="report", expression="0 0 30 2 *",
            broken="30 February never comes", origin="saq",
        ),
    )  # fmt: skip


def groups() -> tuple[FailureGroup, ...]:
    """A storm, a bug, and a poison."""
    return (
        FailureGroup(
            id="emails/a1b2c3d4e5f6", signature="a1b2c3d4e5f6", queue="emails", function="send_email",
            exception="ConnectionError", message="smtp:25 refused", frame="mail.py:41 in send_email", count=532,
            first_ms=NOW_MS - 140 * S, last_ms=NOW_MS - 2 * S, trend=(0, 0, 0, 0, 0, 0, 1, 0, 4, 40, 180, 307),
            share=0.061,
        ),
        FailureGroup(
            id="default/0011223344ff", signature="0011223344ff", queue="default", function="export_csv",
            exception="KeyError", message="'tenant_id'", frame="export.py:88 in export_csv", count=3,
            first_ms=NOW_MS - 5 * H, last_ms=NOW_MS - 4 * M, trend=(0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0), share=0.004,
        ),
        FailureGroup(
            id="default/99ff00112233", signature="99ff00112233", queue="default", function="render_pdf",
            exception="Poison", message="its worker died 3 times", count=1, first_ms=NOW_MS - 9 * M,
            last_ms=NOW_MS - 9 * M, trend=(0,) * 11 + (1,), poison=True,
        ),
    )  # fmt: skip


def job(at: int, state: JobState = JobState.FAILED, **changed: Any) -> JobRow:
    """One job; `at` makes it its own."""
    row = JobRow(
        id=f"emails/e{at}", queue="emails", key=f"e{at}", function="send_email", state=state, attempts=1, retries=3,
        queued_ms=NOW_MS - 200 * S - at, started_ms=NOW_MS - 100 * S - at, finished_ms=NOW_MS - 99 * S - at * S,
        arguments=f'{{"to": "user{at}@example.com", "password": "***"}}', duration_ms=812, worker="w-1",
    )  # fmt: skip
    if state is JobState.FAILED:
        row = replace(row, error="ConnectionError: smtp:25 refused", signature="a1b2c3d4e5f6")
    if state is JobState.SCHEDULED:
        row = replace(row, scheduled_ms=NOW_MS + 90 * S, attempts=0)
    return replace(row, **changed)


def bounds() -> tuple[BoundStat, ...]:
    """What a queue keeps, with two bounds that somebody set."""
    plain = (
        ("history_count", "count", 100_000, 18_265), ("history_age_ms", "ms", 90 * 24 * H, 5 * 24 * H),
        ("history_bytes", "bytes", 2**26, 2_116_000), ("failed_count", "count", 20_000, 535),
        ("failed_age_ms", "ms", 14 * 24 * H, 5 * H), ("failed_bytes", "bytes", 2**29, 812_000),
        ("log_lines", "count", 50_000, 50_000), ("ledger_count", "count", 50_000, 412),
        ("ledger_per_schedule", "count", 1_000, None), ("ledger_age_ms", "ms", 90 * 24 * H, 0),
    )  # fmt: skip
    changed = {"failed_count": 50_000, "failed_age_ms": 30 * 24 * H}
    return tuple(
        BoundStat(name=name, unit=unit, limit=changed.get(name, usual), usual=usual, used=used)
        for name, unit, usual, used in plain
    )


def functions() -> tuple[FunctionSpec, ...]:
    """What live workers register."""
    return (
        FunctionSpec(
            name="send_email",
            queues=("emails",),
            parameters=(
                ParameterSpec(name="to", type="str"),
                ParameterSpec(name="retries_left", type="int", required=False, default="3"),
            ),
            doc="Send one mail.",
        ),
        FunctionSpec(name="export_csv", queues=("default",), parameters=(ParameterSpec(name="tenant", type="int"),)),
        FunctionSpec(name="ping", queues=("default", "emails"), accepts_any=True),
    )


def log_lines(count: int = 40) -> tuple[LogRow, ...]:
    """Lines of a job's log."""
    levels = ("INFO", "INFO", "DEBUG", "WARNING", "ERROR")
    return tuple(
        LogRow(
            id=f"{NOW_MS - (count - at) * S}-0", at_ms=NOW_MS - (count - at) * S, level=levels[at % 5],
            text=f"step {at}: sending to user{at}@example.com", key=f"e{at % 7}", function="send_email", worker="w-1",
            attempt=1,
        )
        for at in range(count)
    )  # fmt: skip


def acts() -> tuple[AuditRow, ...]:
    """What operators did lately, newest first."""
    return (
        AuditRow(
            id="1-2", at_ms=NOW_MS - 40 * S, who="bob", origin="bob@bastion", verb="retry", subject="send_email",
            done=12, skipped=1, reason="mail host is back", command="quarterdeck retry --queue emails --key e1",
            queue="emails", undo="1-2",
        ),
        AuditRow(
            id="1-1", at_ms=NOW_MS - 19 * M, who="ann", origin="ann@laptop", verb="pause-queue", subject="reports",
            reason="quarter end", done=1, command="quarterdeck queues pause reports --for 1h", queue="reports",
        ),
    )  # fmt: skip


def operators() -> tuple[OperatorRow, ...]:
    """Who is attached."""
    return (
        OperatorRow(id="me", who="me", origin="me@here", since_ms=NOW_MS - H, seen_ms=NOW_MS, screen="overview"),
        OperatorRow(id="bob", who="bob", origin="bob@bastion", since_ms=NOW_MS - H, seen_ms=NOW_MS, screen="failures"),
    )


def job_detail(key: str = "e7", **changed: Any) -> JobDetail:
    """A failed job, whole."""
    at = int(key[1:]) if key[1:].isdecimal() else 7
    detail = JobDetail(
        row=job(at, attempts=3),
        document={
            "function": "send_email", "key": key, "queue": "emails", "retries": 3,
            "kwargs": {"to": f"user{at}@example.com", "password": "***"},
        },
        raw=f'{{"function":"send_email","key":"{key}","kwargs":{{"to":"user{at}@example.com","password":"***"}}}}',
        traceback=TRACEBACK,
        attempts=tuple(
            AttemptStat(
                attempt=n, status="failed" if n == 3 else "retried", queued_ms=NOW_MS - (400 - n * 100) * S,
                started_ms=NOW_MS - (399 - n * 100) * S, finished_ms=NOW_MS - (397 - n * 100) * S, duration_ms=2000,
                worker="w-1", signature="a1b2c3d4e5f6", error="ConnectionError: smtp:25 refused",
            )
            for n in (1, 2, 3)
        ),
        log=log_lines(6),
        why="It failed 3 of 3 times and waits for an operator.",
        why_cure="Retry it with r when smtp:25 answers again.",
        acts=acts()[:1],
    )  # fmt: skip
    return replace(detail, **changed)


def busy(view: View) -> Snapshot:
    """What a server in trouble says to any view."""
    base = Snapshot(
        view=view,
        taken_ms=NOW_MS,
        rtt_ms=2.1,
        verdict=Verdict(
            level=Level.BAD,
            headline="emails: oldest 48 s, 6.1 % failing",
            since_ms=NOW_MS - 140 * S,
            findings=(
                Finding(level=Level.BAD, text="emails: 6.1 % failing", since_ms=NOW_MS - 140 * S, view="failures"),
                Finding(level=Level.WARNING, text="worker web-1:3990 was lost", since_ms=NOW_MS - 4 * M),
            ),
        ),
        queues=queues(),
        workers=workers(),
        schedules=schedules(),
        schedule_count=4,
        groups=groups(),
        functions=functions(),
        operators=operators(),
        acts=acts(),
        per_minute=1284.0,
    )
    return replace(base, **_answer(view))


def _answer(view: View) -> dict[str, Any]:
    """What is special to a view: its page and its detail."""
    match view.screen:
        case Screen.JOBS:
            return {"page": _jobs(view)}
        case Screen.GROUP:
            group = next((it for it in groups() if it.signature == view.subject), groups()[0])
            detail = GroupDetail(
                row=group, sample=job_detail(), workers=(("w-1", 180), ("w-2", 20)), versions=(("1.4.2", 200),)
            )
            return {"page": _jobs(replace(view, state=JobState.FAILED), 532), "detail": detail}
        case Screen.JOB:
            return {"detail": job_detail(view.subject or "e7")}
        case Screen.LOGS:
            return {"page": Page(rows=log_lines(), total=40, cursor=f"{NOW_MS}-0", dropped=12)}
        case Screen.AUDIT:
            return {"page": Page(rows=acts(), total=2)}
        case Screen.QUEUE:
            stat = next((it for it in queues() if it.name == view.subject), queues()[0])
            detail = QueueDetail(
                row=stat, functions=(("send_email", 1), ("export_csv", 2)), orphans=(("old_job", 4),),
                hour=QueueHour(
                    arrived=tuple(1_200 + 40 * minute for minute in range(60)), finished=(1_260,) * 60,
                    failing=(*((0.0,) * 40), *(at / 300 for at in range(20))), p50_ms=(31.0,) * 60,
                    p95_ms=tuple(80.0 + minute for minute in range(60)),
                ),
                bounds=bounds(),
                why="10 of 10 slots are busy; about 98 s until a new job starts.", why_cure="Add workers.",
            )  # fmt: skip
            return {"detail": detail}
        case Screen.WORKER:
            row = next((it for it in workers() if it.id == view.subject), workers()[0])
            return {"detail": WorkerDetail(row=row, functions=functions())}
        case Screen.SCHEDULE:
            row = next((it for it in schedules() if it.name == view.subject), schedules()[0])
            return {"detail": schedule_detail(row), "page": Page(rows=runs(), total=len(runs()))}
        case _:
            return _rest(view)


def _rest(view: View) -> dict[str, Any]:
    match view.screen:
        case Screen.BIN:
            row = BinRow(
                id="emails/b1", queue="emails", key="b1", function="send_email", deleted_ms=NOW_MS - M,
                expires_ms=NOW_MS + 23 * H, who="bob", was=JobState.FAILED, act="1-9", error="ConnectionError",
            )  # fmt: skip
            return {"page": Page(rows=(row,), total=1)}
        case Screen.BULKS:
            return {"page": Page(rows=bulks(), total=2), "bulks": bulks()}
        case Screen.QUARANTINE:
            rows = (
                QuarantineRow(
                    id="emails/q1", queue="emails", key="q1", reason="not JSON: unexpected end", at_ms=NOW_MS - M,
                    raw='{"function": "send_em',
                ),
                QuarantineRow(
                    id="emails/q2", queue="emails", key="q2", reason="rule of ann: tenant 7", at_ms=NOW_MS - 2 * M,
                    rule="r1", function="send_email",
                ),
            )  # fmt: skip
            return {"page": Page(rows=rows, total=2)}
        case Screen.METRICS:
            stats = (
                FunctionStat(
                    queue="emails", name="send_email", complete=8_120, failed=532, retried=61, p50_ms=640, p95_ms=1200,
                    p99_ms=2400, mean_ms=702, counts=tuple(range(60)),
                ),
                FunctionStat(queue="default", name="export_csv", complete=912, failed=3, p50_ms=31, p95_ms=85),
            )  # fmt: skip
            return {"function_stats": stats}
    return {}


def runs() -> tuple[RunRow, ...]:
    """A ledger: ran, late, skipped, failed."""
    return (
        RunRow(
            id="5-0", name="nightly_backup", tick_ms=NOW_MS - 10 * H, outcome="ran", status="COMPLETED", job_key="k5",
            start_ms=NOW_MS - 10 * H, end_ms=NOW_MS - 10 * H + 41 * S, duration_ms=41_000, result='"ok"',
            queue="default",
        ),
        RunRow(
            id="4-0", name="nightly_backup", tick_ms=NOW_MS - 34 * H, outcome="late", late_ms=95_000, status="FAILED",
            job_key="k4", cause="scheduler down", error="OSError: disk full", duration_ms=400, queue="default",
        ),
        RunRow(
            id="3-0", name="nightly_backup", tick_ms=NOW_MS - 58 * H, outcome="skipped", status="SKIPPED",
            cause="paused by ann", queue="default",
        ),
    )  # fmt: skip


def schedule_detail(row: ScheduleRow) -> ScheduleDetail:
    """A schedule, whole."""
    return ScheduleDetail(
        row=row,
        fires_ms=tuple(NOW_MS + 8049 * S + day * 24 * H for day in range(10)),
        runs=runs(),
        code={"expression": row.expression, "function": row.function, "overlap": "skip"},
        edits={"expression": {"value": "0 2 * * *", "who": "ann"}},
        acts=acts()[1:],
    )


def bulks() -> tuple[BulkRow, ...]:
    """A canary that waits, and one that tripped."""
    return (
        BulkRow(
            id="emails/b-1", queue="emails", verb="retry", query="signature a1b2c3d4e5f6", reason="mail host is back",
            owner="bob", mode="canary", state="running", started_ms=NOW_MS - 30 * S, total=532, done=41, failed=1,
            skipped=2, per_s=5, phase="5 per second",
        ),
        BulkRow(
            id="default/b-2", queue="default", verb="retry", query="fn:export_csv", reason="", owner="ann",
            mode="paced", state="tripped", started_ms=NOW_MS - 8 * M, total=3, done=2, failed=2,
            tripped="2 of 2 failed again",
        ),
    )  # fmt: skip


def _jobs(view: View, total: int = 532) -> Page:
    """The window of a list of jobs in one state."""
    state = view.state or JobState.FAILED
    rows = tuple(job(at, state) for at in range(view.offset, min(view.offset + view.limit, total)))
    searched = 20_000 if view.filter else 0
    return Page(
        offset=view.offset, total=total, rows=rows, searched=searched, total_unfiltered=1_000_000 if searched else total
    )


def calm(view: View) -> Snapshot:
    """Everything runs."""
    quiet = tuple(
        replace(
            it, depth=2, oldest_ms=300, failure_rate=0.0, failing_since_ms=None, failed=0, paused=None, out_per_s=36.0
        )
        for it in queues()
    )
    base = busy(view)
    return replace(
        base, verdict=Verdict(), queues=quiet, workers=workers()[:1], schedules=schedules()[:1], groups=(), acts=(),
        operators=operators()[:1],
    )  # fmt: skip


def empty(view: View) -> Snapshot:
    """A server that holds nothing yet."""
    return Snapshot(view=view, taken_ms=NOW_MS, rtt_ms=0.4)


class FakeSource:
    """Answers every view by `answer`, or fails with `error` while one is set. Remembers what it was asked."""

    def __init__(self, answer: Callable[[View], Snapshot] = busy) -> None:
        self.answer = answer
        self.error: QuarterdeckError | None = None
        self.asked: list[View] = []
        self.closed = False

    async def snapshot(self, view: View) -> Snapshot:
        self.asked.append(view)
        if self.error is not None:
            raise self.error
        return self.answer(view)

    async def close(self) -> None:
        self.closed = True


class FakeOperator:
    """Remembers what it was told to do, and says that it did it; raises `error` while one is set."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.error: QuarterdeckError | None = None
        self.presences: list[str] = []
        self.closed = False
        self.count = 532
        self.dropped: tuple[Tally, ...] = ()

    def _did(self, *call: Any, **outcome: Any) -> Outcome:
        if self.error is not None:
            raise self.error
        self.calls.append(call)
        defaults = {"message": f"Did {call[0]}.", "done": 1, "command": f"quarterdeck {call[0]}", "undo": "u-1"}
        return Outcome(**(defaults | outcome))

    async def preview(self, verb: Verb, selection: Selection) -> BlastCard:
        count = len(selection.refs) or self.count
        return BlastCard(
            verb=verb, count=count, functions=(Tally(name="send_email", count=count),),
            queues=(Tally(name="emails", count=count),), oldest_ms=NOW_MS - 140 * S, newest_ms=NOW_MS - 2 * S,
            sample=("e1", "e2"), drain_s=44.0, reversible=verb is not Verb.DELETE,
            command=f"quarterdeck {verb} --queue emails --signature a1b2c3d4e5f6",
        )  # fmt: skip

    async def act(self, verb: Verb, selection: Selection, *, reason: str = "", pace: Any = None) -> Outcome:
        many = len(selection.refs) != 1
        return self._did(str(verb), selection, reason, pace, bulk="b-1" if many else "")

    async def enqueue(self, queue: str, function: str, arguments: Mapping[str, Any], **options: Any) -> Outcome:
        return self._did("enqueue", queue, function, dict(arguments), options, key="new-1")

    async def edit_and_retry(self, ref: Any, arguments: Mapping[str, Any], *, reason: str = "") -> Outcome:
        return self._did("edit_and_retry", ref, dict(arguments), reason)

    async def pause_queue(self, queue: str, *, for_s: float | None = 3600, reason: str = "") -> Outcome:
        return self._did("pause_queue", queue, for_s, reason)

    async def resume_queue(self, queue: str) -> Outcome:
        return self._did("resume_queue", queue)

    async def preview_retention(self, queue: str, values: Mapping[str, str]) -> tuple[Tally, ...]:
        if self.error is not None:
            raise self.error
        return self.dropped

    async def set_retention(self, queue: str, values: Mapping[str, str], *, reason: str = "") -> Outcome:
        return self._did("set_retention", queue, dict(values), reason)

    async def pause_schedule(self, queue: str, name: str, *, for_s: float | None = 3600, reason: str = "") -> Outcome:
        return self._did("pause_schedule", queue, name, for_s, reason)

    async def resume_schedule(self, queue: str, name: str) -> Outcome:
        return self._did("resume_schedule", queue, name)

    async def skip_next(self, queue: str, name: str, *, skip: bool = True) -> Outcome:
        return self._did("skip_next", queue, name, skip)

    async def run_schedule(self, queue: str, name: str, *, arguments: Mapping[str, Any] | None = None) -> Outcome:
        return self._did("run_schedule", queue, name, arguments)

    async def pause_schedules(
        self, queue: str, names: Sequence[str], *, for_s: float | None = 3600, reason: str = ""
    ) -> Outcome:
        return self._did("pause_schedules", queue, tuple(names), for_s, reason)

    async def resume_schedules(self, queue: str, names: Sequence[str]) -> Outcome:
        return self._did("resume_schedules", queue, tuple(names))

    async def add_schedule(self, queue: str, values: Mapping[str, Any]) -> Outcome:
        return self._did("add_schedule", queue, dict(values))

    async def edit_schedule(self, queue: str, name: str, fields: Mapping[str, Any], *, reason: str = "") -> Outcome:
        return self._did("edit_schedule", queue, name, dict(fields), reason)

    async def reset_schedule(self, queue: str, name: str, *, reason: str = "") -> Outcome:
        return self._did("reset_schedule", queue, name, reason)

    async def delete_schedule(self, queue: str, name: str, *, reason: str = "") -> Outcome:
        return self._did("delete_schedule", queue, name, reason)

    async def control_worker(self, worker: str, command: str, value: str = "") -> Outcome:
        return self._did("control_worker", worker, command, value)

    async def quarantine(
        self, queue: str, *, function: str, argument: str = "", error: str = "", reason: str = ""
    ) -> Outcome:
        return self._did("quarantine", queue, function, argument, error, reason)

    async def lift_quarantine(self, queue: str, rule: str, *, release: bool = True) -> Outcome:
        return self._did("lift_quarantine", queue, rule, release)

    async def delete_unreadable(self, queue: str, entries: Sequence[str] = (), *, reason: str = "") -> Outcome:
        return self._did("delete_unreadable", queue, tuple(entries), reason)

    async def put_back(
        self, queue: str, entry: str, payload: Mapping[str, Any] | None = None, *, reason: str = ""
    ) -> Outcome:
        return self._did("put_back", queue, entry, payload, reason)

    async def control_bulk(self, queue: str, bulk: str, command: str) -> Outcome:
        return self._did("control_bulk", queue, bulk, command)

    async def undo(self, act: str = "") -> Outcome:
        return self._did("undo", act, undo="")

    async def note(self, text: str) -> Outcome:
        return self._did("note", text, undo="")

    async def traffic(self, command: str) -> Outcome:
        return self._did("traffic", command, undo="")

    async def present(self, screen: str) -> None:
        self.presences.append(screen)

    async def close(self) -> None:
        self.closed = True


class Bridge:
    """A deck over doubles: `deck` is the app, `source` and `operator` what it reads from and acts through."""

    def __init__(self, answer: Callable[[View], Snapshot] = busy, **station: Any) -> None:
        self.source = FakeSource(answer)
        self.operator = FakeOperator()

        async def open_source() -> FakeSource:
            return self.source

        async def open_operator() -> FakeOperator:
            return self.operator

        self.station = Station(
            **(
                {
                    "open_source": open_source,
                    "open_operator": open_operator,
                    "name": "demo",
                    "operator_id": "me",
                    "clock": DeckClock(lambda: NOW_MS),
                    "zone": UTC,
                    "right": Right.ADMIN,
                    "refresh_s": 60.0,
                }
                | station
            )
        )
        self.deck = Deck(self.station)

    def goes_away(self) -> None:
        """From now on the server does not answer."""
        self.source.error = UnreachableError("The server at unix:///run/qd.sock does not answer.")
