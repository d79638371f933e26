"""One call that is described and not yet sent: what chains and groups are made of."""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A job to be. `job` holds SAQ's job fields (timeout, retries, ...), `takes` names the argument that the result
    of the step before it becomes (empty: it takes none)."""

    function: str
    queue: str
    kwargs: dict[str, Any] = {}
    job: dict[str, Any] = {}
    key: str = ""
    delay_s: float = 0.0
    takes: str = ""
