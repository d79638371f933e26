"""Webhook delivery: real HTTP, signed, retried with back-off when the receiver is busy."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from quarterdeck import current_job, depends
from tasks.application import app
from tasks.neighbours import HOST
from tasks.receiver import receiver, sign


class WebhookBusyError(Exception):
    """The receiver is busy or away; a later try may do."""


class WebhookRefusedError(Exception):
    """The receiver will never take this one."""


@asynccontextmanager
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """One HTTP session a worker, with its connections kept."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        yield session


@app.task(retries=3, retry_delay_s=2, backoff=30, timeout_s=10, expected_s=0.2)
async def deliver_webhook(
    event: str, data: dict[str, Any], session: aiohttp.ClientSession = depends(http, scope="worker")
) -> int:
    """Deliver one event, signed; the HTTP status. Raises WebhookBusyError or WebhookRefusedError."""
    body = json.dumps({"event": event, "data": data, "sent_at": time.time()}, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "X-Signature": sign(body)}
    url = f"http://{HOST}:{receiver.port()}/hooks"
    log = current_job().log
    try:
        async with session.post(url, data=body, headers=headers) as response:
            text = await response.text()
    except aiohttp.ClientError as error:
        raise WebhookBusyError(f"{event}: {type(error).__name__}") from error
    if response.status >= 500:
        log.warning("attempt %d: %d %s", current_job().attempt, response.status, text)
        raise WebhookBusyError(f"HTTP {response.status}: {text}")
    if response.status >= 400:
        raise WebhookRefusedError(f"HTTP {response.status}: {text}")
    log.info("delivered %s: %d", event, response.status)
    return response.status
