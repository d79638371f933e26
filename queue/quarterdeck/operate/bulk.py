"""A bulk operation: an object on the server that outlives the dashboard that started it."""

from __future__ import annotations

from typing import Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import BulkRow, JobRef, Pace, Selection, Verb
from quarterdeck.script import Client

LIVE: Final = ("waiting", "running", "paused")
KEEP_MS: Final = 24 * 3600 * 1000
"""How long an ended operation stays to be looked at."""
LEASE_MS: Final = 15_000
"""Who carries an operation out loses it to another after so long without a step."""


class Bulk(msgspec.Struct, kw_only=True):
    """What is stored of a bulk operation, written by whoever carries it out.

    Operators' wishes (pause, resume, stop) are kept apart in `control_key`, so that neither overwrites the other.
    """

    id: str
    queue: str
    verb: Verb
    selection: Selection
    pace: Pace
    reason: str
    owner: str
    command: str
    act: str
    started_ms: int
    total: int
    state: str = "waiting"
    released: int = 0
    succeeded: int = 0
    failed: int = 0
    skipped: int = 0
    skips: dict[str, int] = msgspec.field(default_factory=dict)
    behind: str = ""
    """A canary over several queues: `QUEUE/ID` of the operation whose first job has to go well before this one's."""
    named: int = 0
    """Jobs that were named one by one (`refs_key`); 0: the selection is a query."""
    cursor: str = ""
    """Where the selection goes on; the meaning is `selecting`'s."""
    exhausted: bool = False
    pending: list[JobRef] = []
    """Selected and not acted on yet; stored, so that another runner goes on with them."""
    recent: str = ""
    """The newest outcomes of released jobs: `.` went well, `x` failed again."""
    credit: float = 0.0
    stepped_ms: int = 0
    ramped_ms: int = 0
    rate: float = 0.0
    """Jobs per second it goes at now; 0 is as fast as it can."""
    phase: str = ""
    tripped: str = ""
    ended_ms: int = 0

    def row(self) -> BulkRow:
        """As the screen shows it."""
        return BulkRow(
            id=f"{self.queue}/{self.id}",
            queue=self.queue,
            verb=self.verb.value,
            query=f"{self.named} marked" if self.named else describe(self.selection),
            reason=self.reason,
            owner=self.owner,
            mode=self.pace.mode,
            state=self.state,
            started_ms=self.started_ms,
            total=self.total,
            done=self.released,
            failed=self.failed,
            skipped=self.skipped,
            per_s=self.rate,
            phase=self.phase,
            tripped=self.tripped,
        )

    def skip(self, why: str, count: int = 1) -> None:
        """Count jobs that were skipped, with the reason."""
        self.skipped += count
        self.skips[why] = self.skips.get(why, 0) + count

    def end(self, state: str, now_ms: int, *, phase: str = "") -> None:
        """The operation is over: done, stopped or tripped."""
        self.state = state
        self.phase = phase
        self.ended_ms = now_ms


def describe(selection: Selection) -> str:
    """A selection in words of the filter grammar."""
    parts = [
        f"q:{selection.queue}" if selection.queue else "",
        f"state:{selection.state}" if selection.state else "",
        f"sig:{selection.signature}" if selection.signature else "",
        f"fn:{selection.function}" if selection.function else "",
        selection.filter,
    ]
    return " ".join(part for part in parts if part) or "everything"


def control_key(queue: str, bulk: str) -> str:
    """String: what an operator wants of a running operation (pause, stop), or absent."""
    return keys_of(queue).bulk(f"{bulk}:control")


def lease_key(queue: str, bulk: str) -> str:
    """String with expiry: who carries the operation out."""
    return keys_of(queue).bulk(f"{bulk}:lease")


def released_key(queue: str, bulk: str) -> str:
    """Hash: key → when it was released (ms), for jobs whose outcome is not known yet."""
    return keys_of(queue).bulk(f"{bulk}:released")


def refs_key(queue: str, bulk: str) -> str:
    """List of `KEY\\tSEEN_MS` for an operation on named jobs."""
    return keys_of(queue).bulk(f"{bulk}:refs")


def state_key(queue: str, bulk: str) -> str:
    """String: the whole operation (`Bulk`); `qd:bulks:Q` holds its row for the screen."""
    return keys_of(queue).bulk(f"{bulk}:state")


async def save(client: Client, bulk: Bulk) -> None:
    """Store the operation as it stands, and its row."""
    pipe = client.pipeline(transaction=True)
    pipe.set(state_key(bulk.queue, bulk.id), msgspec.json.encode(bulk))
    pipe.hset(keys_of(bulk.queue).bulks, bulk.id, msgspec.json.encode(bulk.row()))
    await pipe.execute()


async def read(client: Client, queue: str, name: str) -> Bulk | None:
    """An operation by its id, or None."""
    raw = await client.get(state_key(queue, name))
    return msgspec.json.decode(raw, type=Bulk) if raw else None


async def rows(client: Client, queue: str) -> list[BulkRow]:
    """The rows of all operations of a queue, oldest first."""
    raws = (await client.hgetall(keys_of(queue).bulks)).values()
    return sorted((msgspec.json.decode(raw, type=BulkRow) for raw in raws), key=lambda row: row.started_ms)


async def create(client: Client, bulk: Bulk) -> None:
    """Put a new operation on the server; whoever runs a `BulkRunner` picks it up."""
    refs = [f"{ref.key}\t{ref.seen_ms}" for ref in bulk.selection.refs]
    for start in range(0, len(refs), 5_000):
        await client.rpush(refs_key(bulk.queue, bulk.id), *refs[start : start + 5_000])
    bulk.named = len(refs)
    bulk.selection = msgspec.structs.replace(bulk.selection, refs=())
    await save(client, bulk)


async def forget(client: Client, queue: str, name: str) -> None:
    """Remove an operation and all that belongs to it."""
    await client.delete(*(key(queue, name) for key in (state_key, control_key, lease_key, released_key, refs_key)))
    await client.hdel(keys_of(queue).bulks, name)
