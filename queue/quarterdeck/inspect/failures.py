"""Failures grouped by what broke: one row a signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from quarterdeck.inspect.plan import Answer, Plan, text
from quarterdeck.keys import keys_of
from quarterdeck.model import FailureGroup
from quarterdeck.record import decode_signature

STEPS: Final = 12
"""Steps of the trend: five minutes each, an hour in all."""
STEP_MS: Final = 300_000
MOST: Final = 500
"""Signatures of a queue that the failures screen looks at, last seen first."""
SORTS: Final = ("last", "count", "first", "function")


class GroupsPart:
    """The reads for one queue's failure groups, and their rows."""

    def __init__(self, plan: Plan, queue: str, most: int, *, steps: int = STEPS, at_ms: int | None = None) -> None:
        keys = keys_of(queue)
        self.queue = queue
        prefix = keys.failed_of_signature("")
        moment = "" if at_ms is None else at_ms
        bounds = (prefix, most, steps, STEP_MS, moment)
        self.answer: Answer = plan.ask(keys.queued, "groups", keys.signatures, keys.signature_rows, *bounds)

    def rows(self, shares: Mapping[str, float]) -> list[FailureGroup]:
        """The groups that hold jobs; `shares` are the functions' shares of failed attempts."""
        found = self.answer.rows()
        return [_group(self.queue, row, shares) for row in found[1]] if found else []


def in_order(groups: Iterable[FailureGroup], sort: str = "", *, descending: bool = True) -> list[FailureGroup]:
    """Groups by a column of `SORTS`; in the natural order what fails most now comes first, then what failed last."""
    if sort in {"count", "function"}:
        return sorted(groups, key=lambda group: (getattr(group, sort), group.last_ms), reverse=descending)
    if sort in {"last", "first"}:
        return sorted(groups, key=lambda group: (getattr(group, f"{sort}_ms"), group.id), reverse=descending)
    return sorted(groups, key=lambda group: (sum(group.trend), group.last_ms, group.id), reverse=True)


def _group(queue: str, row: list[Any], shares: Mapping[str, float]) -> FailureGroup:
    signature, last, record, count, first, *trend = row
    known = decode_signature(record)
    name = text(signature)
    function = known.function if known else ""
    return FailureGroup(
        id=f"{queue}/{name}",
        signature=name,
        queue=queue,
        function=function,
        exception=known.exception if known else "",
        message=known.message if known else "the signature's row can't be read",
        frame=known.frame if known else "",
        count=int(count),
        first_ms=int(float(first)) if first else 0,
        last_ms=int(float(last)),
        trend=(0,) * (STEPS - len(trend)) + tuple(trend),
        share=shares.get(function),
        poison=bool(known and not known.exception and known.message.endswith("(poison).")),
    )
