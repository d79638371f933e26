"""Cures as command lines: what to do about it is written for the screen's keys, and a shell has none."""

from __future__ import annotations

import shlex
from typing import Final

_JOB: Final = (
    ("before r sends it back", "before you retry it"),
    ("r retries it", "{q} retry {subject} --queue {queue}"),
    ("t runs it now", "{q} retry {subject} --queue {queue} --state scheduled runs it now"),
    ("x aborts it; d shows where it stands", "{q} abort {subject} --queue {queue}"),
    ("d on it shows where it stands", "{q} jobs {subject} --queue {queue}"),
    ("s on the queue resumes it", "{q} queues resume {queue}"),
)
_QUEUE: Final = (
    ("s resumes it", "{q} queues resume {queue}"),
    ("Look at :failures", "{q} failures --queue {queue}"),
)
_SCHEDULE: Final = (
    ("s resumes it", "{q} schedules resume {subject} --queue {queue}"),
    ("t runs it now", "{q} schedules run {subject} --queue {queue} runs it now"),
    ("x aborts that run", "{q} schedules ledger {subject} names that run, {q} abort ends it"),
    ("S takes that back", "{q} schedules skip {subject} --queue {queue} --take-back"),
    ("Resume the queue", "{q} queues resume {queue}"),
)
_ALL: Final = (("in :quarantine", "with {q} quarantine"),)
_OF_KIND: Final = {"job": _JOB, "queue": _QUEUE, "schedule": _SCHEDULE}


def as_command(cure: str, *, kind: str, subject: str, queue: str) -> str:
    """The cure for a job, a queue or a schedule, with a command where it named a key of the screen."""
    words = {"q": "quarterdeck", "subject": shlex.quote(subject), "queue": shlex.quote(queue)}
    for key, command in (*_OF_KIND[kind], *_ALL):
        if key in cure:
            cure = cure.replace(key, command.format(**words))
    return cure
