"""What a contender's process is told to do, and the roles it may play."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any, Final

import msgspec

VARIABLE: Final = "QUARTERDECK_BENCH_LOAD"
"""The environment variable that carries a Load as JSON: a library's own worker command passes it on by itself."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one contender."""

    url: str
    """redis://127.0.0.1:PORT/0 or unix:///PATH."""
    queue: str = "bench"
    function: str = "noop"
    """noop, burn (2 ms of CPU) or nap (sleeps 1 s)."""
    jobs: int = 1
    concurrency: int = 10
    processes: int = 1
    every: int = 0
    """The worker reports after the first and after each so many jobs; 0: after the last."""
    mode: str = "one"
    """Enqueuing: one (one by one), gather (100 at a time) or bulk (the library's call for many). Round trips: one,
    or apply (the library's call that enqueues and waits)."""
    keep: bool = True
    """Whether results are kept, as long as the library keeps them unless told."""

    def environment(self) -> dict[str, str]:
        """The environment of a process that is to do it."""
        return {**os.environ, VARIABLE: msgspec.json.encode(self).decode()}


def load() -> Load:
    """What this process was told. Raises KeyError when it was told nothing."""
    return msgspec.json.decode(os.environ[VARIABLE], type=Load)


def play(*parts: Callable[[Load], Any]) -> None:
    """Play the role that the command line names; what it returns goes to stdout as JSON."""
    roles = {part.__name__: part for part in parts}
    answer = roles[sys.argv[1]](load())
    if inspect.iscoroutine(answer):
        answer = asyncio.run(answer)
    print(msgspec.json.encode({"answer": answer}).decode(), flush=True)
