"""The filter of a selection as a predicate over rows: the grammar is `inspect.filter`'s."""

from __future__ import annotations

from quarterdeck.operate.selecting import Predicate


def predicate_of(text: str, *, now_ms: int) -> Predicate | None:
    """A predicate for the filter `text`, or None when it is empty. Raises UsageError for text that can't be read."""
    if not text.strip():
        return None
    from quarterdeck.inspect.filter import parse_filter

    parsed = parse_filter(text)
    return lambda row: parsed.matches(row, now_ms=now_ms)
