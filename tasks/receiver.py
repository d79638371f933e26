"""The receiver of the demo's webhooks: real HTTP, checks the signature, and fails now and then as real ones do."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from pathlib import Path

from aiohttp import web

from tasks.application import folder
from tasks.neighbours import HOST, Neighbour

SECRET = b"the demo's shared secret"
LOG_BYTES = 1_000_000
BUSY_SHARE = 0.06
"""Answers 503, as an overloaded service does."""
SLOW_SHARE = 0.03
SLOW_S = 1.5
_chance = random.Random()  # noqa: S311 - nothing secret hangs on it


def sign(body: bytes) -> str:
    """The signature of a webhook's body."""
    return hmac.new(SECRET, body, hashlib.sha256).hexdigest()


async def receive(request: web.BaseRequest) -> web.Response:
    """Take one delivery: 401 for a wrong signature, 422 for a retired event, 503 now and then, else 204."""
    body = await request.read()
    if not hmac.compare_digest(sign(body), request.headers.get("X-Signature", "")):
        return web.Response(status=401, text="wrong signature")
    event = json.loads(body)
    if event.get("event") == "order.legacy":
        return web.Response(status=422, text="order.legacy is no longer accepted")
    if _chance.random() < SLOW_SHARE:
        await asyncio.sleep(SLOW_S)
    if _chance.random() < BUSY_SHARE:
        return web.Response(status=503, text="busy, come back later", headers={"Retry-After": "2"})
    _note(received_file(), body)
    return web.Response(status=204)


def received_file() -> Path:
    """What was received, one JSON line each."""
    return folder() / "webhooks.jsonl"


def _note(path: Path, body: bytes) -> None:
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".old.jsonl"))
    with path.open("ab") as out:
        out.write(body + b"\n")


async def _start() -> asyncio.Server:
    loop = asyncio.get_running_loop()
    return await loop.create_server(web.Server(receive, access_log=None), HOST, 0)


receiver = Neighbour("webhook-receiver", _start)
