"""What is kept of one queue between two snapshots, so that a refresh reads what may have changed and no more."""

from __future__ import annotations

from quarterdeck.inspect.front import FrontStore
from quarterdeck.inspect.grouping import GroupStore
from quarterdeck.inspect.minutes import MinuteStore


class QueueMemory:
    """The last hour's minutes, the failure groups, and the jobs at the head."""

    def __init__(self, queue: str) -> None:
        self.minutes = MinuteStore()
        self.groups = GroupStore()
        self.front = FrontStore(queue)
