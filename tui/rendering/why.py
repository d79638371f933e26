"""Why a schedule or a worker does nothing now, in one sentence, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from quarterdeck.model import ScheduleRow, WorkerRow
from quarterdeck.text import count_of, countdown, human_age, human_duration
from tui.rendering.moment import Moment
from tui.rendering.workers import held_by


def why_schedule(  # noqa: PLR0911 - a ladder: the first reason that holds
    schedule: ScheduleRow, moment: Moment, workers: Sequence[WorkerRow] = ()
) -> str:
    """Why a schedule has not fired, or when it will; `workers` tell whether any knows its function."""
    name = moment.text(schedule.name, 80)
    if schedule.broken:
        return f"{name} can't fire: {moment.text(schedule.broken)}. Correct its definition."
    if schedule.paused is not None:
        paused = schedule.paused
        until = f"until {moment.stamp(paused.until_ms)}" if paused.until_ms else "until someone resumes it"
        reason = f" ({moment.text(paused.reason)})" if paused.reason else ""
        return f"{name} is paused by {moment.text(paused.owner, 40) or 'someone'} {until}{reason}. s resumes it."
    if schedule.overdue_ms:
        late = human_duration(schedule.overdue_ms)
        return f"{name} is {late} overdue: no scheduler of {moment.text(schedule.queue, 60)} is alive. Start a worker."
    live = [each for each in workers if each.state in {"running", "stock"} and schedule.queue in each.queues]
    if live and all(each.deck and schedule.function not in each.functions for each in live):
        function = moment.text(schedule.function, 80)
        return f"{name} waits: no live worker registers its function {function}. Start one that does, or correct it."
    if schedule.next_ms is None:
        return f"{name} has no next fire: nobody schedules it. Start a worker that defines it."
    when = f"in {countdown(schedule.next_ms - moment.now_ms)}, at {moment.stamp(schedule.next_ms)}"
    if schedule.skip_next:
        return f"{name} skips its next run {when}. S takes that back."
    last = (
        f" Its last tick was skipped: {moment.text(schedule.last_cause)}." if schedule.last_outcome == "skipped" else ""
    )
    return f"{name} is not due: it fires {when}.{last}"


def why_worker(worker: WorkerRow, moment: Moment) -> str:
    """Why a worker takes no job, or what it is at."""
    name = moment.text(worker.name or worker.id, 80)
    beat = human_age(moment.age_ms(worker.beat_ms))
    if worker.state == "lost":
        return f"{name} gave its last sign {beat} ago; {_held(worker)}"
    if worker.state == "quiet":
        return f"{name} takes no new jobs: it was told to be quiet. s resumes it."
    if worker.state == "stopping":
        return f"{name} is stopping: it finishes or hands back {count_of(worker.running, 'job')}."
    if worker.slots and worker.running >= worker.slots:
        return f"{name} is full: {_all_slots(worker)} busy. C changes how many it has."
    if not worker.running:
        return f"{name} is idle: nothing waits in {', '.join(worker.queues) or 'its queues'} that it may take."
    return f"{name} runs {count_of(worker.running, 'job')} on {count_of(worker.slots, 'slot')}."


def _held(worker: WorkerRow) -> str:
    """What becomes of what a lost worker held."""
    count = len(held_by(worker))
    if not count:
        return "it held nothing."
    return f"{'its job goes' if count == 1 else f'its {count} jobs go'} back to the queue."


def _all_slots(worker: WorkerRow) -> str:
    return "its slot is" if worker.slots == 1 else f"all its {worker.slots} slots are"
