"""A circuit breaker whose state is on the server, so that all workers stop calling what is down."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from quarterdeck.errors import QuarterdeckError
from quarterdeck.keys import breaker
from quarterdeck.script import ScriptClient, load


class CircuitOpenError(QuarterdeckError):
    """A call that was not made, because too many before it failed; `retry_s` is when a try is allowed again."""

    def __init__(self, name: str, retry_s: float) -> None:
        super().__init__(f"The circuit {name} is open: it lets a call try again in {retry_s:.1f} s.")
        self.name = name
        self.retry_s = retry_s


class CircuitBreaker:
    """`async with breaker:` around a call to something that may be down.

    After `failures` failures within `window_s` seconds it is open: entering raises CircuitOpenError for `cool_s`
    seconds, then one call is let through, whose success closes it. `counts` are the exceptions that count as failures.
    """

    def __init__(
        self,
        client: ScriptClient,
        name: str,
        *,
        failures: int = 5,
        window_s: float = 60.0,
        cool_s: float = 30.0,
        counts: tuple[type[BaseException], ...] = (Exception,),
    ) -> None:
        self.name = name
        self._client = client
        self._limits = (failures, int(window_s * 1000), int(cool_s * 1000))
        self._counts = counts

    async def state(self, event: str = "ask") -> tuple[str, float]:
        """Closed, open or half-open, and seconds until a try is allowed. Asking when half-open takes the try."""
        script = load("quarterdeck.flow", "breaker")
        word, wait_ms = await script(self._client, [breaker(self.name)], [event, *self._limits])
        return word.decode() if isinstance(word, bytes) else word, int(wait_ms) / 1000

    async def __aenter__(self) -> Self:
        state, retry_s = await self.state()
        if state == "open":
            raise CircuitOpenError(self.name, retry_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            await self.state("ok")
        elif isinstance(error, self._counts):
            await self.state("failed")
