"""What operators did and have under way, as rows: the audit, the recycle bin, bulk operations, the quarantine."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import AuditRow, BinRow, BulkRow, QuarantineRow
from quarterdeck.text import human_count
from tui.rendering.moment import Moment
from tui.widgets.cell import Age, AnyCell, Cell, Countdown, GridRow
from tui.widgets.columns import Column

AUDIT_COLUMNS: Final = (
    Column("at", "WHEN", 11),
    Column("who", "who", 8, flex=1),
    Column("verb", "did", 14),
    Column("subject", "what", 14, flex=3),
    Column("count", "jobs", 6, align="right", priority=1),
    Column("reason", "why", 10, flex=2),
    Column("command", "as a command", 16, flex=4, style="muted", priority=3),
    Column("origin", "from", 10, flex=1, style="muted", priority=2),
)
BIN_COLUMNS: Final = (
    Column("function", "DELETED", 14, flex=2),
    Column("key", "key", 12, flex=1, style="muted", middle=True),
    Column("was", "was", 9),
    Column("at", "ago", 6, align="right"),
    Column("expires", "gone in", 9, align="right"),
    Column("who", "by", 8, flex=1),
    Column("error", "error", 12, flex=3, priority=1),
    Column("queue", "queue", 9, priority=2),
)
BULK_COLUMNS: Final = (
    Column("verb", "BULK", 7),
    Column("state", "state", 8),
    Column("progress", "progress", 19),
    Column("failed", "failed", 6, align="right"),
    Column("skipped", "skip", 5, align="right", priority=2),
    Column("query", "what", 8, flex=2),
    Column("phase", "at", 23, flex=2),
    Column("owner", "by", 7, priority=1),
    Column("started", "since", 6, align="right", priority=3),
    Column("reason", "why", 10, flex=2, priority=4),
)
QUARANTINE_COLUMNS: Final = (
    Column("key", "SET ASIDE", 14, flex=1, middle=True),
    Column("reason", "why", 18, flex=3),
    Column("at", "ago", 6, align="right"),
    Column("function", "function", 12, flex=1, priority=1),
    Column("queue", "queue", 9, priority=2),
    Column("rule", "rule", 8, priority=3),
    Column("raw", "payload", 12, flex=2, style="muted", priority=4),
)

_BULK_STYLES: Final = {
    "waiting": "wait",
    "running": "busy",
    "paused": "paused",
    "stopped": "muted",
    "tripped": "bad",
    "done": "ok",
}


def audit_row(act: AuditRow, moment: Moment) -> GridRow:
    """One act as cells in the order of `AUDIT_COLUMNS`."""
    count = human_count(act.done, 6) + (f"-{act.skipped}" if act.skipped else "") if act.done or act.skipped else ""
    cells: tuple[AnyCell, ...] = (
        moment.clock_time(act.at_ms),
        moment.text(act.who, 40),
        moment.text(act.verb, 40),
        moment.text(act.subject),
        Cell(count, "warn" if act.skipped else ""),
        moment.text(act.reason),
        moment.text(act.command),
        moment.text(act.origin, 60),
    )
    return GridRow(act.id, cells)


def bin_row(row: BinRow, moment: Moment) -> GridRow:
    """One deleted job as cells in the order of `BIN_COLUMNS`."""
    cells: tuple[AnyCell, ...] = (
        moment.text(row.function, 80),
        moment.text(row.key, 80),
        Cell("unread", "warn") if row.aside else str(row.was),
        Age(row.deleted_ms),
        Countdown(row.expires_ms),
        moment.text(row.who, 40),
        moment.text(row.error),
        moment.text(row.queue, 60),
    )
    return GridRow(row.id, cells)


def bulk_row(bulk: BulkRow, moment: Moment) -> GridRow:
    """One bulk operation as cells in the order of `BULK_COLUMNS`."""
    cells: tuple[AnyCell, ...] = (
        moment.text(bulk.verb, 20),
        Cell(bulk.state, _BULK_STYLES.get(bulk.state, "muted")),
        progress(bulk, moment),
        Cell(human_count(bulk.failed, 6), "bad" if bulk.failed else "muted"),
        Cell(human_count(bulk.skipped, 5), "" if bulk.skipped else "muted"),
        moment.text(bulk.query),
        Cell(moment.text(bulk.tripped or bulk.phase), "bad" if bulk.tripped else "muted"),
        moment.text(bulk.owner, 40),
        Age(bulk.started_ms),
        moment.text(bulk.reason),
    )
    return GridRow(bulk.id, cells)


def progress(bulk: BulkRow, moment: Moment, cells: int = 8) -> str:
    """`####---- 41/532`: how far it is, as a bar and as figures."""
    through = bulk.done + bulk.skipped
    if bulk.total < 0:  # a search does not know before its end
        return f"{human_count(through, 9)} so far"
    full = cells * min(through, bulk.total) // bulk.total if bulk.total else 0
    on, off = ("#", "-") if moment.glyphs.ascii else ("█", "░")
    return f"{on * full}{off * (cells - full)} {human_count(through, 5)}/{human_count(bulk.total, 5)}"


def quarantine_row(row: QuarantineRow, moment: Moment) -> GridRow:
    """One thing set aside as cells in the order of `QUARANTINE_COLUMNS`."""
    cells: tuple[AnyCell, ...] = (
        moment.text(row.key, 80),
        Cell(moment.text(row.reason), "warn" if not row.rule else ""),
        Age(row.at_ms or None),
        moment.text(row.function, 60),
        moment.text(row.queue, 60),
        moment.text(row.rule, 20) or Cell("-", "muted"),
        moment.text(row.raw),
    )
    return GridRow(row.id, cells)
