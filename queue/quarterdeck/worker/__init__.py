"""The worker: takes jobs, runs them, settles them, and brings back those of workers that died."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quarterdeck.worker.worker import Worker

__all__ = ["Worker"]


def __getattr__(name: str) -> Any:
    """`Worker`, loaded when it is asked for: the supervisor of several processes needs none of it."""
    if name == "Worker":
        from quarterdeck.worker.worker import Worker

        return Worker
    raise AttributeError(name)
