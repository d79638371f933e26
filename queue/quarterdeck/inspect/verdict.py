"""Is something wrong, since when, how much, and what is it? A pure function of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from quarterdeck.inspect.grouping import STEP_MS
from quarterdeck.model import (
    FailureGroup,
    Finding,
    Level,
    QueueStat,
    Snapshot,
    Verdict,
    WorkerRow,
    failing_level,
    waiting_level,
)
from quarterdeck.text import count_of, human_age, human_bytes, human_count, human_percent

MEMORY: Final = 0.75
FULL_MEMORY: Final = 0.9
"""Shares of the memory limit that are a warning, and bad."""
SKEW_MS: Final = 5_000
TOGETHER: Final = 3
"""So many functions failing with one error are likely one cause."""
_RANKS: Final = {Level.OK: 0, Level.NOTICE: 1, Level.WARNING: 2, Level.BAD: 3}
_LATE_MS: Final = 30_000
PRESENT_STEPS: Final = 2
"""Steps of a group's trend that count as now."""


def verdict_of(snapshot: Snapshot) -> Verdict:
    """The verdict on a snapshot: the worst finding first, of equal ones a likely cause, then what has lasted longest.

    Texts hold no clock times: a finding's `since_ms` is for whoever paints it to say in the viewer's zone.
    """
    causes = list(_together(snapshot.groups, snapshot.taken_ms))
    found = [*_server(snapshot), *_queues(snapshot), *causes, *_workers(snapshot)]
    found += [*_schedules(snapshot), *_bulks(snapshot), *_nobody(snapshot)]
    if not found:
        return Verdict(headline="all is well")
    # What explains the other findings comes before them: a queue that fails says less than why all of them do.
    found.sort(key=lambda it: (-_RANKS[it.level], it not in causes, it.since_ms or snapshot.taken_ms))
    worst = found[0]
    return Verdict(level=worst.level, headline=worst.text, since_ms=worst.since_ms, findings=tuple(found))


def _queues(snapshot: Snapshot) -> Iterator[Finding]:
    for stat in snapshot.queues:
        view = f"queues @{stat.name}"
        if stat.error:
            yield Finding(level=Level.BAD, text=f"{stat.name}: can't be read ({stat.error})", view=view)
        flow = _flow(stat, snapshot.taken_ms)
        if flow:
            yield flow
        if stat.orphans:
            jobs = "1 job is" if stat.orphans == 1 else f"{human_count(stat.orphans)} jobs are"
            text = f"{stat.name}: {jobs} for functions that no live worker knows"
            yield Finding(level=Level.WARNING, text=text, view=view)
        if stat.paused:
            who = f" by {stat.paused.owner}" if stat.paused.owner else ""
            text = f"{stat.name}: paused{who}"
            yield Finding(level=Level.NOTICE, text=text, since_ms=stat.paused.at_ms or None, view=view)
        if stat.quarantined > stat.held:
            text = f"{stat.name}: {count_of(stat.quarantined - stat.held, 'unreadable payload')} set aside"
            yield Finding(level=Level.NOTICE, text=text, view=f"quarantine @{stat.name}")


def _flow(stat: QueueStat, now_ms: int) -> Finding | None:
    """Waiting, failing and not being served are one finding: they are read together."""
    level, parts, since_ms = Level.OK, [], None
    if not stat.workers and (stat.depth or stat.active):
        waiting = f"{human_count(stat.depth)} waiting" if stat.depth else f"{human_count(stat.active)} left active"
        level, parts = Level.BAD, [f"no live worker, {waiting}"]
    waiting, failing = waiting_level(stat), failing_level(stat)
    if stat.oldest_ms is not None and waiting is not Level.OK and not stat.paused:
        level = _worse(level, waiting)
        parts.append(f"oldest {human_age(stat.oldest_ms)}")
        since_ms = now_ms - stat.oldest_ms
    if failing is not Level.OK:
        level = _worse(level, failing)
        parts.append(f"{human_percent(stat.failure_rate).replace('%', ' %')} failing")
        since_ms = stat.failing_since_ms or since_ms
    if not parts:
        return None
    return Finding(level=level, text=f"{stat.name}: {', '.join(parts)}", since_ms=since_ms, view=f"queues @{stat.name}")


def _nobody(snapshot: Snapshot) -> Iterator[Finding]:
    """Nobody runs anything: silence that is not green."""
    if snapshot.view.at_ms is None and not any(stat.workers for stat in snapshot.queues):
        some = "" if snapshot.queues else ", and there is no queue yet"
        yield Finding(level=Level.NOTICE, text=f"no worker is alive{some}", view="workers")


def _fails_now(group: FailureGroup, now_ms: int) -> bool:
    """Whether jobs of the group failed in the last minutes: by its trend, or by the last one where that is yet to be
    read (there are many groups, and this is the first look at them).
    """
    if any(group.trend):
        return any(group.trend[-PRESENT_STEPS:])
    return 0 <= now_ms - group.last_ms < PRESENT_STEPS * STEP_MS


def _together(groups: Iterable[FailureGroup], now_ms: int) -> Iterator[Finding]:
    """Several functions failing now with one error: likely one cause."""
    alike: dict[tuple[str, str], list[FailureGroup]] = {}
    for group in groups:
        if group.exception and _fails_now(group, now_ms):
            alike.setdefault((group.exception, _what_was_met(group.message)), []).append(group)
    for (exception, met), members in alike.items():
        functions = {(group.queue, group.function) for group in members}
        if len(functions) >= TOGETHER:
            error = f"{exception} … {met}" if met else exception
            text = f"{len(functions)} functions failing, all {error}: likely one cause"
            since_ms = min(group.first_ms for group in members)
            yield Finding(level=Level.BAD, text=text, since_ms=since_ms, view=f"failures err:{exception}")


def _what_was_met(message: str) -> str:
    """The place that a message names: a port, or a URL's host; else the message itself, shortened."""
    for word in message.replace(",", " ").replace(")", " ").split():
        host, colon, port = word.rpartition(":")
        if "://" in word:
            return word
        if colon and host and port.isdecimal():
            return f":{port}"
    return message[:60]


def _workers(snapshot: Snapshot) -> Iterator[Finding]:
    for row in snapshot.workers:
        view = f"workers {row.id}"
        if row.state == "lost" and snapshot.taken_ms - row.beat_ms < 600_000:
            held = f", held {count_of(len(row.held or row.current), 'job')}" if row.held or row.current else ""
            yield Finding(level=Level.WARNING, text=f"worker {row.name}: lost{held}", since_ms=row.beat_ms, view=view)
        if row.state == "broken":
            yield Finding(level=Level.NOTICE, text=f"worker {row.name}: its record can't be read", view=view)
        if row.skew_ms is not None and abs(row.skew_ms) > SKEW_MS:
            text = f"worker {row.name}: its clock is off by {human_age(abs(row.skew_ms))}"
            yield Finding(level=Level.NOTICE, text=text, view=view)
        for job in row.current:
            if job.overdue_thread:
                text = f"worker {row.name}: a thread of {job.function} runs on past its time-out"
                yield Finding(level=Level.WARNING, text=text, since_ms=job.started_ms, view=view)
    yield from _versions(snapshot.workers)


def _versions(workers: Iterable[WorkerRow]) -> Iterator[Finding]:
    """Workers of one queue that run different versions of the code."""
    versions: dict[str, set[str]] = {}
    for row in workers:
        if row.version and row.state != "lost":
            for queue in row.queues:
                versions.setdefault(queue, set()).add(row.version)
    mixed = sorted(queue for queue, found in versions.items() if len(found) > 1)
    if mixed:
        text = f"{', '.join(mixed[:3])}: workers run {len(versions[mixed[0]])} versions of the code"
        yield Finding(level=Level.NOTICE, text=text, view="workers")


def _schedules(snapshot: Snapshot) -> Iterator[Finding]:
    for row in snapshot.schedules:
        view = f"schedules {row.name}"
        late_ms = max(row.overdue_ms, snapshot.taken_ms - row.next_ms if row.next_ms else 0)
        if row.broken:
            yield Finding(level=Level.WARNING, text=f"schedule {row.name}: {row.broken}", view=view)
        elif late_ms > _LATE_MS and not row.paused:
            text = f"schedule {row.name}: overdue by {human_age(late_ms)}"
            yield Finding(level=Level.WARNING, text=text, since_ms=snapshot.taken_ms - late_ms, view=view)
        elif row.last_outcome == "failed":
            text = f"schedule {row.name}: its last run failed"
            yield Finding(level=Level.NOTICE, text=text, since_ms=row.last_ms, view=view)


def _bulks(snapshot: Snapshot) -> Iterator[Finding]:
    for row in snapshot.bulks:
        if row.state == "tripped":
            text = f"bulk {row.verb} by {row.owner} stopped by itself: {row.tripped or 'too many failed again'}"
            yield Finding(level=Level.WARNING, text=text, since_ms=row.started_ms, view="bulks")


def _server(snapshot: Snapshot) -> Iterator[Finding]:
    server = snapshot.server
    if server.disk_error.startswith("aof"):
        text = "the server can't write to its disk: it refuses new jobs, and running ones can't be finished"
        yield Finding(level=Level.BAD, text=text, view="overview")
    elif server.disk_error:
        text = "the server's last snapshot to disk failed: it may refuse to write"
        yield Finding(level=Level.WARNING, text=text, view="overview")
    if server.policy and server.policy != "noeviction":
        level = Level.BAD if server.memory_limit_bytes else Level.WARNING
        text = f"the server may evict queued jobs: maxmemory-policy is {server.policy}"
        yield Finding(level=level, text=text, view="overview")
    if server.memory_limit_bytes:
        share = server.memory_bytes / server.memory_limit_bytes
        if share >= MEMORY:
            level = Level.BAD if share >= FULL_MEMORY else Level.WARNING
            text = f"the server's memory is {human_percent(share)} full ({human_bytes(server.memory_bytes)})"
            yield Finding(level=level, text=text, view="overview")
    if server.role in {"slave", "replica"}:
        yield Finding(level=Level.NOTICE, text="the server is a read-only replica", view="overview")
    for warning in server.warnings:
        if "maxmemory-policy" not in warning and "replica" not in warning:
            yield Finding(level=Level.NOTICE, text=warning, view="overview")


def _worse(one: Level, other: Level) -> Level:
    return max(one, other, key=_RANKS.__getitem__)
