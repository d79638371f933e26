"""Why is this not running? One sentence for a job, a queue or a schedule, and one with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from quarterdeck.model import JobRow, JobState, PauseStat, QueueStat, ScheduleRow, WorkerRow
from quarterdeck.text import count_of, human_count, human_duration

Reason = tuple[str, str]
"""What is so, and what to do about it (may be empty)."""

RESCUE_S: Final = 3
"""Jobs that nobody owns go back to the queue after so long."""


class JobFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about one job and what stands round it. `place` is its index in the queue from 0, if seen."""

    row: JobRow
    queue: QueueStat
    workers: Sequence[WorkerRow] = ()
    now_ms: int = 0
    owner: str = ""
    """Worker id of the one who runs it, as the engine knows it."""
    place: int | None = None
    crashes: int = 0
    held_rule: str = ""
    """Why it is set aside, or empty."""
    aborting: str = ""
    """The reason in its abort marker, or empty."""
    orphan: bool = False
    """Whether it was put off because its taker did not know its function."""
    usual_ms: float | None = None
    """What is usual for its function (p95)."""


def why_job(facts: JobFacts) -> Reason:
    """Why the job is where it is."""
    row = facts.row
    if row.broken:
        return f"It can't run: {row.broken}.", "Delete it, or look at what set it aside in :quarantine."
    if facts.held_rule:
        return f"It is set aside: {facts.held_rule}.", "Release it, or lift the rule, in :quarantine."
    return {
        JobState.COMPLETE: _why_complete,
        JobState.FAILED: _why_failed,
        JobState.ABORTED: _why_failed,
        JobState.SCHEDULED: _why_scheduled,
        JobState.ACTIVE: _why_active,
        JobState.QUEUED: _why_queued,
    }[row.state](facts)


def why_queue(stat: QueueStat, workers: Sequence[WorkerRow], now_ms: int) -> Reason:  # noqa: PLR0911 - a ladder
    """Why the queue flows as it does."""
    live = _live(workers, stat.name)
    if stat.error:
        return f"It can't be read: {stat.error}.", "Look at that key with TYPE; rename or delete what is in its place."
    if stat.paused:
        return f"It is paused{_by(stat.paused, now_ms)}.", "s resumes it."
    if not live:
        waiting = f"; {_waiting(stat)}" if stat.depth else ""
        return f"No live worker serves it{waiting}.", "Start one: quarterdeck worker TARGET."
    if stat.orphans:
        return (
            f"Jobs for functions that no live worker registers: {human_count(stat.orphans)}.",
            "Start a worker with the code that knows them, or delete them.",
        )
    if stat.depth and _busy(live):
        slots = sum(row.slots for row in live)
        return f"All {slots} slots are busy and {_waiting(stat)}.{_drain(stat)}", "Add workers."
    if stat.failure_rate and stat.failure_rate >= 0.05:
        return f"It flows, but {stat.failure_rate:.1%} of the attempts fail.", "Look at :failures."
    if stat.depth:
        return f"It flows: {_waiting(stat)}.{_drain(stat)}", ""
    return "Nothing waits.", ""


def why_schedule(  # noqa: PLR0911 - a ladder: the first reason that holds
    row: ScheduleRow, queue: QueueStat | None, workers: Sequence[WorkerRow], now_ms: int
) -> Reason:
    """Why the schedule has not fired, or what it waits for."""
    if row.broken:
        return f"It can't fire: {row.broken}.", "Correct its definition."
    if row.paused:
        return f"It is paused{_by(row.paused, now_ms)}.", "s resumes it."
    live = _live(workers, row.queue)
    if live and all(each.deck and row.function not in each.functions for each in live):
        return (
            f"No live worker registers its function '{row.function}': its runs wait for one.",
            "Start a worker with the code that knows it, or correct the schedule.",
        )
    if row.last_outcome == "running" and row.overlap == "skip":
        return "Its last run is still running, and its overlap policy skips while one runs.", "x aborts that run."
    if row.skip_next:
        return "Its next run will be skipped, as an operator asked.", "S takes that back."
    if row.next_ms is None:
        return "It has no next time.", "No worker runs its scheduler, or its expression has come to its end."
    if row.next_ms < now_ms - 5_000:
        late = human_duration(now_ms - row.next_ms)
        if not live:
            return f"It is overdue by {late}: no live worker serves '{row.queue}'.", "Start one."
        return f"It is overdue by {late}: no scheduler has taken its tick.", "Look at the workers' logs."
    if queue and queue.paused:
        return f"It fires in {human_duration(row.next_ms - now_ms)}, but its queue is paused.", "Resume the queue."
    return f"It is not due: it fires in {human_duration(row.next_ms - now_ms)}.", "t runs it now."


def _why_complete(facts: JobFacts) -> Reason:
    ago = facts.now_ms - facts.row.finished_ms
    return f"It is complete{f', {human_duration(ago)} ago' if facts.row.finished_ms else ''}.", ""


def _why_failed(facts: JobFacts) -> Reason:
    row = facts.row
    if row.poison:
        return "It is poison: it took its worker down again and again.", "Find out why before r sends it back."
    if row.state is JobState.ABORTED:
        said = row.error if row.error.startswith("aborted") else f"aborted: {row.error}" if row.error else "aborted"
        return f"It was {said}.", "r retries it."
    used = f"its {row.attempts} attempts are used up" if row.attempts > 1 else "its attempt is used up"
    return f"It failed and {used}{f': {row.error}' if row.error else ''}.", "r retries it."


def _why_scheduled(facts: JobFacts) -> Reason:
    left_ms = facts.row.scheduled_ms - facts.now_ms
    again = " It is to be tried again then." if facts.row.attempts else ""
    if facts.orphan:
        again = human_duration(max(0, left_ms))
        sentence = f"No live worker registers the function '{facts.row.function}'; it is offered again in {again}."
        return sentence, "Start a worker with the code that knows it, or delete the job."
    if left_ms > 0:
        return f"It is not due: it is due in {human_duration(left_ms)}.{again}", "t runs it now."
    late = human_duration(-left_ms)
    if not _live(facts.workers, facts.row.queue):
        return f"It was due {late} ago, but no live worker serves '{facts.row.queue}'.", "Start one."
    return f"It was due {late} ago; a worker moves it to the queue within seconds.", ""


def _why_active(facts: JobFacts) -> Reason:
    row = facts.row
    worker = facts.owner or row.worker
    found = next((each for each in facts.workers if each.id == worker), None)
    if facts.aborting:
        return f"It is being aborted: {facts.aborting}.", "Its worker stops it within a second or two."
    if found is None or found.state == "lost":
        return _why_ownerless(facts, worker, found)
    since = facts.now_ms - row.started_ms if row.started_ms else 0
    running = f"It is running on {found.name or worker} for {human_duration(since)}"
    if row.timeout_s and since > row.timeout_s * 1000:
        over = human_duration(row.timeout_s * 1000)
        return f"{running}, longer than its time-out of {over}.", "x aborts it; d shows where it stands."
    if facts.usual_ms and since > 2 * facts.usual_ms:
        return f"{running}; usual is {human_duration(facts.usual_ms)}.", "d on it shows where it stands."
    return f"{running}.", ""


def _why_ownerless(facts: JobFacts, worker: str, found: WorkerRow | None) -> Reason:
    if found is not None:
        beat = human_duration(facts.now_ms - found.beat_ms) if found.beat_ms else "some time"
        name = found.name or worker
        if _live(facts.workers, facts.row.queue):
            return f"Its worker {name} lost its heartbeat {beat} ago.", "It goes back to the queue within seconds."
        return f"Its worker {name} lost its heartbeat {beat} ago, and no other is alive.", "Start a worker."
    if not any(row.deck for row in _live(facts.workers, facts.row.queue)):
        cure = "Start a worker of ours to rescue it; SAQ's own sweep takes a job back at its time-out."
        return "It was taken, but the worker that took it is not registered any more.", cure
    return "It was taken, but nobody owns it.", f"It goes back to the queue after {RESCUE_S} s."


def _why_queued(facts: JobFacts) -> Reason:
    row, stat = facts.row, facts.queue
    live = _live(facts.workers, row.queue)
    if stat.paused:
        return f"The queue '{row.queue}' is paused{_by(stat.paused, facts.now_ms)}.", "s on the queue resumes it."
    if not live:
        return f"No live worker serves the queue '{row.queue}'.", "Start one: quarterdeck worker TARGET."
    if all(worker.deck for worker in live):
        knowing = [worker for worker in live if row.function in worker.functions]
        if not knowing:
            return (
                f"No live worker registers the function '{row.function}'.",
                "Start a worker with the code that knows it, or delete the job.",
            )
        live = knowing
    if facts.crashes >= 2:
        return (
            f"{count_of(facts.crashes, 'worker')} died under it: it waits for a worker that can run it alone.",
            "Delete it, or let the next crash put it into the failed list as poison.",
        )
    place = _place(facts.place)
    if _busy(live):
        slots = sum(worker.slots for worker in live)
        return f"All {slots} slots are busy; it is {place}.{_wait(facts.place, stat)}", "Add workers, or wait."
    return f"It is {place}.{_wait(facts.place, stat)}", ""


def _live(workers: Sequence[WorkerRow], queue: str) -> list[WorkerRow]:
    states = {"running", "stock"}
    return [row for row in workers if row.state in states and (not row.queues or queue in row.queues)]


def _busy(live: Sequence[WorkerRow]) -> bool:
    """Whether no slot is free; unknown, so no, when a stock worker is among them."""
    return all(row.deck and row.slots for row in live) and all(row.running >= row.slots for row in live)


def _by(paused: PauseStat, now_ms: int) -> str:
    """` by ann (deploy) for another 41m`."""
    who = f" by {paused.owner}" if paused.owner else ""
    why = f" ({paused.reason})" if paused.reason else ""
    if paused.until_ms is None:
        return f"{who}{why} until someone resumes it"
    return f"{who}{why} for another {human_duration(max(0, paused.until_ms - now_ms))}"


def _place(place: int | None) -> str:
    if place is None:
        return "behind the first thousand"
    return "next in line" if place == 0 else f"number {human_count(place + 1)} in line"


def _wait(place: int | None, stat: QueueStat) -> str:
    if place is None or not stat.out_per_s:
        return ""
    return f" About {human_duration(1000 * (place + 1) / stat.out_per_s)} at the present rate."


def _drain(stat: QueueStat) -> str:
    if not stat.out_per_s or (stat.in_per_s is not None and stat.in_per_s >= stat.out_per_s):
        return " It grows as fast as it drains." if stat.out_per_s else ""
    left = stat.out_per_s - (stat.in_per_s or 0)
    return f" About {human_duration(1000 * stat.depth / left)} to drain at the present rate."


def _waiting(stat: QueueStat) -> str:
    return f"{count_of(stat.depth, 'job')} {'waits' if stat.depth == 1 else 'wait'}"
