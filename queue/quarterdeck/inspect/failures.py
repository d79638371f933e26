"""Failures grouped by what broke: one row a signature."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Final

from quarterdeck.inspect.grouping import MOST, STEP_MS, STEPS, GroupStore, Seen
from quarterdeck.inspect.plan import Answer, Plan, moment_ms
from quarterdeck.keys import keys_of
from quarterdeck.model import FailureGroup

WHOLE: Final = 40
"""Groups whose last hour is read from its beginning in one snapshot; others are counted, and have their turn next."""
ASIDE: Final = 8
"""As many where failures are a part of the screen: each takes up to a dozen counts of an index that may be long."""
SORTS: Final = ("last", "count", "first", "function")


class GroupsPart:
    """The reads for one queue's failure groups, and their rows. `store` remembers them between snapshots; a moment in
    the past, `at_ms`, is read whole."""

    def __init__(self, plan: Plan, queue: str, most: int, store: GroupStore, *, at_ms: int | None = None) -> None:
        keys = keys_of(queue)
        self.queue = queue
        self._store = store
        leave, moment = (WHOLE if most >= MOST else ASIDE, "") if at_ms is None else (MOST, at_ms)
        bounds = (keys.failed_of_signature(""), most, STEPS, STEP_MS, leave, moment)
        names = (keys.signatures, keys.signature_rows)
        self.answer: Answer = plan.ask(
            keys.queued, "groups", *names, *bounds, keys.failed, *store.known(most), keys.failed_rows
        )

    @cached_property
    def seen(self) -> list[Seen]:
        """The groups that hold jobs, last seen first. Not before the plan has been run."""
        return self._store.absorb(self.answer.rows())

    def rows(self, shares: Mapping[str, float]) -> list[FailureGroup]:
        """The groups that hold jobs; `shares` are the functions' shares of failed attempts."""
        return [_group(self.queue, seen, shares) for seen in self.seen]


def in_order(groups: Iterable[FailureGroup], sort: str = "", *, descending: bool = True) -> list[FailureGroup]:
    """Groups by a column of `SORTS`; in the natural order what fails most now comes first, then what failed last."""
    if sort in {"count", "function"}:
        return sorted(groups, key=lambda group: (getattr(group, sort), group.last_ms), reverse=descending)
    if sort in {"last", "first"}:
        return sorted(groups, key=lambda group: (getattr(group, f"{sort}_ms"), group.id), reverse=descending)
    return sorted(groups, key=lambda group: (sum(group.trend), group.last_ms, group.id), reverse=True)


def _group(queue: str, seen: Seen, shares: Mapping[str, float]) -> FailureGroup:
    known = seen.row
    function = known.function if known else ""
    return FailureGroup(
        id=f"{queue}/{seen.signature}",
        signature=seen.signature,
        queue=queue,
        function=function,
        exception=known.exception if known else "",
        message=_message(seen),
        frame=known.frame if known else "",
        count=seen.count,
        first_ms=seen.first_ms,
        last_ms=moment_ms(seen.last),
        trend=tuple(seen.trend),
        share=None if seen.aborted else shares.get(function),  # which is one of failures
        aborted=seen.aborted,
        poison=bool(known and not known.exception and known.message.endswith("(poison).")),
    )


def _message(seen: Seen) -> str:
    """What broke; of what was aborted that it was, and the words of whoever did it."""
    if seen.row is None:
        return "the signature's row can't be read"
    words = seen.row.message
    if not seen.aborted or words.startswith("aborted"):
        return words
    return f"aborted: {words}" if words else "aborted"
