"""Edited arguments: whoever edits a job sees `***` where a secret is, and what he left so must not become `***`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quarterdeck.errors import UsageError
from quarterdeck.text import MASK, mask

_NOTHING: Final = object()
"""In place of what was shown and stored, where there was nothing."""


def unmasked(arguments: Mapping[str, Any], stored: Any) -> dict[str, Any]:
    """Return edited arguments with every part that was left as it is shown, masked, as it is stored.

    Parts are told by their place: names at any depth, and in lists by what they show, then by their index. A mask
    that stands for nothing there, or for one of several secrets, is refused: it must never be stored as a value.
    Raises UsageError that names the place.
    """
    if not isinstance(stored, dict):
        return {name: _part(value, _NOTHING, _NOTHING, name) for name, value in arguments.items()}
    shown = mask(stored)
    return {
        name: _part(value, shown.get(name, _NOTHING), stored.get(name, _NOTHING), name)
        for name, value in arguments.items()
    }


def _part(edited: Any, shown: Any, stored: Any, place: str) -> Any:
    """One part of the arguments; `shown` is `stored` with its secrets masked."""
    if _same(edited, shown):
        return stored
    if isinstance(edited, dict):
        before, kept = (shown, stored) if isinstance(stored, dict) and isinstance(shown, dict) else ({}, {})
        return {
            name: _part(value, before.get(name, _NOTHING), kept.get(name, _NOTHING), f"{place}.{name}")
            for name, value in edited.items()
        }
    if isinstance(edited, list):
        there = isinstance(stored, list) and isinstance(shown, list)
        items, kept_items = (shown, stored) if there else ([], [])
        return [_item(edited, at, items, kept_items, f"{place}[{at}]") for at in range(len(edited))]
    if isinstance(edited, str) and MASK in edited and not (isinstance(stored, str) and MASK in stored):
        raise UsageError(f"'{place}' holds the mask {MASK} in a value that was changed.", "Write the value in full.")
    return edited


def _item(items: list[Any], at: int, shown: list[Any], stored: list[Any], place: str) -> Any:
    """One item of a list. Items may have been put in, taken out or moved: what one shows says which it was."""
    edited, in_place = items[at], len(items) == len(shown)
    if in_place and _same(edited, shown[at]):
        return stored[at]
    alike = [stored[index] for index, item in enumerate(shown) if _same(edited, item)]
    if alike and all(_same(item, alike[0]) for item in alike):
        return alike[0]
    if in_place and not alike and not any(_same(item, shown[at]) for item in items):
        return _part(edited, shown[at], stored[at], place)
    return _part(edited, _NOTHING, _NOTHING, place)


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: `1`, `1.0` and `true` are three values."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
