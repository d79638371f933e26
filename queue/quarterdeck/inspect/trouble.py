"""What could not be read, and whose it is: a key of a wrong type is named on its queue's row, or on the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SHOWN = 2
"""Troubles of a queue that are named; more are counted."""


def by_queue(troubles: Iterable[str], queues: Sequence[str]) -> dict[str | None, list[str]]:
    """The troubles of each queue, in their order; those of the whole deployment under None.

    A trouble begins with the key that it is about, and a key holds its queue's name between colons or at its end
    (docs/redis-keys.md).
    """
    found: dict[str | None, list[str]] = {}
    longest_first = sorted(queues, key=len, reverse=True)
    for trouble in troubles:
        owner = next((queue for queue in longest_first if _names(trouble, queue)), None)
        found.setdefault(owner, []).append(trouble)
    return found


def in_short(troubles: Sequence[str]) -> str:
    """The first troubles, and how many more there are; empty when there are none."""
    shown = "; ".join(trouble[:120] for trouble in troubles[:SHOWN])
    return f"{shown}; and {len(troubles) - SHOWN} more" if len(troubles) > SHOWN else shown


def _names(trouble: str, queue: str) -> bool:
    place = trouble.find(f":{queue}")
    return place > 0 and trouble[place + 1 + len(queue) :][:1] in {":", " "}
