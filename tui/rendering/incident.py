"""An incident note: what was seen, what was done and when, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from quarterdeck.model import AuditRow, BulkRow, FailureGroup, Outcome, Snapshot, Verb
from quarterdeck.text import count_of, human_age, human_count, human_percent
from tui.rendering.moment import Moment
from tui.rendering.queues import queue_state
from tui.rendering.workers import now_text

_DONE: Final[dict[str, str]] = {
    Verb.RETRY: "retried",
    Verb.ABORT: "aborted",
    Verb.DELETE: "deleted",
    Verb.RUN_NOW: "made due",
}
"""What a bulk operation has done to its jobs, in a word."""


def incident_note(
    environment: str,
    snapshot: Snapshot,
    done: Iterable[Outcome],
    moment: Moment,
    seen: Iterable[FailureGroup] = (),
    bulks: Iterable[BulkRow] = (),
) -> str:
    """The note: verdict, queues, failure groups, workers, acts of all operators, and the commands given from here.

    `seen` are the groups that were met before, as they were at their largest; `bulks` the bulk operations that the
    server still knows.
    """
    parts = [
        f"# Incident on {_safe(environment, moment)}, {moment.stamp(moment.now_ms)}",
        "",
        *_verdict(snapshot, moment),
        *_queues(snapshot, moment),
        *_groups(snapshot.groups, seen, moment),
        *_workers(snapshot, moment),
        *_acts(snapshot.acts, moment),
        *_bulks(bulks, moment),
        *_commands(done, moment),
    ]
    return "\n".join(parts) + "\n"


def _safe(text: str, moment: Moment) -> str:
    """Untrusted text that can't end a table cell or begin any markup."""
    clean = moment.text(text, 500)
    for sign in "\\`*_[]<>|#":
        clean = clean.replace(sign, f"\\{sign}")
    return clean


def _verdict(snapshot: Snapshot, moment: Moment) -> list[str]:
    verdict = snapshot.verdict
    lines = [_safe(verdict.headline or "All is well.", moment), ""]
    for finding in verdict.findings:
        since = f" since {moment.stamp(finding.since_ms)}" if finding.since_ms else ""
        lines.append(f"- {finding.level}: {_safe(finding.text, moment)}{since}")
    return [*lines, ""] if verdict.findings else lines


def _queues(snapshot: Snapshot, moment: Moment) -> list[str]:
    lines = [
        "## Queues",
        "",
        "| Queue | Waiting | Oldest | Failing | Failed | State |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for queue in snapshot.queues:
        cells = (
            _safe(queue.name, moment),
            human_count(queue.depth),
            human_age(queue.oldest_ms),
            human_percent(queue.failure_rate),
            human_count(queue.failed),
            _safe(queue_state(queue, moment)[0], moment),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _groups(present: Iterable[FailureGroup], seen: Iterable[FailureGroup], moment: Moment) -> list[str]:
    now = {group.id: group.count for group in present}
    largest = {group.id: group for group in (*present, *seen)}
    if not largest:
        return []
    lines = [
        "## Failures",
        "",
        "| Function | At most | Now | What broke | First | Last | Signature |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for group in largest.values():
        cells = (
            _safe(group.function, moment),
            human_count(group.count),
            human_count(now.get(group.id, 0)),
            _safe(f"{': '.join(filter(None, (group.exception, group.message)))} {group.frame}".strip(), moment),
            moment.stamp(group.first_ms),
            moment.stamp(group.last_ms),
            group.signature,
        )
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _workers(snapshot: Snapshot, moment: Moment) -> list[str]:
    lines = ["## Workers", ""]
    for worker in snapshot.workers:
        name, now = _safe(worker.name or worker.id, moment), _safe(now_text(worker, moment), moment)
        version = f", version {_safe(worker.version, moment)}" if worker.version else ""
        lines.append(f"- {name}: {worker.state}, {worker.running}/{count_of(worker.slots, 'slot')}, {now}{version}")
    return [*lines, ""]


def _acts(acts: Iterable[AuditRow], moment: Moment) -> list[str]:
    lines = ["## What operators did", ""]
    for act in reversed(tuple(acts)):
        jobs = count_of(act.done, "job")
        count = f", {jobs}" if act.done > 1 and act.subject != jobs else ""
        why = f" ({_safe(act.reason, moment)})" if act.reason else ""
        lines.append(
            f"- {moment.stamp(act.at_ms)} {_safe(act.who, moment)}: {_safe(act.verb, moment)} "
            f"{_safe(act.subject, moment)}{count}{why}"
        )
    return [*lines, ""] if len(lines) > 2 else []


def _bulks(bulks: Iterable[BulkRow], moment: Moment) -> list[str]:
    """What became of the acts on many, oldest first."""
    lines = ["## Bulk operations", ""]
    for bulk in sorted(bulks, key=lambda row: row.started_ms):
        total = f" of {human_count(bulk.total)}" if bulk.total >= 0 else ""
        counts = [f"{human_count(bulk.done)}{total} {_DONE.get(bulk.verb, 'done')}"]
        counts += [f"{human_count(bulk.failed)} failed again"] if bulk.failed else []
        counts += [f"{human_count(bulk.skipped)} skipped"] if bulk.skipped else []
        pace = "at once" if bulk.mode == "all" else _safe(bulk.mode, moment)
        why = f" ({_safe(bulk.tripped, moment)})" if bulk.tripped else ""
        lines.append(
            f"- {moment.stamp(bulk.started_ms)} {_safe(bulk.owner, moment)}: {_safe(bulk.verb, moment)} "
            f"{_safe(bulk.query, moment)}, {pace}: {bulk.state}{why}, {', '.join(counts)}"
        )
    return [*lines, ""] if len(lines) > 2 else []


def _commands(done: Iterable[Outcome], moment: Moment) -> list[str]:
    commands = [moment.text(outcome.command, 2000) for outcome in done if outcome.command]
    return ["## The same from a shell", "", "```sh", *commands, "```", ""] if commands else []
