"""Payloads as operators change them: decoded, edited, encoded with the tail that the engine's scripts expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from quarterdeck.operate.unmasking import unmasked
from quarterdeck.text import plainjson

_OF_A_RUN: Final = ("attempts", "completed", "started", "touched", "progress", "result", "error", "worker_id", "status")
"""SAQ's fields that tell of a run and go when a job starts anew (saq.job.Job)."""


def decode(raw: bytes) -> dict[str, Any] | None:
    """A stored payload as SAQ's job fields, or None when it is no JSON object."""
    try:
        document = plainjson.decode(raw)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def fresh(document: Mapping[str, Any], *, queued_ms: int, arguments: Mapping[str, Any] | None = None) -> bytes:
    """The payload of a job that starts anew: no attempts, no error, due at once; with other `arguments` when given,
    in which what is masked stands for what is stored. Raises UsageError for a mask that stands for nothing.
    """
    anew = {name: value for name, value in document.items() if name not in _OF_A_RUN}
    anew.pop("scheduled", None)
    anew["queued"] = queued_ms
    if arguments is not None:
        anew["kwargs"] = unmasked(arguments, document.get("kwargs"))
    anew["status"] = "queued"
    return plainjson.encode(anew)


def ended(document: Mapping[str, Any], *, status: str, error: str, now_ms: int) -> bytes:
    """The payload of a job that an operator ended."""
    done = {name: value for name, value in document.items() if name not in ("status", "error", "completed")}
    return plainjson.encode({**done, "error": error, "completed": now_ms, "status": status})
