"""Opening a connection: every way in which it can fail becomes one sentence that names what, where and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from redis.exceptions import NoPermissionError, RedisClusterException, RedisError, ResponseError

from quarterdeck.broker.address import Address, Kind, parse_address
from quarterdeck.broker.client import RETRIES, TIMEOUT_S, client_of, close_client
from quarterdeck.broker.diagnosis import diagnose
from quarterdeck.errors import UnreachableError

OLDEST = (6, 2)
"""The oldest Redis whose commands and script flags the engine can live with (LMOVE, GETEX, BLMOVE)."""
SAFE_POLICY = "noeviction"


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the server said of itself (INFO): `name` is for people, `version` is Redis' own compatibility version.

    Fields the user may not read, or that the server does not know, are empty. `policy` is `maxmemory-policy`.
    """

    name: str = ""
    version: tuple[int, ...] = ()
    mode: str = ""
    role: str = ""
    policy: str = ""
    maxmemory_bytes: int = 0
    used_bytes: int = 0
    append_only: bool = False
    uptime_s: int = 0
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Connection:
    """An open connection: the client, where it leads, what is there, and what an operator must be told.

    `client` is redis-py's asyncio client (answers in bytes). `warnings` are whole sentences, loud ones first.
    Close it by `async with` or `close`.
    """

    client: Any
    address: Address
    server: ServerFacts
    warnings: tuple[str, ...] = ()

    @property
    def display(self) -> str:
        """The address for people, without secrets."""
        return self.address.masked

    async def close(self) -> None:
        """Close all of its sockets; safe to call twice."""
        await close_client(self.client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()


async def open_connection(
    url: str | Address,
    *,
    client_name: str,
    embedded: bool = False,
    timeout_s: float = TIMEOUT_S,
    retries: int = RETRIES,
    **options: Any,
) -> Connection:
    """Connect to `url`, look at what is there, and return a `Connection`.

    Raises `AddressError` (exit status 2) for a URL that can't be read and `UnreachableError` (3) when nothing
    listens, the login is refused, it is not Redis, TLS does not fit, it is too old, or it does not answer within
    `timeout_s`. With `embedded` an eviction policy other than noeviction is refused, elsewhere it is a warning.
    `options` go to `client_of`.
    """
    address = url if isinstance(url, Address) else parse_address(url)
    name = client_name.replace(" ", "_")  # the server refuses spaces
    first = client_of(address, client_name=name, timeout_s=timeout_s, retries=0)
    try:
        facts = await _facts(first)
    except (RedisError, RedisClusterException, OSError) as error:
        raise await diagnose(address, error, timeout_s) from error
    finally:
        await close_client(first)
    _refuse_unfit(address, facts)
    warnings = _warnings(address, facts)
    if embedded and facts.policy not in {"", SAFE_POLICY}:
        raise UnreachableError(
            f"The embedded server at {address.masked} may evict queued jobs (maxmemory-policy {facts.policy}).",
            f"Set maxmemory-policy to {SAFE_POLICY}.",
        )
    client = client_of(address, client_name=name, timeout_s=timeout_s, retries=retries, **options)
    return Connection(client, address, facts, warnings)


async def _facts(client: Any) -> ServerFacts:
    """Ask PING, which needs the login, and INFO, which a restricted user may not be allowed.

    A server whose disk is full refuses PING too, as it refuses writes; reading goes on, and is wanted then most of all.
    """
    try:
        await client.ping()
    except ResponseError as error:
        if not str(error).startswith("MISCONF"):
            raise
    try:
        info = await client.info()
    except NoPermissionError:
        return ServerFacts()
    if info and all(isinstance(part, dict) for part in info.values()):  # a cluster: one answer a node
        info = next(iter(info.values()))
    return facts_of(info)


def facts_of(info: dict[str, Any]) -> ServerFacts:
    """The facts in an answer to INFO, as redis-py parses it."""
    version = tuple(int(part) for part in str(info.get("redis_version", "")).split(".") if part.isdecimal())
    valkey = info.get("valkey_version")
    return ServerFacts(
        name=f"Valkey {valkey}" if valkey else f"Redis {info.get('redis_version', '?')}",
        version=version,
        mode=str(info.get("redis_mode", info.get("server_mode", ""))),
        role=str(info.get("role", "")),
        policy=str(info.get("maxmemory_policy", "")),
        maxmemory_bytes=int(info.get("maxmemory", 0)),
        used_bytes=int(info.get("used_memory", 0)),
        append_only=bool(info.get("aof_enabled", 0)),
        uptime_s=int(info.get("uptime_in_seconds", 0)),
        pid=int(info.get("process_id", 0)),
    )


def _refuse_unfit(address: Address, facts: ServerFacts) -> None:
    """Raise for a server that answers but can't carry a queue."""
    if facts.mode == "sentinel":
        raise UnreachableError(
            f"{address.place} is a Sentinel, which holds no data.",
            f"Write redis+sentinel://{address.place}/MASTER/0 with the master's name.",
        )
    if facts.version and facts.version < OLDEST:
        found, needed = (".".join(map(str, version)) for version in (facts.version, OLDEST))
        raise UnreachableError(
            f"The server at {address.place} is too old: it is Redis {found}, and {needed} is needed.",
            "Upgrade it, or use any Valkey.",
        )


def _warnings(address: Address, facts: ServerFacts) -> tuple[str, ...]:
    """What an operator must be told of a server that is used all the same."""
    warnings = []
    if facts.policy not in {"", SAFE_POLICY}:
        warnings.append(
            f"DANGER: the server may silently evict queued jobs (maxmemory-policy is {facts.policy}). "
            f"Cure: CONFIG SET maxmemory-policy {SAFE_POLICY}."
        )
    if facts.role == "slave":
        warnings.append("The server is a read-only replica: nothing can be enqueued or retried here.")
    if facts.mode == "cluster" and address.kind is not Kind.CLUSTER:
        warnings.append("The server is one node of a cluster: write redis+cluster:// to reach all of them.")
    elif facts.mode == "cluster":
        warnings.append("The server is a cluster: queue names and job keys need one hash tag, such as {orders}.")
    if not facts.version:
        warnings.append("This user may not run INFO: the server's version and eviction policy are unknown.")
    return tuple(warnings)
