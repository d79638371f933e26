"""A redis-py client for an address: TCP, TLS, Unix socket, Sentinel or Cluster, with limits on every wait.

redis-py's `from_url` clients come without retry, keepalive and, in older versions, socket time-outs: a server that
stops answering would hang its caller for ever.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from quarterdeck.broker.address import SECONDS, Address, Kind

TIMEOUT_S = 5.0
"""How long a connect or an answer may take. Blocking commands must wait for less."""
BACKOFF_BASE_S = 0.05
BACKOFF_CAP_S = 1.0
RETRIES = 3

# Half-open connections are noticed by the kernel after 15 + 3 × 5 s. macOS names the first option differently.
_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}.items()
    if hasattr(socket, name)
}


def client_of(
    address: Address,
    *,
    client_name: str,
    timeout_s: float = TIMEOUT_S,
    retries: int = RETRIES,
    **options: Any,
) -> Any:
    """A `redis.asyncio.Redis` (a `RedisCluster` for clusters) for `address`; it connects when first used.

    Answers are bytes. `retries` counts further tries after a lost connection, with a jittered back-off of 50 ms to
    1 s; an answer that did not come in time is not asked for again, since the server may have done the work. Further
    `options` go to redis-py. Close it with `close_client`.
    """
    common: dict[str, Any] = {
        "client_name": client_name,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "protocol": 2,  # RESP3 would bring push messages that nobody here reads
        "retry": _retry(retries),
        **_login(address),
        **_told(address),
        **options,
    }
    if address.kind is Kind.UNIX:
        return Redis(unix_socket_path=address.path, db=address.db, **common)
    common |= {"socket_keepalive": True, "socket_keepalive_options": _KEEPALIVE, **_tls(address)}
    if address.kind is Kind.CLUSTER:
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        return RedisCluster(startup_nodes=nodes, **common)
    if address.kind is Kind.SENTINEL:
        return _master(address, common)
    host, port = address.hosts[0]
    return Redis(host=host, port=port, db=address.db, **common)


async def close_client(client: Any) -> None:
    """Close a client and, for Sentinel, those that ask the Sentinels; safe to call twice."""
    for sentinel in getattr(client, "sentinels", ()):
        await sentinel.aclose()
    await client.aclose()


def _master(address: Address, common: Mapping[str, Any]) -> Any:
    """The client of the master that the Sentinels name, and name anew after a failover."""
    asking = {name: value for name, value in common.items() if name not in {"username", "password"}}
    asking |= {
        name.removeprefix("sentinel_"): value
        for name, value in address.options
        if name in {"sentinel_username", "sentinel_password"}
    }
    sentinel: Any = Sentinel(list(address.hosts), sentinel_kwargs=asking)  # type: ignore[no-untyped-call]
    client = sentinel.master_for(address.service, db=address.db, **common)
    client.sentinels = sentinel.sentinels
    return client


class CancellableRetry(Retry):
    """Retries that let a cancellation through.

    redis-py sends inside `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that arrives as the sending
    ends: a loop around such calls would never end.
    """

    async def call_with_retry(self, *args: Any, **options: Any) -> Any:
        """As redis-py's; raises CancelledError when the task was cancelled meanwhile and nobody said so."""
        task = asyncio.current_task()
        before = task.cancelling() if task is not None else 0
        result = await super().call_with_retry(*args, **options)
        if task is not None and task.cancelling() > before:
            raise asyncio.CancelledError
        return result


def _retry(retries: int) -> Retry:
    backoff = ExponentialWithJitterBackoff(base=BACKOFF_BASE_S, cap=BACKOFF_CAP_S)
    return CancellableRetry(backoff, retries, supported_errors=(RedisConnectionError,))


def _login(address: Address) -> dict[str, str]:
    login = {"username": address.username, "password": address.password}
    return {name: value for name, value in login.items() if value}


def _told(address: Address) -> dict[str, Any]:
    """What a URL says of time-outs and names."""
    told: dict[str, Any] = {name: float(value) for name, value in address.options if name in SECONDS}
    name = address.option("client_name")
    return {**told, "client_name": name} if name else told


def _tls(address: Address) -> dict[str, Any]:
    if not address.tls:
        return {}
    options: dict[str, Any] = {n: v for n, v in address.options if n.startswith("ssl_")}
    if "ssl_check_hostname" in options:
        options["ssl_check_hostname"] = options["ssl_check_hostname"].lower() in {"1", "true", "yes"}
    elif options.get("ssl_cert_reqs") == "none":
        options["ssl_check_hostname"] = False
    return {"ssl": True, **options}
