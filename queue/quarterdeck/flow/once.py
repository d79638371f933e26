"""Doing something once, though a job may run twice: charge a card, send a letter."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from quarterdeck.errors import QuarterdeckError
from quarterdeck.keys import once as once_key
from quarterdeck.script import ScriptClient, load
from quarterdeck.text import plainjson


class ClaimedError(QuarterdeckError):
    """Somebody else is at it now; `retry_s` is when their claim ends at the latest."""

    def __init__(self, name: str, retry_s: float) -> None:
        super().__init__(f"{name} is being done by somebody else.", f"Their claim ends in {retry_s:.1f} s.")
        self.name = name
        self.retry_s = retry_s


class Claim:
    """What `once` gives: `first` says whether to do it; set `result` then. If not, `result` is what was done before."""

    def __init__(self, *, first: bool, result: Any = None) -> None:
        self.first = first
        self.result = result


@asynccontextmanager
async def once(
    client: ScriptClient, name: str, *, ttl_s: float = 86_400.0, lease_s: float = 60.0
) -> AsyncIterator[Claim]:
    """Claim `name`: `async with once(client, "charge:42") as claim: if claim.first: claim.result = await charge()`.

    The result (JSON) is kept `ttl_s` seconds; whoever comes later finds it. An exception inside gives the claim back,
    so that a retry may do it; a claimant that dies loses its claim after `lease_s`, which must be longer than it takes.
    Raises ClaimedError while somebody else is at it.
    """
    script = load("quarterdeck.flow", "once")
    token = secrets.token_hex(8)
    keys = [once_key(name)]
    word, value = await script(client, keys, ["claim", token, int(lease_s * 1000)])
    if word == b"done":
        yield Claim(first=False, result=plainjson.decode(value))
        return
    if word == b"running":
        raise ClaimedError(name, int(value) / 1000)
    claim = Claim(first=True)
    try:
        yield claim
        result = plainjson.encode(claim.result)
    except BaseException:
        await script(client, keys, ["release", token])
        raise
    await script(client, keys, ["done", token, int(ttl_s * 1000), result])
