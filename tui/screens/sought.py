"""Filtering on this side of the line, for the short lists that every snapshot holds whole: by the same grammar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from quarterdeck.model import Row

T = TypeVar("T")


class Names(Row, frozen=True, kw_only=True):
    """What something in such a list is called, for the grammar's `name:`, `q:` and `fn:`."""

    name: str
    queue: str = ""
    function: str = ""


def matching(text: str, named: Iterable[tuple[T, Names]]) -> list[T]:
    """Those whose names match the filter `text`; all where it is empty. Raises UsageError where it can't be read."""
    if not text.strip():
        return [it for it, _ in named]
    from quarterdeck.inspect.filter import parse_filter

    wanted = parse_filter(text)
    return [it for it, names in named if wanted.matches(names, now_ms=0)]
