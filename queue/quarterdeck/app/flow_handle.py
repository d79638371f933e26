"""What enqueuing a flow gives back."""

from __future__ import annotations

import asyncio
from typing import Any

from quarterdeck.app.handle import Handle
from quarterdeck.errors import JobGoneError, ResultTimeoutError

_LOOK_S = 0.05


class FlowHandle:
    """The jobs of a flow that run in any case, in their order; `first` are those that were enqueued at once.

    Steps that only run in a branch's case or to undo a saga are not among `handles`.
    """

    def __init__(self, handles: list[Handle[Any]], first: int) -> None:
        self.handles = handles
        self.first = handles[:first]

    @property
    def last(self) -> Handle[Any]:
        """The handle of the job that ends the flow."""
        return self.handles[-1]

    async def result(self, timeout_s: float | None = None) -> Any:
        """Wait for the whole flow and return the result of its last job.

        Raises JobFailedError for the first step that fails for good, ResultTimeoutError.
        """
        value: Any = None
        try:
            async with asyncio.timeout(timeout_s):
                for number in range(len(self.handles)):
                    value = await self._result(number)
        except TimeoutError:
            raise ResultTimeoutError(f"The flow did not end within {timeout_s} s.", "It goes on.") from None
        return value

    async def _result(self, number: int) -> Any:
        """The result of one of the jobs, which may not be enqueued yet; None when it has ended and is not kept."""
        handle = self.handles[number]
        while not await _is_there(handle):
            if number < len(self.first) or await self._has_gone_on(number):
                return None
            await asyncio.sleep(_LOOK_S)
        try:
            return await handle.result()
        except JobGoneError:
            return None

    async def _has_gone_on(self, number: int) -> bool:
        """Whether the server knows a job that follows this one."""
        for later in self.handles[max(number + 1, len(self.first)) :]:
            if await _is_there(later):
                return True
        return False


async def _is_there(handle: Handle[Any]) -> bool:
    try:
        await handle.job()
    except JobGoneError:
        return False
    return True
