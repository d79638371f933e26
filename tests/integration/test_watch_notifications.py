"""Notifications reach real HTTP receivers, signed, and are tried again where that helps."""

from __future__ import annotations

import hashlib
import hmac
from typing import Self

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestServer

from quarterdeck.watch.notifications import SIGNATURE, TRIES, Notifier
from quarterdeck.watch.rules import Alert

ALERT = Alert(rule="deep", firing=True, text="emails: depth is 500", since_ms=1, at_ms=2)


class Receiver:
    """Answers with the given statuses, one after the other, then with 200."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[tuple[bytes, str]] = []
        app = web.Application()
        app.router.add_post("/hook", self._post)
        self.server = TestServer(app)

    async def _post(self, request: web.Request) -> web.Response:
        self.bodies.append((await request.read(), request.headers.get(SIGNATURE, "")))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    async def __aenter__(self) -> Self:
        await self.server.start_server()
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.server.close()

    @property
    def url(self) -> str:
        return str(self.server.make_url("/hook"))


async def test_an_alert_is_posted_as_json_and_signed() -> None:
    async with Receiver() as receiver:
        await Notifier([receiver.url], secret="s3", environment="prod").tell([ALERT])
    ((body, signature),) = receiver.bodies
    assert msgspec.json.decode(body) == {
        "rule": "deep", "firing": True, "text": "emails: depth is 500", "since_ms": 1, "at_ms": 2, "environment": "prod"
    }  # fmt: skip
    assert signature == "sha256=" + hmac.new(b"s3", body, hashlib.sha256).hexdigest()


async def test_a_receiver_that_fails_now_and_then_gets_it_in_the_end() -> None:
    async with Receiver(503, 429) as receiver:
        notifier = Notifier([receiver.url], backoff_s=0)
        await notifier.tell([ALERT])
    assert (len(receiver.bodies), notifier.sent, notifier.dropped) == (3, 1, 0)


async def test_a_receiver_that_refuses_is_not_asked_again() -> None:
    async with Receiver(403) as receiver:
        notifier = Notifier([receiver.url], backoff_s=0)
        await notifier.tell([ALERT])
    assert (len(receiver.bodies), notifier.dropped) == (1, 1)


async def test_what_cannot_be_delivered_is_dropped_and_counted() -> None:
    async with Receiver(*[500] * TRIES) as receiver:
        notifier = Notifier([receiver.url, "http://127.0.0.1:9/closed"], backoff_s=0)
        await notifier.tell([ALERT])
    assert (len(receiver.bodies), notifier.dropped) == (TRIES, 2)


async def test_nothing_is_sent_when_nothing_began_or_ended() -> None:
    async with Receiver() as receiver:
        await Notifier([receiver.url]).tell([])
    assert receiver.bodies == []
