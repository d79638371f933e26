"""/metrics: the snapshot in Prometheus' text format, whatever the names hold."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from quarterdeck.model import (
    FailureGroup,
    FunctionStat,
    Level,
    PauseStat,
    QueueStat,
    ScheduleRow,
    Snapshot,
    Verdict,
    View,
    WorkerRow,
)
from quarterdeck.watch.metrics import exposition

HOSTILE = 'q"\\\n\x1b[2J{}'


def samples(snapshot: Snapshot) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = exposition(snapshot).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_an_empty_snapshot_is_still_a_valid_exposition() -> None:
    found = samples(Snapshot(view=View(), taken_ms=1))
    assert found[("quarterdeck_verdict", ())] == 0


def test_every_figure_of_the_screen_is_there_in_base_units() -> None:
    found = samples(
        Snapshot(
            view=View(),
            taken_ms=1_000_000,
            verdict=Verdict(level=Level.BAD),
            queues=(
                QueueStat(
                    name=HOSTILE,
                    depth=3,
                    active=2,
                    failed=9,
                    oldest_ms=48_000,
                    p95_ms=1_200.0,
                    in_per_s=2.5,
                    failure_rate=0.25,
                    paused=PauseStat(owner="ann"),
                ),
            ),
            workers=(WorkerRow(id="w", name="web:1", slots=10, running=4), WorkerRow(id="x", state="lost")),
            schedules=(ScheduleRow(id="q/n", name="n", queue="q", function="f", expression="", next_ms=1_060_000),),
            groups=(
                FailureGroup(id="q/s", signature="s", queue="q", function="f", exception="E", message="", count=7),
            ),
            function_stats=(FunctionStat(queue="q", name="f", complete=5, failed=1),),
        )
    )
    queue = ("queue", HOSTILE)
    assert found[("quarterdeck_verdict", ())] == 3
    assert found[("quarterdeck_queue_jobs", (queue, ("state", "queued")))] == 3
    assert found[("quarterdeck_queue_oldest_seconds", (queue,))] == 48
    assert found[("quarterdeck_queue_duration_seconds", (("quantile", "0.95"), queue))] == 1.2
    assert found[("quarterdeck_queue_paused", (queue,))] == 1
    assert found[("quarterdeck_queue_failure_ratio", (queue,))] == 0.25
    assert found[("quarterdeck_worker_slots", (("use", "used"), ("worker", "web:1")))] == 4
    assert found[("quarterdeck_workers", (("state", "lost"),))] == 1
    assert found[("quarterdeck_schedule_next_seconds", (("queue", "q"), ("schedule", "n")))] == 60
    assert found[("quarterdeck_failure_group_jobs", (("function", "f"), ("queue", "q"), ("signature", "s")))] == 7
    assert found[("quarterdeck_function_attempts", (("function", "f"), ("queue", "q"), ("status", "failed")))] == 1
