"""What a job's end brings about in the same step: what follows it in a flow, and its run in its schedule's ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from saq.job import Job, Status

from quarterdeck.broker.ending import Step
from quarterdeck.flow.following import steps_after
from quarterdeck.flow.step import META
from quarterdeck.schedule.ledger import settlement


def aftermath(job: Job, status: Status, result: Any, now_ms: int) -> Sequence[Step]:
    """The steps for the finishing script. Raises msgspec.MsgspecError for a flow that somebody damaged."""
    meta = job.meta
    steps: list[Step] = []
    if META in meta:
        steps += steps_after(job, status, result, now_ms=now_ms)
    if "schedule" in meta:
        step = settlement(meta, status.value, int(job.started), now_ms, result=result, error=job.error)
        if step is not None:
            steps.append(step)
    return steps
