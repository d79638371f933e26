"""Acting: one door to the operator seam, with the reasons for which it stays shut."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from quarterdeck.errors import QuarterdeckError, RefusedError
from quarterdeck.model import Operator, Outcome
from tui.station import Right, Station

PRESENT_EVERY_S: Final = 4.0
"""How often others are told that we are here."""

Act = Callable[[Operator], Awaitable[Outcome]]


class Acting:
    """Opens the operator when it is first needed, keeps it, and closes it.

    `refusal` says in a sentence why nothing may be done now (stale data, the past), or is empty.
    """

    def __init__(self, station: Station, refusal: Callable[[], str]) -> None:
        self._station = station
        self._refusal = refusal
        self._operator: Operator | None = None
        self._opening = asyncio.Lock()
        self.outcomes: list[Outcome] = []
        """What was done from here, oldest first, at most 200: for the incident note."""

    async def operator(self) -> Operator:
        """The open operator. Raises QuarterdeckError when it can't be opened."""
        async with self._opening:
            if self._operator is None:
                self._operator = await self._station.open_operator()
            return self._operator

    def require(self, right: Right, acts: bool = True) -> None:
        """Raise RefusedError when `right` is not given here, or when nothing may be done now."""
        if not self._station.allows(right):
            held = "read-only" if self._station.read_only else f"role {self._station.right.name.lower()}"
            raise RefusedError(f"Not allowed here ({held}): this needs the right to {right.name.lower()}.")
        if acts and (why := self._refusal()):
            raise RefusedError(why)

    async def perform(self, act: Act, right: Right = Right.OPERATE) -> Outcome:
        """Do it and remember what came of it. Raises QuarterdeckError."""
        self.require(right)
        outcome = await act(await self.operator())
        self.outcomes.append(outcome)
        del self.outcomes[:-200]
        return outcome

    async def stay_present(self, screen: Callable[[], str]) -> None:
        """Tell others every few seconds that we are here, until cancelled. A failure is tried again next time."""
        while True:
            with suppress(QuarterdeckError):  # the reading loop shows what is wrong with the server
                await (await self.operator()).present(screen())
            await asyncio.sleep(PRESENT_EVERY_S)

    async def close(self) -> None:
        """Take leave. Legal at any time, any number of times."""
        operator, self._operator = self._operator, None
        if operator is not None:
            await operator.close()
