"""One job, whole: why it is where it is, what broke, its arguments, attempts and log."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import pairwise
from typing import Any, Final

from quarterdeck.model import AttemptStat, AuditRow, JobDetail, JobRow, JobState, LogRow
from quarterdeck.text import count_of, fit, human_age, human_bytes, human_duration, mask
from tui.rendering.block import Block, block, pairs
from tui.rendering.jobs import STATE_STYLES, state_sign
from tui.rendering.lines import Runs
from tui.rendering.moment import Moment
from tui.widgets.doclines import DocLine, json_lines, text_lines, traceback_lines

_BAR_CELLS: Final = 24
_LEVEL_STYLES: Final = {"ERROR": "bad", "CRITICAL": "bad", "WARNING": "warn", "DEBUG": "muted"}


def job_blocks(detail: JobDetail, moment: Moment) -> list[Block]:
    """All there is to know about a job, the most telling first."""
    blocks = [
        why_block(detail.why, detail.why_cure, moment),
        Block("error", tuple(traceback_lines(detail.traceback)) if detail.traceback.strip() else ()),
        Block("arguments", arguments_lines(detail)),
        Block("result", tuple(text_lines(detail.result)) if detail.result else ()),
        block("job", _facts(detail, moment)),
        *_attempts(detail, moment),
        block(f"log, {count_of(len(detail.log), 'line')}", _log(detail, moment)),
        block("acts of operators", (act_line(act, moment) for act in detail.acts)),
    ]
    if detail.row.broken:
        blocks.insert(1, Block(f"payload: {detail.row.broken}", tuple(text_lines(detail.raw))))
    return blocks


def _attempts(detail: JobDetail, moment: Moment) -> list[Block]:
    """The attempts since the job began anew, and what came before that under the same key: their numbers tell."""
    newest_first = sorted(detail.attempts, key=lambda it: -(it.started_ms or it.finished_ms or it.queued_ms))
    falls = [later.attempt > earlier.attempt for later, earlier in pairwise(newest_first)]
    own = newest_first[: falls.index(False) + 1] if False in falls else newest_first
    since = tuple(it for it in detail.attempts if it in own)
    before = tuple(it for it in detail.attempts if it not in own)
    return [
        block("attempts", (attempt_line(it, since, moment) for it in since)),
        block("before, under the same key", (attempt_line(it, before, moment) for it in before)),
    ]


def _log(detail: JobDetail, moment: Moment) -> list[Runs]:
    """The lines of the log; where there was more than one attempt each begins under its own line."""
    starts = [(it.started_ms, it.attempt) for it in detail.attempts if it.started_ms]
    pending = sorted(starts) if len(starts) > 1 else []
    lines: list[Runs] = []
    for line in detail.log:
        while pending and line.at_ms >= pending[0][0]:
            at_ms, attempt = pending.pop(0)
            if not pending or line.at_ms < pending[0][0]:
                lines.append(((f"attempt {attempt}, {moment.clock_time(at_ms)}", "strong"),))
        lines.append(log_line(line, moment))
    return lines


def why_block(why: str, cure: str, moment: Moment) -> Block:
    """Why a thing is as it is, and what to do about it."""
    said = [((moment.text(why, 1000), "strong"),)] if why else []
    if cure:
        said.append(((moment.text(cure, 1000), "note"),))
    return block("why", said)


def job_title(row: JobRow, moment: Moment) -> str:
    """`send_email e7 ✗ failed`, for the top line."""
    return (
        f"{moment.text(row.function, 60)} {moment.text(row.key, 60)} {state_sign(row.state, moment.glyphs)} {row.state}"
    )


def arguments_of(detail: JobDetail) -> Any:
    """The job's arguments, secrets masked; None when there are none or they can't be read."""
    return mask(detail.document.get("kwargs"))


def arguments_lines(detail: JobDetail) -> tuple[DocLine, ...]:
    """The arguments as lines of JSON; none when there are none."""
    arguments = arguments_of(detail)
    return tuple(json_lines(arguments)) if arguments else ()


def _facts(detail: JobDetail, moment: Moment) -> tuple[Runs, ...]:
    row = detail.row
    document = detail.document
    state_style = STATE_STYLES[row.state] if row.state is not JobState.COMPLETE else ""
    size = human_bytes(row.payload_bytes) if row.payload_bytes else ""
    cut = f" ({human_bytes(detail.cut_bytes)} not read)" if detail.cut_bytes else ""
    return pairs(
        moment,
        ("state", f"{row.state}{', poison' if row.poison else ''}", state_style),
        ("queue", row.queue),
        ("key", row.key),
        ("attempts", f"{row.attempts} of {row.retries}" if row.attempts else ""),
        ("crashes", f"{count_of(detail.crashes, 'worker')} died under it" if detail.crashes else "", "bad"),
        ("queued", _at(row.queued_ms, moment)),
        ("due", _at(row.scheduled_ms, moment)),
        ("started", _at(row.started_ms, moment)),
        ("finished", _at(row.finished_ms, moment)),
        ("took", human_duration(row.duration_ms) if row.duration_ms else ""),
        ("time-out", f"{row.timeout_s:g} s" if row.timeout_s else ""),
        ("progress", f"{row.progress:.0%}" if row.progress else ""),
        ("worker", row.worker),
        ("version", detail.version),
        ("if it fails", _if_it_fails(row)),
        ("signature", row.signature),
        ("payload", size + cut),
        ("meta", json.dumps(mask(document["meta"]), ensure_ascii=False, default=str) if document.get("meta") else ""),
    )


def _if_it_fails(row: JobRow) -> str:
    """What comes after the attempt that is under way or waits; nothing for what has ended."""
    if row.broken or row.state in {JobState.FAILED, JobState.ABORTED, JobState.COMPLETE}:
        return ""
    begun = max(1, row.attempts + (row.state is not JobState.ACTIVE))
    if begun < row.retries:
        return f"attempt {begun + 1} of {row.retries} follows by itself"
    return "it stays in the failed list: that was its last attempt"


def _at(at_ms: int, moment: Moment) -> str:
    return f"{moment.stamp(at_ms)}  ({human_age(moment.age_ms(at_ms))} ago)" if at_ms else ""


def attempt_line(attempt: AttemptStat, every: Iterable[AttemptStat], moment: Moment) -> Runs:
    """One attempt: when it waited and ran, as a bar over the job's life, and what came of it."""
    ok = attempt.status == "complete"
    waited = attempt.started_ms - attempt.queued_ms if attempt.started_ms and attempt.queued_ms else None
    return (
        (f"{attempt.attempt:>2} ", "strong"),
        (f"{attempt.status:<8} ", "" if ok else "bad" if attempt.status == "failed" else "warn"),
        (attempt_bar(attempt, tuple(every), moment), "muted"),
        (f" {moment.clock_time(attempt.started_ms)}", ""),
        (f"  waited {human_duration(waited)}" if waited is not None else "", "muted"),
        (f"  ran {human_duration(attempt.duration_ms)}", ""),
        (f"  {moment.text(attempt.worker, 40)}", "muted"),
        (f"  {moment.text(attempt.error)}" if attempt.error else "", "bad"),
    )


def attempt_bar(attempt: AttemptStat, every: tuple[AttemptStat, ...], moment: Moment, cells: int = _BAR_CELLS) -> str:
    """Where in the job's life this attempt waited and ran: `···━━━     `."""
    first = min((it.queued_ms or it.started_ms for it in every if it.queued_ms or it.started_ms), default=0)
    last = max((it.finished_ms or moment.now_ms for it in every), default=0)
    span = max(1, last - first)
    run, wait = ("=", ".") if moment.glyphs.ascii else ("━", "·")

    def cell(at_ms: int) -> int:
        return min(cells, max(0, (at_ms - first) * cells // span))

    start = min(cells - 1, cell(attempt.started_ms or attempt.queued_ms))
    end = max(start + 1, cell(attempt.finished_ms or moment.now_ms))
    waited = cell(attempt.queued_ms) if attempt.queued_ms else start
    return fit(" " * waited + wait * (start - waited) + run * (end - start), cells)


def log_line(line: LogRow, moment: Moment) -> Runs:
    """One line of a log."""
    return (
        (f"{moment.clock_time(line.at_ms)} ", "muted"),
        (f"{moment.text(line.level, 8):<8} ", _LEVEL_STYLES.get(line.level, "muted")),
        (moment.text(line.text, 2000), ""),
    )


def act_line(act: AuditRow, moment: Moment) -> Runs:
    """One act of an operator."""
    why = f": {moment.text(act.reason)}" if act.reason else ""
    return (
        (f"{moment.clock_time(act.at_ms)} ", "muted"),
        (f"{moment.text(act.who, 40)} {moment.text(act.verb, 40)} {moment.text(act.subject)}{why}", ""),
    )
