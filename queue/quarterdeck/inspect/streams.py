"""What is written down line by line: job logs, and the audit of what operators did."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from quarterdeck import keys as names
from quarterdeck.inspect.filter import Filter
from quarterdeck.inspect.plan import Answer, Plan, text
from quarterdeck.keys import keys_of
from quarterdeck.model import AnyRow, AuditRow, LogRow, Page, View

MOST: Final = 5_000
"""Lines read at a time, filtered or not."""
JOB_LINES: Final = 2_000
"""Lines of one job's log that are read."""
NAME_BUDGET: Final = 300
"""Entries of the history that are looked at for the function of a job of which nothing else is left."""

_AUDIT: Final = msgspec.json.Decoder(AuditRow, strict=False)


class LogLine(msgspec.Struct, frozen=True):
    """A line of one job's own log (`qd:log`)."""

    at_ms: int = 0
    level: str = ""
    text: str = ""
    attempt: int = 0


_LINE: Final = msgspec.json.Decoder(LogLine, strict=False)

_NAMES: Final = [b"k", b"f", b"l", b"t", b"w", b"n"]
"""The fields of a line in the order in which our workers write them."""


class LogPart:
    """The reads for a page of log lines: of one job, or of all jobs of some queues."""

    def __init__(self, plan: Plan, view: View, queues: Sequence[str], wanted: Filter) -> None:
        self.view, self.filter = view, wanted
        self.queues = [view.queue] if view.queue is not None else sorted(queues)
        self.after = read_cursor(view.after, self.queues)
        count = min(MOST, view.budget) if wanted else min(MOST, view.offset + view.limit)
        subject = view.subject or ""
        self.lists = [self._of_job(plan, queue, subject) for queue in self.queues if subject]
        self.streams: list[Answer] = []
        self.lengths: list[Answer] = []
        self.added: list[Answer] = []
        for queue in [] if view.subject else self.queues:
            key = keys_of(queue).logs
            after, counted = seen_of(self.after.get(queue, ""))
            if after and not (view.newest and counted is not None):
                reading = ("XRANGE", f"({after}", "+")
            else:
                reading = ("XREVRANGE", "+", f"({after}" if after else "-")
            self.streams.append(plan.call(key, *reading, "COUNT", count))
            self.lengths.append(plan.call(key, "XLEN"))
            if view.newest:
                self.added.append(plan.ask(key, "added", key))

    @staticmethod
    def _of_job(plan: Plan, queue: str, key: str) -> tuple[Answer, Answer]:
        """The lines of one job's own log, and the name of its function."""
        keys = keys_of(queue)
        named = (keys.job(key), key, keys.failed_rows, keys.history, keys.log(key), NAME_BUDGET)
        return plan.call(keys.log(key), "LRANGE", -JOB_LINES, -1), plan.ask(keys.queued, "function", *named)

    def page(self, now_ms: int) -> Page:
        """The lines oldest first; `cursor` goes on after the newest."""
        if self.view.subject:
            key = self.view.subject
            rows = [row for lines, name in self.lists for row in job_lines(lines.rows(), key, text(name.value))]
            total, dropped, newest = len(rows), 0, dict(self.after)
        else:
            rows, dropped, newest = self._lines()
            total = sum(answer.number() for answer in self.lengths)
        searched = len(rows)
        if self.filter:
            rows = [row for row in rows if self.filter.matches(row, now_ms=now_ms)]
            total = len(rows)
        if self.view.after and self.view.newest:
            cut = max(0, len(rows) - self.view.limit)
            rows, dropped = rows[cut:], dropped + cut
        elif self.view.after:
            rows = rows[: self.view.limit] if len(self.queues) == 1 else rows
        else:
            end = max(0, len(rows) - self.view.offset)
            rows = rows[max(0, end - self.view.limit) : end]
        lines: tuple[AnyRow, ...] = tuple(rows)
        return Page(
            offset=self.view.offset,
            total=total,
            rows=lines,
            searched=searched,
            total_unfiltered=sum(answer.number() for answer in self.lengths) or searched,
            cursor=write_cursor(newest or self.after, self.queues),
            dropped=dropped,
        )

    def _lines(self) -> tuple[list[LogRow], int, dict[str, str]]:
        """All queues' lines in order of time, lines dropped before them, and where each queue goes on."""
        found: list[LogRow] = []
        dropped, newest = 0, dict(self.after)
        for number, (queue, answer) in enumerate(zip(self.queues, self.streams, strict=True)):
            entries = answer.rows()
            if len(entries) > 1 and _order(text(entries[0][0])) > _order(text(entries[-1][0])):
                entries.reverse()
            prefix = f"{queue}/" if len(self.queues) > 1 else ""
            for entry_id, flat in entries:  # thousands a read: nothing here is done twice
                row, lost = _log_row(prefix, entry_id, flat)
                found.append(row)
                dropped += lost
            after, counted = seen_of(self.after.get(queue, ""))
            last = text(entries[-1][0]) if entries else after
            added = self.added[number].value if self.added else None
            if isinstance(added, int):
                dropped += max(0, added - counted - len(entries)) if counted is not None else 0
                last = f"{last or '0-0'}@{added}"
            if last:
                newest[queue] = last
        if len(self.queues) > 1:
            found.sort(key=lambda row: _order(row.id.rpartition("/")[2]))
        return found, dropped, newest


def job_lines(raws: Sequence[bytes], key: str, function: str = "") -> list[LogRow]:
    """The lines of one job's own log, oldest first; they don't say whose they are."""
    rows = []
    for number, raw in enumerate(raws):
        try:
            line = _LINE.decode(raw)
        except (ValueError, RecursionError):
            line = LogLine(level="?", text=text(raw)[:500])
        rows.append(
            LogRow(
                id=str(number),
                at_ms=line.at_ms,
                level=line.level,
                text=line.text,
                key=key,
                function=function,
                attempt=line.attempt,
            )
        )
    return rows


class AuditPart:
    """The read of the newest acts of operators, or of a page of them."""

    def __init__(self, plan: Plan, view: View | None, count: int, wanted: Filter | None = None) -> None:
        self.view, self.filter = view, wanted
        end = f"({view.after}" if view is not None and view.after else "+"
        self.answer = plan.call(names.AUDIT, "XREVRANGE", end, "-", "COUNT", count)
        self.length = plan.call(names.AUDIT, "XLEN")

    def rows(self) -> list[AuditRow]:
        """The acts that were read, newest first."""
        return [_audit_row(text(entry_id), fields) for entry_id, fields in self.answer.rows()]

    def page(self, now_ms: int) -> Page:
        """A page of acts, newest first; `cursor` goes on with older ones."""
        view = self.view or View()
        rows = self.rows()
        searched = len(rows)
        if self.filter:
            rows = [row for row in rows if self.filter.matches(row, now_ms=now_ms)]
        total = len(rows) if self.filter else self.length.number()
        shown = rows[view.offset : view.offset + view.limit] if not view.after else rows[: view.limit]
        return Page(
            offset=view.offset,
            total=total,
            rows=tuple(shown),
            searched=searched,
            total_unfiltered=self.length.number(),
            cursor=shown[-1].id if shown else view.after,
        )


def read_cursor(cursor: str, queues: Sequence[str]) -> dict[str, str]:
    """Where each queue's stream goes on. A cursor is one stream id, or a JSON object of queue → id.

    An id may carry how many entries had been added to the stream by then (see `seen_of`).
    """
    if not cursor:
        return {}
    if not cursor.startswith("{"):
        return dict.fromkeys(queues, cursor)
    try:
        found = msgspec.json.decode(cursor, type=dict[str, str])
    except ValueError:
        return {}
    return {queue: entry for queue, entry in found.items() if queue in queues}


def seen_of(place: str) -> tuple[str, int | None]:
    """The id of a place in a stream, and after an `@` how many entries had been added by then; None when unknown."""
    entry_id, _, added = place.partition("@")
    return entry_id, int(added) if added.isascii() and added.isdigit() and len(added) < 20 else None


def write_cursor(newest: dict[str, str], queues: Sequence[str]) -> str:
    """The inverse of `read_cursor`."""
    if len(queues) == 1:
        return newest.get(queues[0], "")
    return msgspec.json.encode(newest).decode() if newest else ""


def _log_row(prefix: str, entry_id: bytes, flat: list[Any]) -> tuple[LogRow, int]:
    """A line, and how many lines its worker dropped before it."""
    id_ = entry_id.decode("ascii", "replace")
    lost = 0
    if flat[::2] == _NAMES:
        key, function, level, said, worker, attempt = flat[1::2]
    else:
        fields = dict(zip(flat[::2], flat[1::2], strict=False))
        key, function, level, said, worker, attempt = map(fields.get, _NAMES)
        lost = _number(fields.get(b"d"))
    row = LogRow(
        id=prefix + id_,
        at_ms=int(id_.partition("-")[0] or 0),
        level=_word(level),
        text=text(said),
        key=text(key),
        function=_word(function),
        worker=_word(worker),
        attempt=_number(attempt),
    )
    return row, lost


@lru_cache(maxsize=256)
def _word(value: bytes | None) -> str:
    """As text, for what is the same in many lines: decoded once, held once."""
    return text(value)


def _audit_row(entry_id: str, flat: list[Any]) -> AuditRow:
    fields = {text(name): value for name, value in zip(flat[::2], flat[1::2], strict=False)}
    at_ms = _order(entry_id)[0]
    try:
        row = _AUDIT.decode(fields.get("r", b""))
    except (ValueError, RecursionError):
        return AuditRow(id=entry_id, at_ms=at_ms, who="?", origin="", verb="?", subject="an entry that can't be read")
    return msgspec.structs.replace(row, id=entry_id, at_ms=row.at_ms or at_ms)


def _order(entry_id: str) -> tuple[int, int]:
    """A stream id as two numbers, in the order of the stream."""
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds or 0), int(sequence or 0)


@lru_cache(maxsize=256)
def _number(value: bytes | None) -> int:
    raw = text(value)
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 10 else 0
