"""The jobs at the head of a queue: who waits there is not read again each second."""

from __future__ import annotations

from typing import Any, Final

from quarterdeck.inspect.payload import HEAD, TAIL, job_row, read_payload
from quarterdeck.inspect.plan import Answer, Plan, text
from quarterdeck.model import JobRow, JobState

ANEW: Final = 10
"""In one of so many snapshots all are read anew: a payload may be edited while its job waits."""


def waiting_row(queue: str, state: JobState, job_id: bytes, size: int, head: bytes, tail: bytes) -> JobRow:
    """The row of a job from a row of the script's reply."""
    reading = read_payload(size, head, tail, queue=queue)
    return job_row(queue, text(job_id), state, reading, size=size)


class FrontStore:
    """The rows of a queue's first jobs, by their ids."""

    def __init__(self, queue: str) -> None:
        self._queue = queue
        self._rows: dict[bytes, JobRow] = {}
        self._turn = 0

    def ask(self, plan: Plan, key: str, count: int) -> Answer:
        """Add the read of the first `count` jobs of the list `key`; `absorb` takes its answer."""
        self._turn += 1
        if self._turn % ANEW == 0:
            self._rows = {}
        known = b"\n".join((b"", *self._rows, b""))
        return plan.ask(key, "front", key, count, HEAD, TAIL, known)

    def absorb(self, reply: list[Any]) -> list[JobRow]:
        """The rows, the head first."""
        found = [(bytes(row), None) if isinstance(row, bytes) else (bytes(row[0]), row) for row in reply]
        rows = [(id_, self._rows[id_] if row is None else self._row(*row)) for id_, row in found]
        self._rows = {id_: row for id_, row in rows if not row.broken}
        return [row for _, row in rows]

    def _row(self, job_id: bytes, size: int, head: bytes, tail: bytes) -> JobRow:
        return waiting_row(self._queue, JobState.QUEUED, job_id, size, head, tail)
