"""The attempts of the job that is open: a failed job's are over, so that they are looked for once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarterdeck.inspect.plan import text
from quarterdeck.model import AttemptStat
from quarterdeck.record import decode_history


class AttemptStore:
    """Remembers the history's entries of one failed job, the one that was read last."""

    def __init__(self) -> None:
        self._queue = self._key = self._failed_at = ""
        self._entries: list[Any] = []

    def known(self, queue: str, key: str | None = None) -> tuple[str, str]:
        """When the job that is known of `queue` failed, as the server writes it, and its key; empty when nothing is
        known of the queue, or of `key` when it is given."""
        fits = queue == self._queue and key in {None, self._key} and self._entries
        return (self._failed_at, self._key) if fits else ("", "")

    def resolve(self, queue: str, key: str, failed_at: bytes | None, found: Any) -> list[Any]:
        """The entries {id, record}, newest first: those of the reply, or the known ones where it says false or none."""
        if not found:
            return self._entries if (queue, key) == (self._queue, self._key) else []
        entries = list(found[1])
        if failed_at is not None and entries:
            self._queue, self._key, self._failed_at, self._entries = queue, key, text(failed_at), entries
        return entries


def attempt_stats(entries: Sequence[Any]) -> tuple[AttemptStat, ...]:
    """Attempts from the history's entries (newest first), oldest first."""
    found = [entry for _, record in entries if (entry := decode_history(record)) is not None]
    return tuple(
        AttemptStat(
            attempt=entry.attempt,
            status=entry.status,
            queued_ms=entry.queued_ms,
            started_ms=entry.started_ms,
            finished_ms=entry.finished_ms,
            duration_ms=entry.duration_us / 1000,
            worker=entry.worker,
            signature=entry.signature,
        )
        for entry in reversed(found)
    )
