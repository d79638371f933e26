"""Keys of new jobs: a random prefix of the process and a counter; no system call a job."""

from __future__ import annotations

import itertools
import os
import secrets


class _Process:
    """What makes this process' keys its own."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin anew: a forked child must not go on with its parent's keys."""
        self.prefix = secrets.token_hex(8)
        self.next = itertools.count(1).__next__


_process = _Process()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.renew)


def new_key(tag: str = "") -> str:
    """A key that no other call makes, in any process; `tag` begins it (`hash_tag`)."""
    return f"{tag}{_process.prefix}-{_process.next():x}"


def hash_tag(queue: str) -> str:
    """The hash tag in a queue's name (`{orders}`), or empty: keys that begin with it share the queue's cluster slot."""
    start = queue.find("{")
    end = queue.find("}", start + 1)
    return queue[start : end + 1] if start > -1 and end > start + 1 else ""
