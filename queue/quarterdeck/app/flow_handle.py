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
                for handle in self.handles:
                    value = await _result(handle)
        except TimeoutError:
            raise ResultTimeoutError(f"The flow did not end within {timeout_s} s.", "It goes on.") from None
        return value


async def _result(handle: Handle[Any]) -> Any:
    """The result of a job that may not be enqueued yet."""
    while True:
        try:
            return await handle.result()
        except JobGoneError:
            await asyncio.sleep(_LOOK_S)
