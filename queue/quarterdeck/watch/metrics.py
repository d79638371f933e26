"""The snapshot as Prometheus metrics: one truth, another face.

Names follow the Prometheus conventions: base units (seconds, bytes), `_total` for what only grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

if TYPE_CHECKING:
    from quarterdeck.model import QueueStat, ScheduleRow, Snapshot, WorkerRow

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LEVELS: Final = {"ok": 0, "notice": 1, "warning": 2, "bad": 3}


def exposition(snapshot: Snapshot) -> bytes:
    """The text that `/metrics` answers with."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SnapshotCollector(snapshot))
    return generate_latest(registry)


class _SnapshotCollector(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """All metrics of the snapshot."""
        snapshot = self._snapshot
        info = InfoMetricFamily("quarterdeck_server", "The server behind the queues.")
        info.add_metric([], {"version": snapshot.server.version, "policy": snapshot.server.policy})
        yield info
        verdict = GaugeMetricFamily("quarterdeck_verdict", "0 ok, 1 notice, 2 warning, 3 bad.")
        verdict.add_metric([], LEVELS[snapshot.verdict.level])
        yield verdict
        memory = GaugeMetricFamily("quarterdeck_server_memory_bytes", "Memory the server uses.")
        memory.add_metric([], snapshot.server.memory_bytes)
        yield memory
        yield from _of_queues(snapshot.queues)
        yield from _of_workers(snapshot.workers)
        yield from _of_schedules(snapshot.schedules, snapshot.taken_ms)
        yield from _of_functions(snapshot)
        groups = GaugeMetricFamily(
            "quarterdeck_failure_group_jobs",
            "Failed jobs kept, by signature.",
            labels=["queue", "function", "signature"],
        )
        for group in snapshot.groups:
            groups.add_metric([group.queue, group.function, group.signature], group.count)
        yield groups


def _of_queues(queues: tuple[QueueStat, ...]) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("quarterdeck_queue_jobs", "Jobs of a queue, by state.", labels=["queue", "state"])
    oldest = GaugeMetricFamily("quarterdeck_queue_oldest_seconds", "Age of the oldest waiting job.", labels=["queue"])
    paused = GaugeMetricFamily("quarterdeck_queue_paused", "1 while the queue is paused.", labels=["queue"])
    slots = GaugeMetricFamily("quarterdeck_queue_slots", "Slots of the workers that serve a queue.", labels=["queue"])
    latency = GaugeMetricFamily(
        "quarterdeck_queue_duration_seconds", "Durations over the last five minutes.", labels=["queue", "quantile"]
    )
    rates = GaugeMetricFamily(
        "quarterdeck_queue_jobs_per_second", "Jobs enqueued and finished a second.", labels=["queue", "direction"]
    )
    share = GaugeMetricFamily(
        "quarterdeck_queue_failure_ratio", "Share of attempts that failed, last five minutes.", labels=["queue"]
    )
    for queue in queues:
        for state, count in (
            ("queued", queue.depth),
            ("active", queue.active),
            ("scheduled", queue.scheduled),
            ("failed", queue.failed),
            ("quarantined", queue.quarantined + queue.held),
        ):
            jobs.add_metric([queue.name, state], count)
        oldest.add_metric([queue.name], (queue.oldest_ms or 0) / 1000)
        paused.add_metric([queue.name], int(queue.paused is not None))
        slots.add_metric([queue.name], queue.slots)
        for quantile, value in (("0.5", queue.p50_ms), ("0.95", queue.p95_ms), ("0.99", queue.p99_ms)):
            if value is not None:
                latency.add_metric([queue.name, quantile], value / 1000)
        for direction, rate in (("in", queue.in_per_s), ("out", queue.out_per_s)):
            if rate is not None:
                rates.add_metric([queue.name, direction], rate)
        if queue.failure_rate is not None:
            share.add_metric([queue.name], queue.failure_rate)
    yield from (jobs, oldest, paused, slots, latency, rates, share)


def _of_workers(workers: tuple[WorkerRow, ...]) -> Iterator[Metric]:
    slots = GaugeMetricFamily("quarterdeck_worker_slots", "Slots of a worker.", labels=["worker", "use"])
    states = GaugeMetricFamily("quarterdeck_workers", "Workers, by state.", labels=["state"])
    for worker in workers:
        slots.add_metric([worker.name or worker.id, "all"], worker.slots)
        slots.add_metric([worker.name or worker.id, "used"], worker.running)
    for state in ("running", "quiet", "stopping", "lost", "stock"):
        states.add_metric([state], sum(worker.state == state for worker in workers))
    yield from (slots, states)


def _of_schedules(schedules: tuple[ScheduleRow, ...], now_ms: int) -> Iterator[Metric]:
    following = GaugeMetricFamily(
        "quarterdeck_schedule_next_seconds", "Seconds until the next fire.", labels=["queue", "schedule"]
    )
    missed = GaugeMetricFamily(
        "quarterdeck_schedule_missed", "Ticks missed or late in the last day.", labels=["queue", "schedule"]
    )
    for row in schedules:
        if row.next_ms is not None:
            following.add_metric([row.queue, row.name], (row.next_ms - now_ms) / 1000)
        missed.add_metric([row.queue, row.name], row.missed)
    yield from (following, missed)


def _of_functions(snapshot: Snapshot) -> Iterator[Metric]:
    attempts = GaugeMetricFamily(
        "quarterdeck_function_attempts", "Attempts ended in the last hour.", labels=["queue", "function", "status"]
    )
    for stat in snapshot.function_stats:
        for status in ("complete", "failed", "retried", "aborted"):
            attempts.add_metric([stat.queue, stat.name, status], getattr(stat, status))
    yield attempts
