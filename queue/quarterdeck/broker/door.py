"""The door of the seams: what goes wrong with the server leaves them as one of our own errors, with a cure."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from redis.exceptions import AuthenticationError, AuthorizationError, NoPermissionError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from quarterdeck.errors import QuarterdeckError, UnreachableError

P = ParamSpec("P")
T = TypeVar("T")
Seam = TypeVar("Seam", bound=type)


def translated(error: BaseException) -> QuarterdeckError:
    """One of our errors for what redis-py or the operating system raised."""
    if isinstance(error, AuthenticationError | AuthorizationError | NoPermissionError):
        return UnreachableError(f"The server does not allow this: {error}.", "Look at the user's ACL.")
    if isinstance(error, RedisTimeoutError | TimeoutError):
        # Nobody can know whether it was done: the request may be waiting at the other end.
        return UnreachableError(
            "The server did not answer in time: this may have been done or not.", "Look before you do it again."
        )
    if isinstance(error, RedisConnectionError | OSError):
        return UnreachableError(f"The server can't be reached: {error}.", "It is tried again with the next act.")
    if isinstance(error, ResponseError) and str(error).startswith("MISCONF"):
        return QuarterdeckError(
            "The server can't write to its disk, and refuses to change anything.", "Make room there; it goes on then."
        )
    if isinstance(error, ResponseError):
        return QuarterdeckError(f"The server refused: {error}.", "quarterdeck doctor looks at the server.")
    return QuarterdeckError(f"The server's answer can't be used: {error}.")


@contextmanager
def door() -> Iterator[None]:
    """Let nothing of redis-py out of this block. Raises QuarterdeckError in its place."""
    try:
        yield
    except QuarterdeckError:  # some are time-outs too
        raise
    except (RedisError, OSError, TimeoutError) as error:
        raise translated(error) from error


def through_the_door(seam: Seam) -> Seam:
    """Put the door before every public coroutine of a class, inherited ones included."""
    for name, method in inspect.getmembers(seam, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            setattr(seam, name, _behind(method))
    return seam


def _behind(method: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    @functools.wraps(method)
    async def call(*args: P.args, **options: P.kwargs) -> T:
        with door():
            return await method(*args, **options)

    return call
