"""The pages of jobs that were read last: while the list stays as it was, a refresh need not read its rows again.

In a list of millions each row lies somewhere else in the server's memory, and to read fifty of them once a second is
most of what a refresh would cost. What the rows are is told by less (`lua/windows.lua`): the members and scores of the
page in a sorted set; the length and the ends of a list, which is walked from its end to where the page lies, and of a
stream.
"""

from __future__ import annotations

from typing import Final

import msgspec

from quarterdeck.model import JobRow

ANEW: Final = 10
"""In one of so many reads the rows are read anew: a payload may be edited while its job waits."""
_MOST: Final = 4
"""Pages that are remembered: those that are on screen, and the ones before."""


class KeptPage(msgspec.Struct):
    """Rows, and the words that tell that they are still so."""

    words: bytes
    rows: tuple[JobRow, ...]
    turn: int = 0


class PageStore:
    """Pages by what was asked for."""

    def __init__(self) -> None:
        self._pages: dict[tuple[object, ...], KeptPage] = {}

    def find(self, asked: tuple[object, ...]) -> KeptPage | None:
        """The page that need not be read if its words are still true; None where the rows are to be read."""
        page = self._pages.get(asked)
        if page is None:
            return None
        page.turn += 1
        return None if page.turn % ANEW == 0 else page

    def keep(self, asked: tuple[object, ...], words: bytes, rows: tuple[JobRow, ...]) -> None:
        """Keep what was read. Rows that can't be read are read again, and so are those that no words tell of."""
        self._pages.pop(asked, None)
        if words and not any(row.broken for row in rows):
            self._pages[asked] = KeptPage(words, rows)
        while len(self._pages) > _MOST:
            del self._pages[next(iter(self._pages))]
