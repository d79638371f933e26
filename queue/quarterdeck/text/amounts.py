"""Amounts with their unit, as people type them and read them back: `30d`, `2GB`, `100,000`."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final[dict[str, dict[str, int]]] = {
    "count": {"": 1, "k": 1_000, "M": 1_000_000, "G": 1_000_000_000},
    "ms": {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "y": 31_536_000_000},
    "bytes": {"B": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40},
}
"""Unit of the whole → what may follow a number, and what that makes of it. Bytes are in powers of 1,024."""
_WRITTEN: Final = re.compile(r"(?P<number>\d{1,15}(?:\.\d{1,6})?)\s*(?P<unit>[A-Za-z]{0,3})")


def read_amount(text: str, unit: str) -> int | None:
    """How many `unit`s (count, ms or bytes) a text says; None when it says none. Time needs its unit, the others don't.

    A letter alone stands for its bytes (`2G`), upper and lower case are the same but for time, where all are lower.
    """
    found = _WRITTEN.fullmatch(text.strip().replace(",", "").replace("_", ""))
    if found is None:
        return None
    told = found["unit"].lower()
    for name, factor in _UNITS[unit].items():
        names = {name.lower(), name.lower().removesuffix("b")} if unit == "bytes" else {name.lower()}
        if told in names:
            return round(float(found["number"]) * factor)
    return None


def amount(value: int, unit: str) -> str:
    """A number of `unit`s in the largest unit that is exact, and that `read_amount` takes: `14d`, `90m`, `512MB`."""
    if unit == "count":
        return f"{value:,}"
    exact = [(factor, name) for name, factor in _UNITS[unit].items() if name != "y" and value % factor == 0]
    factor, name = max(exact) if value else min(exact)
    return f"{value // factor:,}{name}"
