"""The part of a long list that is held: rows from `at` on, out of `total`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from tui.widgets.cell import GridRow


class RowWindow:
    """An immutable stretch of a list. Memory is that of the stretch, whatever `total` is."""

    def __init__(self, rows: Sequence[GridRow] = (), at: int = 0, total: int | None = None) -> None:
        self.rows = tuple(rows)
        self.at = at
        self.total = max(at + len(self.rows), 0) if total is None else total

    @property
    def end(self) -> int:
        """The index after the last row that is held."""
        return self.at + len(self.rows)

    def row(self, index: int) -> GridRow | None:
        """The row at an index of the whole list, or None where it is not held."""
        return self.rows[index - self.at] if self.at <= index < self.end else None

    def index_of(self, key: str) -> int | None:
        """Where in the whole list the row of this key is, or None where it is not held."""
        return self._indexes.get(key)

    @cached_property
    def _indexes(self) -> dict[str, int]:
        """The index of each key; of the first row where two have the same."""
        return {row.key: self.at + offset for offset, row in reversed(tuple(enumerate(self.rows)))}

    def covers(self, low: int, high: int) -> bool:
        """Whether every existing row from `low` up to, not including, `high` is held."""
        return self.at <= max(0, low) and min(high, self.total) <= self.end

    def around(self, index: int, most: int) -> RowWindow:
        """This window, cut down to `most` rows about an index where it holds more."""
        if len(self.rows) <= most:
            return self
        low = max(self.at, min(index - most // 2, self.end - most))
        return RowWindow(self.rows[low - self.at : low - self.at + most], low, self.total)

    def held_against(self, fresh: RowWindow) -> RowWindow:
        """This window's rows in this window's order, with the cells of `fresh` where a key is known there too.

        Rows that `fresh` goes on with, before the first and after the last row that both know, are added at the ends,
        so that scrolling works while the order is held. When the two have no row in common, `fresh` it is.
        """
        known = {row.key: row for row in fresh.rows}
        shared = [row.key for row in self.rows if row.key in known]
        if not shared:
            return fresh
        own = {row.key for row in self.rows}
        updated = [known.get(row.key, row) for row in self.rows]
        before, after = _beyond(fresh.rows, self.rows[0].key, self.rows[-1].key, own)
        head = before[max(0, len(before) - self.at) :]
        tail = [row for row in after if row not in head]
        rows = (*head, *updated, *tail)
        at = self.at - len(head)
        return RowWindow(rows, at, max(fresh.total, at + len(rows)))


def _beyond(rows: Sequence[GridRow], first: str, last: str, own: set[str]) -> tuple[list[GridRow], list[GridRow]]:
    """The unknown rows before the row of key `first` and those after that of key `last`; none where it is missing."""
    keys = [row.key for row in rows]
    before = rows[: keys.index(first)] if first in keys else ()
    after = rows[keys.index(last) + 1 :] if last in keys else ()
    return [row for row in before if row.key not in own], [row for row in after if row.key not in own]
