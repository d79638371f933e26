"""What a task needs besides its arguments: a connection, a client, a lock, opened and closed around it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, Literal, TypeVar, cast

T = TypeVar("T")

Scope = Literal["job", "worker"]


class Dependency(Generic[T]):
    """The mark that `depends` leaves as a parameter's default; workers put the opened thing in its place."""

    __slots__ = ("factory", "scope")

    def __init__(self, factory: Callable[[], AbstractAsyncContextManager[T]], scope: Scope) -> None:
        self.factory = factory
        self.scope = scope

    def __repr__(self) -> str:
        return f"depends({getattr(self.factory, '__qualname__', self.factory)}, scope={self.scope!r})"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"{self!r} is opened by workers only: a task that is called directly takes its dependencies as arguments"
        )


def depends(factory: Callable[[], AbstractAsyncContextManager[T]], *, scope: Scope = "job") -> T:
    """A dependency, written as a parameter's default: `async def send(to: str, smtp: SMTP = depends(mailer))`.

    `factory` returns an async context manager. `scope="job"` enters it for each attempt and leaves it after the
    attempt, whatever came of it; `scope="worker"` enters it once, when the worker's first job needs it, and leaves it
    when the worker stops. Called directly, a task takes the real thing, or a test's double, as an argument.
    """
    return cast("T", Dependency(factory, scope))
