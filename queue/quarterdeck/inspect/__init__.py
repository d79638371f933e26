"""Looking: one round trip → `Snapshot`; pages of jobs; search; `why`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from quarterdeck.inspect.filter import Filter, FilterError, parse_filter
from quarterdeck.inspect.source import RedisSource
from quarterdeck.inspect.verdict import verdict_of

if TYPE_CHECKING:
    from quarterdeck.broker.address import Address

__all__ = ["Filter", "FilterError", "RedisSource", "open_source", "parse_filter", "verdict_of"]


async def open_source(url: str | Address, *, queues: Sequence[str] = (), record: bool = False) -> RedisSource:
    """Connect to `url` and return a source that reads `queues`, or all that can be found; close it when done.

    With `record` it also keeps what stock workers would let go, once it meets such workers; that writes to the server.

    Raises AddressError (exit status 2) and UnreachableError (3) with what, where and the cure.
    """
    from quarterdeck.broker.connection import open_connection

    connection = await open_connection(url, client_name="quarterdeck")
    source = RedisSource(connection.client, queues, owner=connection)
    source.warn(connection.warnings)
    if not queues:
        source.look_around()
    if record:
        source.record_stock()
    return source
