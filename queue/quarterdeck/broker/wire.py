"""A lean connection: commands go out in one write, answers come back to callbacks, over hiredis' parser.

redis-py's connection costs about half of the throughput (a task switch and several awaits a command); this one costs
one callback. One Wire is one socket; it never reconnects: whoever holds it decides what a lost answer means.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

import hiredis
from redis import exceptions

from quarterdeck.broker.endpoint import Endpoint
from quarterdeck.script import Script

Reply = Callable[[Any], None]

_ERRORS: dict[str, type[exceptions.RedisError]] = {
    "NOSCRIPT": exceptions.NoScriptError,
    "LOADING": exceptions.BusyLoadingError,
    "READONLY": exceptions.ReadOnlyError,
    "OOM": exceptions.OutOfMemoryError,
    "NOAUTH": exceptions.AuthenticationError,
    "WRONGPASS": exceptions.AuthenticationError,
    "NOPERM": exceptions.NoPermissionError,
    "MASTERDOWN": exceptions.MasterDownError,
    "CLUSTERDOWN": exceptions.ClusterDownError,
}
PASSING = ("LOADING", "READONLY", "OOM", "MISCONF", "MASTERDOWN", "CLUSTERDOWN", "BUSY", "NOREPLICAS", "TRYAGAIN")
"""Errors that a server gives while it can't work, before it has done anything."""


class WireLostError(exceptions.ConnectionError):
    """The connection ended before the answer came: the command may have been carried out or not."""


class WireMovedError(WireLostError):
    """The cluster has given the queue's slot to another node: nothing was done, and this connection is of no use."""


def _error(text: str) -> Exception:
    """An error reply as redis-py's exception; the text keeps its first word."""
    if text.startswith(("MOVED ", "ASK ")):
        return WireMovedError(text)
    return _ERRORS.get(text.partition(" ")[0], exceptions.ResponseError)(text)


def is_passing(error: BaseException) -> bool:
    """Whether the server could not work just now, and did nothing."""
    return isinstance(error, exceptions.RedisError) and str(error).startswith(PASSING)


def _packed(command: tuple[Any, ...]) -> bytes:
    """A command's bytes. Text that no UTF-8 can hold (half of a surrogate pair) goes as what it once was, or as `?`."""
    try:
        return cast("bytes", hiredis.pack_command(command))
    except UnicodeEncodeError:
        return cast("bytes", hiredis.pack_command(tuple(map(_sendable, command))))


def _sendable(part: Any) -> Any:
    if not isinstance(part, str):
        return part
    try:
        return part.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return part.encode("utf-8", "replace")


class Wire(asyncio.Protocol):
    """One connection. `push`, when given, gets every message that comes after the greeting (a subscriber's)."""

    def __init__(self, timeout_s: float, push: Reply | None = None) -> None:
        self._timeout_s = timeout_s
        self._push = push
        self._reader = hiredis.Reader(replyError=_error)
        self._waiting: deque[tuple[Reply, float]] = deque()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._looked = False
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection has ended."""
        self.round_trips = 0

    @classmethod
    async def open(cls, endpoint: Endpoint, push: Reply | None = None, scripts: Sequence[Script] = ()) -> Wire:
        """Connect, log in, load `scripts`. Raises OSError, TimeoutError or a RedisError."""
        try:
            wire: Wire = await endpoint.open(lambda: cls(endpoint.timeout_s))
        except OSError as error:
            raise exceptions.ConnectionError(f"can't connect: {error}") from error
        try:
            greeting = await endpoint.greeting()
            loads: list[tuple[str | int, ...]] = [("SCRIPT", "LOAD", script.source) for script in scripts]
            await wire.all(greeting + loads)
        except BaseException:
            wire.close()
            raise
        wire._push = push
        return wire

    @property
    def closed(self) -> bool:
        """Whether it can't be used any more."""
        return self._transport is None

    def send(self, command: tuple[Any, ...], reply: Reply, *, patience_s: float | None = None) -> None:
        """Send a command; `reply` is called once with the answer or an exception. Raises WireLostError when closed.

        `patience_s` is how long the answer may take: the usual time-out unless given (blocking commands).
        """
        transport = self._transport
        if transport is None:
            raise WireLostError("the connection is closed")
        packed = _packed(command)  # before anything else: it may raise, and nothing is sent then
        limit = self._loop.time() + (self._timeout_s if patience_s is None else patience_s)
        self._waiting.append((reply, limit))
        transport.write(packed)
        if self._timer is None:
            self._timer = self._loop.call_at(limit, self._look)

    def call(self, *command: Any, patience_s: float | None = None) -> asyncio.Future[Any]:
        """Send a command; the future gets its answer, or raises what went wrong."""
        future: asyncio.Future[Any] = self._loop.create_future()

        def reply(answer: Any) -> None:
            if future.done():
                return
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)

        try:
            self.send(command, reply, patience_s=patience_s)
        except WireLostError as error:
            future.set_exception(error)
        return future

    async def all(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        """Send commands together; their answers, in order. Raises the first error, when none is left to come."""
        answers = await asyncio.gather(*(self.call(*command) for command in commands), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
        return answers

    def subscribe(self, *command: Any) -> None:
        """Send a subscriber's command, whose answers go to `push`. Raises WireLostError when closed."""
        if self._transport is None:
            raise WireLostError("the connection is closed")
        self._transport.write(hiredis.pack_command(command))

    def close(self, error: Exception | None = None) -> None:
        """End the connection; whoever waits gets `error` or WireLostError. Safe to call twice."""
        transport, self._transport = self._transport, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if transport is not None:
            transport.abort()
        waiting, self._waiting = self._waiting, deque()
        if not self.lost.done():
            self.lost.set_result(None)
        for reply, _ in waiting:
            reply(error or WireLostError("the connection was lost"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio's: the socket is there."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclasses of asyncio's
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in {socket.AF_INET, socket.AF_INET6}:
            for option, value in ((getattr(socket, "TCP_KEEPIDLE", 0), 15), (getattr(socket, "TCP_KEEPINTVL", 0), 5)):
                if option:
                    sock.setsockopt(socket.IPPROTO_TCP, option, value)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        """Asyncio's: answers, whole or in part."""
        reader = self._reader
        reader.feed(data)
        try:
            while (answer := reader.gets()) is not False:
                if type(answer) is WireMovedError:
                    self.close(answer)
                    return
                if self._push is not None:
                    self._push(answer)
                elif self._waiting:
                    self.round_trips += 1
                    self._waiting.popleft()[0](answer)
        except hiredis.ProtocolError as error:
            self.close(exceptions.ConnectionError(f"not a Redis server's answer: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Asyncio's: the socket is gone."""
        self.close(WireLostError(f"the connection was lost: {exc}" if exc else "the server closed the connection"))

    def _look(self) -> None:
        """Close a connection whose answer does not come: a server that is a black hole.

        After a blocked event loop the timer may come before the bytes that wait in the socket: look twice.
        """
        self._timer = None
        if not self._waiting:
            self._looked = False
            return
        now, limit = self._loop.time(), self._waiting[0][1]
        if now < limit:
            self._looked = False
            self._timer = self._loop.call_at(limit, self._look)
        elif not self._looked:
            self._looked = True
            self._timer = self._loop.call_later(0.1, self._look)
        else:
            self.close(exceptions.TimeoutError("the server did not answer in time"))
