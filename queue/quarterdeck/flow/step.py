"""What flows are made of: calls that are described and not yet sent, and what follows them."""

from __future__ import annotations

from typing import Any

import msgspec

META = "qd.flow"
"""Where in a job's `meta` its `Follow` travels."""


class Step(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A job to be. `job` holds SAQ's job fields (timeout, retries, ...)."""

    function: str
    queue: str
    kwargs: dict[str, Any] = {}
    job: dict[str, Any] = {}
    key: str = ""
    delay_s: float = 0.0
    takes: str = ""
    """The argument that a result becomes; empty: it takes none."""
    of: str = ""
    """Key of the job whose result it takes; empty: the one that it follows."""
    follow: Follow | None = None


class Follow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What follows a job: all of `then` when it completes, or the case that its result names; all of `failed` when it
    failed for good or was aborted. `join` counts it into a group."""

    then: list[Step] = []
    failed: list[Step] = []
    cases: dict[str, list[Step]] = {}
    join: Join | None = None


class Join(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A place in a group of `size`: when all places are taken, `then` follows and takes the list of results."""

    queue: str
    group: str
    index: int
    size: int
    then: list[Step] = []
