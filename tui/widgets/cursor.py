"""A cursor that stands on a key, not on a line number."""

from __future__ import annotations

from typing import Literal

from tui.widgets.window import RowWindow

Standing = Literal["on", "waiting", "lost"]


class Cursor:
    """Where the operator is in a list.

    `on`: the row of `key` is known, at `index`. `waiting`: the cursor was sent to an index whose row has not arrived
    yet; whatever arrives there is taken. `lost`: the row was there and is gone; the cursor stays where it was but
    points at nothing, so that no act can hit the row that slid under it, until the operator moves it.
    """

    def __init__(self) -> None:
        self.index = 0
        self.key: str | None = None
        self.standing: Standing = "waiting"

    @property
    def target(self) -> str | None:
        """The key that an act would take, or None."""
        return self.key if self.standing == "on" else None

    def go(self, index: int, window: RowWindow) -> None:
        """Move to an index of the whole list, as near as it gets."""
        self.index = max(0, min(index, window.total - 1))
        row = window.row(self.index)
        self.key = row.key if row else None
        self.standing = "on" if row else "waiting"

    def follow(self, window: RowWindow) -> int:
        """Find the way after the rows changed; returns how far the key moved (0 where it did not, or is lost)."""
        old = self.index
        if self.key is None:
            self.go(old, window)
            return 0
        found = window.index_of(self.key)
        if found is not None:
            self.index, self.standing = found, "on"
            return found - old
        self.index = max(0, min(old, window.total - 1))
        if not window.total:
            self.key, self.standing = None, "waiting"
        elif window.row(self.index) is not None:
            self.standing = "lost"
        return 0
