"""The server behind the queues: version, memory, eviction policy, role. Asked now and then, not each time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from quarterdeck.inspect.plan import Answer, Plan, text
from quarterdeck.model import ServerStat

EVERY_S: Final = 5.0
_SECTIONS: Final = ("server", "memory", "clients", "replication", "persistence")
_WRITES: Final = ("aof_last_write_status", "rdb_last_bgsave_status")


class ServerPart:
    """Keeps what the server said of itself, and asks again when that is old."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked_at = float("-inf")
        self._answers: list[Answer] = []
        self._stat = ServerStat()
        self.warnings: tuple[str, ...] = ()
        """What connecting had to say."""

    def ask(self, plan: Plan, slot: str) -> None:
        """Add the reads to a plan when it is time."""
        self._answers = []
        if self._clock() - self._asked_at >= EVERY_S:
            self._answers = [plan.ask(slot, "call", "INFO", section) for section in _SECTIONS]

    def stat(self) -> ServerStat:
        """What is known, with what has just been read."""
        if self._answers:
            self._asked_at = self._clock()
            self._stat = server_stat("\n".join(text(answer.value) for answer in self._answers), self.warnings)
            self._answers = []
        return self._stat


def server_stat(info: str, warnings: tuple[str, ...] = ()) -> ServerStat:
    """The facts in the text of INFO; what it does not say stays empty."""
    pairs = (line.strip().partition(":") for line in info.splitlines() if ":" in line)
    facts = {name: value for name, _, value in pairs}
    product = "Valkey" if "valkey_version" in facts else "Redis"
    version = facts.get("valkey_version") or facts.get("redis_version", "")
    return ServerStat(
        version=f"{product} {version}" if version else "",
        memory_bytes=_number(facts.get("used_memory")),
        memory_limit_bytes=_number(facts.get("maxmemory")),
        policy=facts.get("maxmemory_policy", ""),
        clients=_number(facts.get("connected_clients")),
        role=facts.get("role", ""),
        disk_error=next((name for name in _WRITES if facts.get(name) == "err"), ""),
        warnings=warnings,
    )


def _number(value: str | None) -> int:
    return int(value) if value and value.isdigit() else 0
