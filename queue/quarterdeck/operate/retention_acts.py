"""Acts on the bounds of what a queue keeps."""

from __future__ import annotations

from collections.abc import Mapping

from quarterdeck.errors import UsageError
from quarterdeck.model import Outcome, Tally
from quarterdeck.operate import retention
from quarterdeck.operate.audit import UndoRecord
from quarterdeck.operate.bridge import Bridge
from quarterdeck.operate.finding import require_queue
from quarterdeck.record.bounds import Bound, limit_of, new_limits
from quarterdeck.text import amount


class RetentionActs(Bridge):
    """The acts of `model.Operator` that concern how much is kept."""

    async def preview_retention(self, queue: str, values: Mapping[str, str]) -> tuple[Tally, ...]:
        """What `set_retention` would drop: of what, and how many (of the history's age at most 10,000 are counted)."""
        self._guard.require("retention")  # nobody is asked about what is refused then
        return await retention.beyond(self._client, queue, _told(values))

    async def set_retention(self, queue: str, values: Mapping[str, str], *, reason: str = "") -> Outcome:
        """Set bounds of what a queue keeps: name → `30d`, `2GB`, `100000`, or `default`.

        Raises UsageError for a bound or a queue that is not known, and for a value out of its range. What has been
        dropped by a bound does not come back with its undoing.
        """
        self._guard.require("retention")
        limits = _told(values)
        await require_queue(self._client, queue)
        before = await retention.stored(self._client, queue, tuple(limits))
        await retention.put(self._client, queue, {bound.name: limit for bound, limit in limits.items()})
        words = [part for bound, limit in limits.items() for part in (bound.word, _plain(bound, limit))]
        restoring = {bound.name: None if raw is None else raw.decode("latin-1") for bound, raw in before.items()}
        return await self._done(
            "retention",
            " ".join(words),
            f"On {queue}: {'; '.join(_said(bound, limit, before[bound]) for bound, limit in limits.items())}.",
            queue=queue,
            reason=reason,
            done=len(limits),
            command=self._echo.line("retention", *words, queue=queue, reason=reason),
            undo=UndoRecord(kind="retention", queue=queue, who=self.who, data=restoring),
        )


def _told(values: Mapping[str, str]) -> dict[Bound, int | None]:
    if not values:
        raise UsageError("No bound is named.", "For instance failed_age 30d.")
    return new_limits(values)


def _plain(bound: Bound, limit: int | None) -> str:
    return "default" if limit is None else amount(limit, bound.unit).replace(",", "")


def _said(bound: Bound, limit: int | None, before: bytes | None) -> str:
    now = bound.usual if limit is None else limit
    was = limit_of(bound, before)
    return f"{bound.word} is {amount(now, bound.unit)} (was {amount(was, bound.unit)})"
