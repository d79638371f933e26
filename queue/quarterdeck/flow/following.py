"""What is enqueued together with a job's end, as the finishing script's steps (`broker/lua/settle.lua`)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec
from saq.job import Job, Status

from quarterdeck.broker import codec
from quarterdeck.flow.compose import case_of
from quarterdeck.flow.step import META, Follow, Join, Step
from quarterdeck.keys import keys_of

ScriptStep = tuple[Any, ...]


class _QueueName:
    """All that encoding a payload asks of a queue; the next step's queue may not be open here."""

    def __init__(self, name: str) -> None:
        self.name = name


def job_of(step: Step, *, key: str = "", now_s: float | None = None) -> Job:
    """The job that a step becomes, without a queue; what follows it travels in its `meta`."""
    named: dict[str, Any] = {"key": key or step.key} if key or step.key else {}
    if step.delay_s:
        named["scheduled"] = int((time.time() if now_s is None else now_s) + step.delay_s + 0.999)
    if step.follow is not None:
        named["meta"] = {META: msgspec.to_builtins(step.follow)}
    return Job(function=step.function, kwargs=dict(step.kwargs), **step.job, **named)


def follow_of(job: Job) -> Follow | None:
    """What follows a job, or None. Raises msgspec.ValidationError for a description that somebody damaged."""
    found = job.meta.get(META) if job.meta else None
    return None if found is None else msgspec.convert(found, Follow)


def steps_after(job: Job, status: Status | str, result: Any, now_ms: int) -> list[ScriptStep]:
    """The finishing script's steps for a job that ended for good: complete with `result`, or failed, or aborted.

    Enqueuing: `("enqueue", queue, key, payload, due in epoch s)`. Joining a group:
    `("join", hash, index, result as JSON, size, placeholder, (queue, key, payload, due), ...)`.
    """
    follow = follow_of(job)
    if follow is None:
        return []
    if str(getattr(status, "value", status)) != "complete":
        return [_enqueue(step, now_ms) for step in follow.failed]
    chosen = follow.cases.get(case_of(result)) if follow.cases else None
    if chosen is not None:
        return [_enqueue(filled(step, job.key, result, next_up=True), now_ms) for step in chosen]
    steps = [_enqueue(filled(step, job.key, result, next_up=True), now_ms) for step in follow.then]
    if follow.join is not None:
        steps.append(_join(follow.join, job.key, result, now_ms))
    return steps


def filled(step: Step, key: str, result: Any, *, next_up: bool = False) -> Step:
    """The step with `result` in its open argument if it takes that of the job `key`, and so all that follow it."""
    kwargs = step.kwargs
    if step.takes and (step.of == key or (next_up and not step.of)):
        kwargs = {**kwargs, step.takes: result}
    return msgspec.structs.replace(step, kwargs=kwargs, follow=_filled_follow(step.follow, key, result))


def _filled_follow(follow: Follow | None, key: str, result: Any) -> Follow | None:
    if follow is None:
        return None
    join = follow.join
    if join is not None:
        join = msgspec.structs.replace(join, then=_filled_all(join.then, key, result))
    return Follow(
        then=_filled_all(follow.then, key, result),
        failed=_filled_all(follow.failed, key, result),
        cases={name: _filled_all(steps, key, result) for name, steps in follow.cases.items()},
        join=join,
    )


def _filled_all(steps: Iterable[Step], key: str, result: Any) -> list[Step]:
    return [filled(step, key, result) for step in steps]


def _enqueue(step: Step, now_ms: int) -> ScriptStep:
    return ("enqueue", *_parts(step, now_ms))


def _join(join: Join, key: str, result: Any, now_ms: int) -> ScriptStep:
    """The results of a group are only known to the script that takes its last place: a placeholder stands for them."""
    placeholder = f"@results:{join.group}"
    source = f"group:{join.group}"
    steps = [filled(filled(step, key, result), source, placeholder) for step in join.then]
    parts = [_parts(step, now_ms) for step in steps]
    hash_key = keys_of(join.queue).group(join.group)
    return ("join", hash_key, str(join.index), codec.dump(result), join.size, codec.dump(placeholder), *parts)


def _parts(step: Step, now_ms: int) -> tuple[str, str, bytes, str]:
    """Queue, key, payload and when it is due, as `steps.enqueue` of the script takes them."""
    job = job_of(step, now_s=now_ms / 1000)
    job.queue = _QueueName(step.queue)  # type: ignore[assignment]
    job.queued = now_ms
    job.status = Status.QUEUED
    return step.queue, job.key, codec.dump(codec.document(job)), str(job.scheduled)
