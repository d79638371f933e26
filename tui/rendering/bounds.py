"""How much a queue keeps, and how much of that is in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from quarterdeck.model import BoundStat
from quarterdeck.text import amount, human_age, human_bytes, human_count
from tui.rendering.block import Block, block
from tui.rendering.lines import Runs

_COLUMN_CELLS: Final = 20


def bounds_block(bounds: Sequence[BoundStat]) -> Block:
    """A line for each kind of thing that is kept: what is in use of each of its bounds; and which were set."""
    kinds: dict[str, list[BoundStat]] = {}
    for bound in bounds:
        kinds.setdefault(bound.name.partition("_")[0], []).append(bound)
    lines = [_line(kind, of_kind) for kind, of_kind in kinds.items()]
    changed = [bound for bound in bounds if bound.limit != bound.usual]
    lines += [
        ((f"{'set' if at == 0 else '':<12}", "muted"), (f"{word_of(bound)} {amount(bound.limit, bound.unit)}", ""),
         (f", usually {amount(bound.usual, bound.unit)}", "muted"))
        for at, bound in enumerate(changed)
    ]  # fmt: skip
    if lines:
        lines.append(((f"{'to set one':<12}:retention failed_age 30d, or default", "muted"),))
    return block("kept at most", lines)


def word_of(bound: BoundStat) -> str:
    """A bound's name as people write it: its value has the unit."""
    return bound.name.removesuffix("_ms")


def _line(kind: str, bounds: Sequence[BoundStat]) -> Runs:
    return (
        (f"{kind:<12}", "muted"),
        *((f"{_used(bound):<{_COLUMN_CELLS}}", "" if bound.limit == bound.usual else "strong") for bound in bounds),
    )


def _used(bound: BoundStat) -> str:
    """`1,204 of 20,000`, `9 d of 14d`."""
    most = amount(bound.limit, bound.unit)
    if bound.used is None:
        return f"{most} a schedule" if bound.name == "ledger_per_schedule" else f"? of {most}"
    if bound.unit == "ms":
        return f"{human_age(bound.used) if bound.used else '-'} of {most}"
    return f"{human_bytes(bound.used) if bound.unit == 'bytes' else human_count(bound.used)} of {most}"
