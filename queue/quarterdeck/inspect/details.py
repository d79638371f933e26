"""One job, or one failure group, whole and bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import msgspec

from quarterdeck.inspect.attempts import AttemptStore, attempt_stats
from quarterdeck.inspect.jobs import failed_row
from quarterdeck.inspect.payload import Reading, job_row, read_payload
from quarterdeck.inspect.plan import Answer, Plan, moment_ms, text
from quarterdeck.inspect.streams import JOB_LINES, job_lines
from quarterdeck.inspect.why import JobFacts, why_job
from quarterdeck.keys import keys_of
from quarterdeck.model import (
    AuditRow,
    FailureGroup,
    GroupDetail,
    JobDetail,
    JobRow,
    JobState,
    QueueStat,
    WorkerRow,
)
from quarterdeck.record import decode_failed, decode_history
from quarterdeck.script import Argument
from quarterdeck.text import mask, mask_text

HEAD: Final = 96 * 1024
TAIL: Final = 32 * 1024
"""Bytes of a payload that are shown."""
TEXT_LIMIT: Final = 64 * 1024
HISTORY_BUDGET: Final = 300
"""Entries of the history that are looked at for a job's attempts."""
PLACE_BUDGET: Final = 1_000
"""Jobs at the head that are looked at for a job's place in line."""
SAMPLE: Final = 200
"""Newest jobs of a group that are looked at for whom it hit."""


class JobPart:
    """The reads for one job in one queue, and its detail."""

    def __init__(self, plan: Plan, queue: str, key: str, attempts: AttemptStore) -> None:
        keys = keys_of(queue)
        self.queue, self.key, self._attempts = queue, key, attempts
        known, _ = attempts.known(queue, key)
        self._answer = plan.ask(keys.queued, "job", *_reads(queue, key), known)
        self._set_aside = plan.call(keys.quarantine, "HGET", keys.job(key))
        self._orphan = plan.call(keys.orphans, "HGET", keys.job(key))

    @property
    def reply(self) -> list[Any]:
        """The script's reply for the job, empty when it could not be read."""
        return self._answer.rows()

    @property
    def id(self) -> str:
        """SAQ's id of the job."""
        return keys_of(self.queue).job(self.key)

    @property
    def found(self) -> bool:
        """Whether there is anything of such a job here."""
        value = self.reply
        return bool(value) and bool(value[0][1] or value[1] or self.entries or value[5])

    @cached_property
    def entries(self) -> list[Any]:
        """The history's entries of the job, newest first. Not before the plan has been run."""
        value = self.reply
        return self._attempts.resolve(self.queue, self.key, value[1], value[4]) if value else []

    def detail(
        self,
        now_ms: int,
        stat: QueueStat,
        workers: Sequence[WorkerRow],
        acts: Sequence[AuditRow],
        usual_ms: float | None,
    ) -> JobDetail:
        """Everything about the job."""
        payload, failed_at, failed, kept, _, due, owner, crashes, lines, held, place, aborting = self.reply
        settled = failed_at is not None and due is None
        _, size, head, tail = kept if settled and kept[1] else payload
        reading = read_payload(size, head, tail, queue=self.queue)
        row = self._row(reading, size, due, settled)
        if settled:
            row = _with_failure(row, failed_row(self.queue, self.key, moment_ms(failed_at), failed))
        elif size == 0 and self.entries:
            row = self._row_of_history(self.entries[0][1])
        owner_id = text(owner).split("/", 1)[0]
        facts = JobFacts(
            row=row,
            queue=stat,
            workers=workers,
            now_ms=now_ms,
            owner=owner_id,
            place=int(place) if place is not None else None,
            crashes=_count(crashes),
            held_rule=self._held(held),
            aborting=text(aborting)[:200],
            orphan=self._orphan.value is not None,
            usual_ms=usual_ms,
        )
        why, cure = why_job(facts)
        error = reading.fields.get("error")
        return JobDetail(
            row=row if row.worker or not owner_id else msgspec.structs.replace(row, worker=owner_id),
            document=_masked(reading.fields),
            raw=_raw(reading, head, tail),
            traceback=mask_text(error[-TEXT_LIMIT:]) if isinstance(error, str) else "",
            attempts=attempt_stats(self.entries),
            log=tuple(job_lines(lines or [], self.key, row.function)),
            result=_result(reading),
            why=why,
            why_cure=cure,
            crashes=_count(crashes),
            acts=tuple(act for act in acts if act.queue in {"", self.queue} and self.key in act.subject),
            cut_bytes=reading.cut_bytes,
            version=_version(failed if settled else None, owner_id or row.worker, workers),
        )

    def _row(self, reading: Reading, size: int, due: bytes | None, settled: bool) -> JobRow:
        status = reading.fields.get("status")
        due_s = moment_ms(due, unit_ms=1000) / 1000
        state = JobState.QUEUED
        if due_s > 0:
            state = JobState.SCHEDULED
        elif status in {"active", "aborting"} and due is not None:
            state = JobState.ACTIVE
        elif settled or (due is None and status in {"failed", "aborted", "aborting"}):
            state = JobState.FAILED if status != "aborted" else JobState.ABORTED
        elif due is None and status == "complete":
            state = JobState.COMPLETE
        return job_row(self.queue, self.id, state, reading, size=size, due_s=due_s)

    def _row_of_history(self, record: bytes) -> JobRow:
        """A job of which only the history is left."""
        entry = decode_history(record)
        complete = entry is not None and entry.status == "complete"
        return JobRow(
            id=f"{self.queue}/{self.key}",
            queue=self.queue,
            key=self.key,
            function=entry.function if entry else "",
            state=JobState.COMPLETE if complete else JobState.FAILED,
            attempts=entry.attempt if entry else 0,
            queued_ms=entry.queued_ms if entry else 0,
            started_ms=entry.started_ms if entry else 0,
            finished_ms=entry.finished_ms if entry else 0,
            worker=entry.worker if entry else "",
            signature=entry.signature if entry else "",
            duration_ms=entry.duration_us / 1000 if entry else 0,
        )

    def _held(self, held: bytes | None) -> str:
        if held is None:
            return ""
        try:
            record = msgspec.json.decode(self._set_aside.value or b"{}")
        except (ValueError, RecursionError):
            record = {}
        reason = record.get("reason") if isinstance(record, dict) else None
        return f"a quarantine rule holds it{f' ({reason})' if reason else ''}"


class SamplePart(JobPart):
    """The reads for the newest job of a failure group."""

    def __init__(self, plan: Plan, queue: str, signature: str, attempts: AttemptStore) -> None:
        keys = keys_of(queue)
        self.queue, self.key, self._attempts = queue, "", attempts
        reads = (keys.failed_of_signature(signature), *_reads(queue, ""), *attempts.known(queue))
        self._answer = plan.ask(keys.queued, "newest", *reads)
        self._set_aside = self._orphan = Answer()

    @property
    def reply(self) -> list[Any]:
        """The script's reply for the job, empty when the group holds none."""
        found = self._answer.rows()
        if found:
            self.key = text(found[0])
        return list(found[1]) if found else []


class GroupPart:
    """The reads for one failure group beside its page of jobs."""

    def __init__(self, plan: Plan, queue: str, signature: str, attempts: AttemptStore) -> None:
        keys = keys_of(queue)
        self.queue, self.signature = queue, signature
        index = keys.failed_of_signature(signature)
        self.newest = plan.ask(keys.queued, "rows", index, keys.failed_rows, 0, SAMPLE - 1, "1")
        self.count = plan.call(index, "ZCARD")
        self.first = plan.call(index, "ZRANGE", 0, 0, "WITHSCORES")
        self.sample = SamplePart(plan, queue, signature, attempts)

    def detail(self, groups: Sequence[FailureGroup], sample: JobDetail | None) -> GroupDetail:
        """The group with whom it hit."""
        wanted = f"{self.queue}/{self.signature}"
        row = next((group for group in groups if group.id == wanted), None) or self._row(sample)
        found = [entry for _, _, record in self.newest.rows() if (entry := decode_failed(record)) is not None]
        return GroupDetail(
            row=row,
            sample=sample,
            workers=tuple(Counter(entry.worker for entry in found if entry.worker).most_common()),
            versions=tuple(Counter(entry.version for entry in found if entry.version).most_common()),
        )

    def _row(self, sample: JobDetail | None) -> FailureGroup:
        """A group that is not among those last seen, or one that has come to nothing."""
        rows, first = self.newest.rows(), self.first.rows()
        return FailureGroup(
            id=f"{self.queue}/{self.signature}",
            signature=self.signature,
            queue=self.queue,
            function=sample.row.function if sample else "",
            exception="",
            message=sample.row.error if sample else "no job with this signature is left",
            count=self.count.number(),
            first_ms=moment_ms(first[1]) if first else 0,
            last_ms=moment_ms(rows[0][1]) if rows else 0,
        )


def _reads(queue: str, key: str) -> tuple[Argument, ...]:
    """The arguments of the script's `job`, but for what is known of its attempts."""
    keys = keys_of(queue)
    reads = (keys.job(key), key, HEAD, TAIL, keys.failed, keys.failed_rows, keys.failed_jobs, keys.history)
    bounds = (HISTORY_BUDGET, keys.incomplete, keys.owner, keys.crashes, keys.log(key), JOB_LINES, keys.held)
    return (*reads, *bounds, keys.queued, PLACE_BUDGET, keys.abort(key))


def _count(value: bytes | None) -> int:
    return int(value) if value and value.isdigit() and len(value) < 10 else 0


def _version(failed: bytes | None, worker: str, workers: Sequence[WorkerRow]) -> str:
    """The code that ran a job: as its failure was recorded, else that of its worker while it is alive."""
    recorded = decode_failed(failed) if failed else None
    if recorded is not None and recorded.version:
        return recorded.version
    return next((row.version for row in workers if row.id == worker), "")


def _with_failure(row: JobRow, failure: JobRow) -> JobRow:
    """The row of a failed job: what its payload says, and what the failed index knows besides."""
    return msgspec.structs.replace(
        row,
        function=row.function or failure.function,
        state=failure.state,
        finished_ms=failure.finished_ms,
        attempts=row.attempts or failure.attempts,
        worker=row.worker or failure.worker,
        arguments=row.arguments or failure.arguments,
        error=failure.error or row.error,
        signature=failure.signature,
        payload_bytes=row.payload_bytes or failure.payload_bytes,
        poison=failure.poison,
    )


def _masked(fields: dict[str, Any]) -> dict[str, Any]:
    """A copy of the payload without secrets."""
    found = mask(fields)
    return found if isinstance(found, dict) else {}


def _raw(reading: Reading, head: bytes, tail: bytes) -> str:
    """The payload as stored, without secrets, bounded."""
    if reading.fields and not reading.cut_bytes:
        return msgspec.json.encode(_masked(reading.fields)).decode()[:TEXT_LIMIT]
    gap = f" … {reading.cut_bytes:,} bytes … " if reading.cut_bytes else ""
    whole = head[:TEXT_LIMIT].decode("utf-8", "replace") + gap + tail.decode("utf-8", "replace")
    return mask_text(whole)


def _result(reading: Reading) -> str:
    if "result" not in reading.fields:
        return ""
    return msgspec.json.encode(mask(reading.fields["result"])).decode()[:TEXT_LIMIT]
