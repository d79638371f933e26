"""A look at a server: is it one that a queue can be trusted to? Each answer is a finding with its cure."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

import msgspec
from redis.exceptions import RedisError, ResponseError

from quarterdeck.broker.connection import SAFE_POLICY, Connection

PINGS = 7
SLOW_MS = 150.0
SKEW_NOTE_S = 2.0
SKEW_TROUBLE_S = 60.0
FULL = 0.9
IDLE_S = 60


class Level(StrEnum):
    """How bad a finding is; only trouble changes the exit status."""

    OK = "ok"
    NOTE = "note"
    TROUBLE = "trouble"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the doctor: what was looked at, how it is, and what to do about it."""

    check: str
    level: Level
    message: str
    cure: str = ""


def ok(check: str, message: str) -> Finding:
    """A finding that all is well."""
    return Finding(check=check, level=Level.OK, message=message)


def note(check: str, message: str, cure: str = "") -> Finding:
    """A finding that one should know."""
    return Finding(check=check, level=Level.NOTE, message=message, cure=cure)


def trouble(check: str, message: str, cure: str) -> Finding:
    """A finding that will hurt."""
    return Finding(check=check, level=Level.TROUBLE, message=message, cure=cure)


async def look_at(connection: Connection) -> list[Finding]:
    """Everything that can be found out about the server of `connection`, in a few round trips."""
    info, config = await _information(connection)
    trips, skew_s = await _timing(connection)
    return [
        *_place(connection, trips),
        *_eviction(connection),
        *_memory(info),
        *_durability(info),
        *_clock(skew_s),
        *_limits(info, config),
    ]


async def _information(connection: Connection) -> tuple[dict[str, Any], dict[str, str]]:
    """INFO and the few settings that matter; empty where the user or the service does not allow it."""
    info: dict[str, Any] = {}
    config: dict[str, str] = {}
    try:
        info = await connection.client.info("everything")
        if info and all(isinstance(part, dict) for part in info.values()):  # a cluster: one answer a node
            info = next(iter(info.values()))
        for name in ("timeout", "tcp-keepalive", "maxclients"):
            config |= await connection.client.config_get(name)
    except (ResponseError, RedisError):
        return info, config
    return info, config


async def _timing(connection: Connection) -> tuple[list[float], float]:
    """Round trips in ms, and how far the server's clock is ahead of ours in s, by the quickest of them."""
    trips, best, skew_s = [], float("inf"), 0.0
    for _ in range(PINGS):
        began, wall = time.perf_counter(), time.time()
        seconds, micros = await connection.client.time()
        took = time.perf_counter() - began
        trips.append(took * 1000)
        if took < best:
            best, skew_s = took, seconds + micros / 1e6 - (wall + took / 2)
    return trips, skew_s


def _place(connection: Connection, trips: list[float]) -> Iterator[Finding]:
    facts, median = connection.server, statistics.median(trips)
    yield ok("connection", f"{connection.display}")
    yield ok("version", f"{facts.name or 'not told'}, {facts.mode or 'mode not told'}, role {facts.role or 'not told'}")
    if facts.role == "slave":
        yield trouble("role", "This is a read-only replica.", "Connect to its master; Sentinel URLs find it.")
    text = f"{median:.1f} ms median, {max(trips):.1f} ms worst of {len(trips)}"
    if median > SLOW_MS:
        yield note("round trip", text, "Run the dashboard nearer to the server.")
    else:
        yield ok("round trip", text)


def _eviction(connection: Connection) -> Iterator[Finding]:
    policy = connection.server.policy
    if policy == SAFE_POLICY:
        yield ok("eviction", policy)
    elif policy:
        yield trouble(
            "eviction",
            f"maxmemory-policy is {policy}: queued jobs can vanish silently.",
            f"CONFIG SET maxmemory-policy {SAFE_POLICY}.",
        )
    else:
        yield note("eviction", "The server does not tell its maxmemory-policy.", "Allow this user INFO.")


def _memory(info: Mapping[str, Any]) -> Iterator[Finding]:
    used, limit = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if not used:
        return
    text = f"{used / 2**20:,.1f} MB used of {f'{limit / 2**20:,.1f} MB' if limit else 'what the machine has'}"
    if limit and used > FULL * limit:
        yield trouble("memory", text, "Raise maxmemory, shorten retention, or purge: a full server takes no jobs.")
    else:
        yield ok("memory", text)


def _durability(info: Mapping[str, Any]) -> Iterator[Finding]:
    if not info:
        return
    failed = [name for name in ("aof_last_write_status", "rdb_last_bgsave_status") if info.get(name) == "err"]
    if failed:
        yield trouble("durability", f"The last write to disk failed ({failed[0]}).", "Look for a full or broken disk.")
    elif info.get("aof_enabled"):
        yield ok("durability", "append-only file on")
    else:
        yield note(
            "durability",
            "The append-only file is off: a crash loses what was enqueued since the last snapshot.",
            "CONFIG SET appendonly yes.",
        )


def _clock(skew_s: float) -> Iterator[Finding]:
    text = f"the server's clock is {abs(skew_s):.2f} s {'ahead of' if skew_s > 0 else 'behind'} this one"
    if abs(skew_s) > SKEW_TROUBLE_S:
        yield trouble("clock", text, "Set both by NTP: the server's decides when schedules fire.")
    elif abs(skew_s) > SKEW_NOTE_S:
        yield note("clock", text, "Set both by NTP.")
    else:
        yield ok("clock", text)


def _limits(info: Mapping[str, Any], config: Mapping[str, str]) -> Iterator[Finding]:
    clients, most = int(info.get("connected_clients", 0)), int(config.get("maxclients", info.get("maxclients", 0)))
    if most and clients > FULL * most:
        yield trouble("clients", f"{clients} of {most} connections are taken.", "Raise maxclients or find the leak.")
    elif most:
        yield ok("clients", f"{clients} of {most} connections")
    if not config:
        yield note("time-outs", "The server does not tell its time-outs.", "")
        return
    idle, keepalive = int(config.get("timeout", 0)), int(config.get("tcp-keepalive", 0))
    if 0 < idle < IDLE_S:
        cure = "CONFIG SET timeout 0: workers that wait for jobs look idle."
        yield note("time-outs", f"The server closes connections that were idle for {idle} s.", cure)
    elif not keepalive:
        yield note("time-outs", "tcp-keepalive is off: dead clients keep their place.", "CONFIG SET tcp-keepalive 300.")
    else:
        yield ok("time-outs", f"idle clients {'stay' if not idle else f'go after {idle} s'}, keepalive {keepalive} s")
