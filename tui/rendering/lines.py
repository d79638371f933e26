"""The lines around a list: the verdict at the top, who is here and the keys at the bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from quarterdeck.model import AuditRow, BulkRow, Level, OperatorRow, Snapshot
from quarterdeck.text import cell_width, count_of, fit, human_count, human_duration
from tui.rendering.moment import Moment

LIVE: Final = frozenset({"waiting", "running", "paused"})
"""States of a bulk operation that is not over."""

LEAST_PLACE: Final = 12
"""Cells that the place keeps whatever the flags take."""

Runs = tuple[tuple[str, str], ...]
"""Pieces of one line, each with the name of its style."""

_VERDICT_STYLES = {Level.OK: "ok", Level.NOTICE: "note", Level.WARNING: "warn", Level.BAD: "bad"}


def width_of(runs: Runs) -> int:
    """Cells that the pieces take together."""
    return sum(cell_width(text) for text, _ in runs)


def spread(left: Runs, right: Runs, width: int, fill: str = " ", style: str = "") -> Runs:
    """Both in one line of `width` cells, one at each end; the left one is cut where they do not fit."""
    room = width - width_of(right)
    if width_of(left) > room:
        left = cut(left, max(0, room - 1))
    return (*left, (fill * max(0, room - width_of(left)), style), *right)


def cut(runs: Runs, width: int) -> Runs:
    """The head of the pieces that fits, the last one ending in an ellipsis."""
    kept: list[tuple[str, str]] = []
    for text, style in runs:
        cells = cell_width(text)
        if cells > width:
            kept.append((fit(text, width), style))
            break
        kept.append((text, style))
        width -= cells
    return tuple(kept)


def verdict_runs(snapshot: Snapshot | None, moment: Moment, *, doubt: str = "") -> Runs:
    """What is wrong and since when; silent green when nothing is. Where there is a `doubt` it is said in its place."""
    if doubt or snapshot is None:
        return ((f"{doubt or 'reading'} ", "muted"),)
    verdict = snapshot.verdict
    if verdict.level is Level.OK:
        return ((f"{moment.glyphs.ok} all is well ", "ok"),)
    said = moment.text(verdict.headline)
    if verdict.since_ms and "since" not in said:
        said += f" since {moment.clock_time(verdict.since_ms)[:5]}"
    more = len(verdict.findings) - 1
    runs = [(f"{moment.glyphs.warning} {said}", _VERDICT_STYLES[verdict.level])]
    if more > 0:
        runs.append((f" +{more}", "muted"))
    return (*runs, (" ", ""))


def top_runs(  # one line says where one is, what holds there and what is wrong
    environment: str,
    flags: Sequence[tuple[str, str]],
    place: str,
    snapshot: Snapshot | None,
    moment: Moment,
    width: int,
    *,
    doubt: str = "",
) -> Runs:
    """The first line of every screen: the environment and its flags, where one is, the verdict.

    Flags are never cut. The place keeps three fifths of the line where the verdict wants more than the rest.
    """
    left: list[tuple[str, str]] = [(f" {environment}", "strong")]
    for text, style in flags:
        left += [(" ", ""), (text, style)]
    dot = moment.glyphs.plain(" · ")
    verdict = verdict_runs(snapshot, moment, doubt=doubt)
    room = max(width - width_of(verdict), width * 3 // 5) - width_of(tuple(left)) - len(dot) - 1
    left += [(dot, "muted"), *cut(((place, "strong"),), max(LEAST_PLACE, room))]
    return spread(tuple(left), cut(verdict, width - width_of(tuple(left)) - 1), width)


def deployment_text(snapshot: Snapshot | None) -> str:
    """`3 queues · 1,284/min`, or nothing before the first answer."""
    if snapshot is None:
        return ""
    return f"{count_of(len(snapshot.queues), 'queue')} · {human_count(round(snapshot.per_minute))}/min"


def rule_runs(environment: str, snapshot: Snapshot | None, me: str, moment: Moment, width: int) -> Runs:
    """The rule above the keys: the environment, who else is here (ids that don't begin with `me`), the newest act."""
    rule = moment.glyphs.rule
    said: list[tuple[str, str]] = [(rule, "rule"), (f" {moment.text(environment, 40)} ", "strong")]
    if snapshot is not None:
        others = [moment.text(row.who, 30) for row in others_of(snapshot.operators, me)]
        if others:
            said += [(rule, "rule"), (f" with {', '.join(others)} ", "note")]
        for bulk in [bulk for bulk in snapshot.bulks if bulk.state in LIVE][:2]:
            said += [(rule, "rule"), (f" {bulk_text(bulk, moment)} ", "busy")]
        act = next(iter(snapshot.acts), None)
        if act is not None:
            said += [(rule, "rule"), (f" {act_text(act, moment)} ", "muted")]
    left = cut(tuple(said), width) if width_of(tuple(said)) > width else tuple(said)
    return spread(left, (), width, rule, "rule")


def bulk_text(bulk: BulkRow, moment: Moment) -> str:
    """`retry 43/532 canary`: a bulk operation that is under way."""
    through = bulk.done + bulk.skipped
    total = f"/{human_count(bulk.total)}" if bulk.total >= 0 else ""
    mode = "" if bulk.mode == "all" else f" {bulk.mode}"
    state = "" if bulk.state == "running" else f", {bulk.state}"
    return f"{moment.text(bulk.verb, 20)} {human_count(through)}{total}{mode}{state}"


def others_of(operators: Iterable[OperatorRow], me: str) -> list[OperatorRow]:
    """Everybody attached whose id does not begin with `me`."""
    return [row for row in operators if not me or not row.id.startswith(me)]


def act_text(act: AuditRow, moment: Moment) -> str:
    """`14:03:22 bob: retry 12 send_email`, `abort 2 jobs`, `abort 2 of 3 jobs`."""
    count = f" {human_count(act.done)}" if act.done > 1 else ""
    if act.subject[:1].isdigit() and act.subject.endswith(" jobs"):  # the subject is how many were named
        count = "" if act.subject == count_of(act.done, "job") else f" {human_count(act.done)} of"
    subject = f" {moment.text(act.subject, 60)}" if act.subject else ""
    return f"{moment.clock_time(act.at_ms)} {moment.text(act.who, 30)}: {moment.text(act.verb, 20)}{count}{subject}"


def key_runs(entries: Sequence[tuple[str, str]], right: Runs, width: int) -> Runs:
    """The keys that matter here, as many as fit: `e new  r retry`, and what stands at the right end."""
    runs: list[tuple[str, str]] = [(" ", "")]
    room = width - width_of(right) - 2
    for key, label in entries:
        piece = ((key, "strong"), (f" {label}  " if label else " ", "muted"))
        if width_of((*runs, *piece)) - 2 > room:
            break
        runs += piece
    return spread(tuple(runs), right, width)


def round_trip_runs(snapshot: Snapshot | None, line: str, stale: bool, steady_ms: float | None = None) -> Runs:
    """The server's round trip (`steady_ms` in place of the last one), and the terminal's line where it is poor."""
    if snapshot is None or stale:
        return (("no answer ", "bad"),) if stale else ((" ", ""),)
    rtt_ms = snapshot.rtt_ms if steady_ms is None else steady_ms
    style = "warn" if rtt_ms >= 250 else "muted"
    poor = ((f"{line} ", "warn"),) if line else ()
    return (*poor, (f"{human_duration(round(rtt_ms, 1))} ", style))
