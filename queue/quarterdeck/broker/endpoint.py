"""Where a redis-py client leads, so that the engine's own lean connections can go there too."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.crc import key_slot
from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

CONNECT_TIMEOUT_S = 5.0

Factory = Callable[[], asyncio.Protocol]


class Endpoint:
    """A server's place and login, as a redis-py asyncio client holds them.

    With Sentinel it is the master of the moment, in a cluster the node that has the slot of `key`: all keys of a queue
    share it, so that one connection serves a worker there as anywhere.
    """

    def __init__(self, client: Any, key: str) -> None:
        self._client = client
        self._key = key
        self._pool = getattr(client, "connection_pool", None)
        self._options: dict[str, Any] = dict((self._pool or client).connection_kwargs)
        self._class: type[Any] = self._pool.connection_class if self._pool else self._options["connection_class"]
        self.timeout_s: float = float(self._options.get("socket_timeout") or CONNECT_TIMEOUT_S)
        """How long an answer may take, s."""

    async def open(self, factory: Factory) -> Any:
        """Open a transport for the protocol that `factory` makes. Raises OSError, TimeoutError or RedisError."""
        loop = asyncio.get_running_loop()
        limit_s = float(self._options.get("socket_connect_timeout") or CONNECT_TIMEOUT_S)
        async with asyncio.timeout(limit_s):
            if issubclass(self._class, UnixDomainSocketConnection):
                _, protocol = await loop.create_unix_connection(factory, self._options["path"])
            else:
                host, port = await self._address()
                _, protocol = await loop.create_connection(factory, host, port, ssl=self._tls())
        return protocol

    async def greeting(self) -> list[tuple[str | int, ...]]:
        """The commands that a new connection begins with: login, name, database."""
        commands: list[tuple[str | int, ...]] = []
        username, password = self._options.get("username"), self._options.get("password")
        provider = self._options.get("credential_provider")
        if provider is not None:
            given = await provider.get_credentials_async()
            commands.append(("AUTH", *given))
        elif password:
            commands.append(("AUTH", username, password) if username else ("AUTH", password))
        elif username:
            raise AuthenticationError(f"The user {username!r} is given without a password.")
        if self._options.get("client_name"):
            commands.append(("CLIENT", "SETNAME", self._options["client_name"]))
        if self._options.get("db"):
            commands.append(("SELECT", int(self._options["db"])))
        return commands

    async def _address(self) -> tuple[str, int]:
        """Host and port, found out anew at each connect where they may change."""
        if self._pool is None:
            return await self._node()
        if not isinstance(self._pool, SentinelConnectionPool):
            return self._options.get("host", "localhost"), int(self._options.get("port", 6379))
        # Clients belong to the event loop that made their connections: ask through fresh ones.
        known: Any = self._pool.sentinel_manager
        places = [each.connection_pool.connection_kwargs for each in known.sentinels]
        asking: Any = Sentinel(  # type: ignore[no-untyped-call]
            [(place["host"], place["port"]) for place in places],
            min_other_sentinels=known.min_other_sentinels,
            sentinel_kwargs=known.sentinel_kwargs,
        )
        try:
            host, port = await asking.discover_master(self._pool.service_name)
        finally:
            for each in asking.sentinels:
                await each.aclose()
        return host, int(port)

    async def _node(self) -> tuple[str, int]:
        """The cluster's node that has the slot of the key, by whichever node answers first."""
        slot = key_slot(self._key.encode())
        names = ("username", "password", "credential_provider", *(name for name in self._options if "ssl" in name))
        options: dict[str, Any] = {name: self._options.get(name) for name in names}
        options["ssl"] = issubclass(self._class, SSLConnection)
        missed: Exception = RedisConnectionError("the cluster has no nodes")
        for known in self._client.startup_nodes:
            asking: Any = Redis(host=known.host, port=known.port, **options)
            try:
                ranges = await asking.execute_command("CLUSTER SLOTS")
            except (RedisError, OSError) as error:
                missed = error
                continue
            finally:
                await asking.aclose()
            for first, last, (host, port, *_), *_replicas in ranges:
                if first <= slot <= last:
                    return (host or known.host.encode()).decode(), int(port)
            missed = RedisConnectionError(f"no node of the cluster has the slot {slot}")
        raise missed

    def _tls(self) -> ssl.SSLContext | None:
        """The TLS settings of the client, made by redis-py itself."""
        if not issubclass(self._class, SSLConnection):
            return None
        context: ssl.SSLContext = self._class(**self._options).ssl_context.get()
        return context
