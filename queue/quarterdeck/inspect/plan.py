"""A plan of reads: what a view needs is gathered first and read at once, in one round trip and one atomic step."""

from __future__ import annotations

import asyncio
import time
from math import isnan
from typing import Any, Final

import msgspec
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from quarterdeck.broker.door import translated
from quarterdeck.errors import UnreachableError
from quarterdeck.inspect.program import program
from quarterdeck.script import Argument

LAST_MS: Final = 253_402_300_799_000
"""The end of the year 9999."""


class Answer:
    """The place of a reply that is not there yet. `value` is what the operation returned, None when nothing could be
    read; `error` says what could not, and names the key."""

    __slots__ = ("error", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.error: str = ""

    def rows(self) -> list[Any]:
        """The reply as a list, empty when there is none."""
        return self.value if isinstance(self.value, list) else []

    def number(self) -> int:
        """The reply as a whole number, 0 when there is none."""
        return self.value if isinstance(self.value, int) else 0

    def pairs(self) -> dict[bytes, bytes]:
        """The reply of HGETALL as a dict."""
        flat = self.rows()
        return dict(zip(flat[::2], flat[1::2], strict=False))


class Plan:
    """Reads to be done together. `ask` names one and returns its `Answer`; `run` fills all of them."""

    def __init__(self) -> None:
        self._reads: dict[str, list[tuple[Answer, list[Argument]]]] = {}
        self.now_ms = 0
        """The server's clock at the moment of reading, epoch ms; 0 before `run`."""
        self.rtt_ms = 0.0
        self.round_trips = 0

    def ask(self, slot: str, operation: str, *args: Argument) -> Answer:
        """Add a read. `slot` is a key of the cluster slot that it touches; outside a cluster it does not matter."""
        answer = Answer()
        self._reads.setdefault(slot, []).append((answer, [operation, len(args), *args]))
        return answer

    def call(self, key: str, command: str, *args: Argument) -> Answer:
        """Add one plain command on `key`."""
        return self.ask(key, "call", command, key, *args)

    async def run(self, client: Any, *, cluster: bool = False) -> None:
        """Read everything: one script call, or one a slot side by side in a cluster. Raises UnreachableError."""
        started = time.perf_counter()
        groups = self._by_slot(client) if cluster else [("", [r for reads in self._reads.values() for r in reads])]
        try:
            await asyncio.gather(*(self._run_group(client, slot, reads) for slot, reads in groups))
        except (AuthenticationError, NoPermissionError) as error:
            raise translated(error) from error  # it did answer, and will say the same again
        except (RedisError, OSError, TimeoutError) as error:
            raise UnreachableError(f"The server did not answer: {error}.", "It is asked again.") from error
        self.rtt_ms = (time.perf_counter() - started) * 1000
        self.round_trips += 1

    def troubles(self) -> list[str]:
        """What could not be read, each key once; the plan has been run."""
        errors = (answer.error for reads in self._reads.values() for answer, _ in reads if answer.error)
        return list(dict.fromkeys(part for error in errors for part in error.split("; ")))

    def _by_slot(self, client: Any) -> list[tuple[str, list[tuple[Answer, list[Argument]]]]]:
        """The reads of each cluster slot, with one of its keys."""
        groups: dict[int, tuple[str, list[tuple[Answer, list[Argument]]]]] = {}
        for key, reads in self._reads.items():
            groups.setdefault(client.keyslot(key), (key, []))[1].extend(reads)
        return list(groups.values())

    async def _run_group(self, client: Any, slot: str, reads: list[tuple[Answer, list[Argument]]]) -> None:
        words = [_packed(argument) for _, arguments in reads for argument in arguments]
        reply = await program()(client, [slot] if slot else [], [msgspec.msgpack.encode(words)])
        self.now_ms = max(self.now_ms, int(reply[0]) * 1000 + int(reply[1]) // 1000)
        for (answer, _), value in zip(reads, reply[3:], strict=True):
            answer.value = value
        for number, trouble in zip(reply[2][::2], reply[2][1::2], strict=True):
            reads[number - 1][0].error = text(trouble)


def _packed(argument: Argument) -> Argument | msgspec.Raw:
    """As the server's reader of msgpack takes it, which is older than its type for bytes: they are sent as text."""
    if not isinstance(argument, bytes):
        return argument
    size = len(argument)
    if size < 1 << 16:
        return msgspec.Raw(b"\xda" + size.to_bytes(2, "big") + argument)
    return msgspec.Raw(b"\xdb" + size.to_bytes(4, "big") + argument)


def moment_ms(value: Any, *, unit_ms: int = 1) -> int:
    """A score or another number from the server as epoch ms, within what dates can say: 0 for one that is no time."""
    try:
        found = float(value) * unit_ms
    except (TypeError, ValueError):
        return 0
    return 0 if isnan(found) else int(min(max(found, 0.0), LAST_MS))


def text(value: Any) -> str:
    """Bytes from the server as text; what is not UTF-8 is replaced."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
