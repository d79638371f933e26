"""Every act of an operator: checked, carried out by compare-and-set, written down, and undone where that can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quarterdeck.operate.guard import Guard
from quarterdeck.operate.identity import identify
from quarterdeck.operate.operator import RedisOperator

__all__ = ["RedisOperator", "open_operator"]


async def open_operator(
    url: Any,
    *,
    who: str | None = None,
    role: str = "admin",
    read_only: bool = False,
    queues: Sequence[str] = (),
    address: str = "",
    carry_bulks: bool = True,
) -> RedisOperator:
    """An operator on the server at `url` (a URL or a parsed address).

    `address` is what reaches this environment on a command line (`--env prod`), for the command echo; `carry_bulks`
    lets this process carry out bulk operations in the background. Raises UnreachableError, and RefusedError for an
    unknown role.
    """
    from quarterdeck.broker.connection import open_connection

    guard = Guard(role, read_only=read_only)
    connection = await open_connection(url, client_name="quarterdeck-operator")
    operator = RedisOperator(connection, identity=identify(who), guard=guard, queues=queues, address=address)
    if carry_bulks:
        operator.start()
    return operator
