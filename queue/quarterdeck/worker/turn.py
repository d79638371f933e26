"""A call on its way to the server, and what becomes of those that are never answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import exceptions

from quarterdeck.broker.ending import Settlement
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.broker.wire import Wire


class Turn:
    """What one call settles, and what it takes: at most `want` jobs from the queues whose numbers are in `order`."""

    __slots__ = ("items", "order", "token", "unusual", "want")

    def __init__(self, token: int, items: list[Settlement], want: int, order: list[int]) -> None:
        self.token = token
        self.items = items
        self.want = want
        self.order = order
        self.unusual = False
        """Whether it does more than completing."""


async def void(wire: Wire, queues: Sequence[Queue], worker: str, turns: Sequence[Turn]) -> list[Settlement]:
    """Make a worker's turns void and give back what they took; returns their settlements that were not carried out."""
    voiding = script("void")
    keys = [queue.keys.queued for queue in queues]
    items = [item for turn in turns for item in turn.items]
    args: list[Any] = [worker, turns[0].token, turns[-1].token, len(keys), *(queue.name for queue in queues)]
    for item in items:
        args += (item[0], item[2], item[3])
    try:
        undone = await wire.call("EVALSHA", voiding.sha, len(keys), *keys, *args)
    except exceptions.NoScriptError:
        undone = await wire.call("EVAL", voiding.source, len(keys), *keys, *args)
    return [items[number - 1] for number in undone]
