"""Carries bulk operations out, step by step: any process may run one, a lease keeps it to one at a time.

Each step is small and each job in it is compare-and-set, so that a runner that dies between two steps, or two runners
that meet, do nothing twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from redis.exceptions import RedisError

from quarterdeck.model import BulkRow, JobRef, Verb
from quarterdeck.operate import bulk as bulks
from quarterdeck.operate import jobs, selecting
from quarterdeck.operate.bulk import Bulk
from quarterdeck.operate.canary import Throttle
from quarterdeck.operate.matching import predicate_of
from quarterdeck.operate.queues import server_ms
from quarterdeck.operate.workers import known_queues
from quarterdeck.script import Client

IDLE_S: Final = 2.0
"""How often a runner with nothing to do looks for operations."""
STEP_S: Final = 0.2
"""How often a paced operation takes a step."""
DONE_WORDS: Final[dict[Verb, frozenset[str]]] = {
    Verb.RETRY: frozenset({"ok"}),
    Verb.DELETE: frozenset({"failed", "queued", "scheduled", "complete"}),
    Verb.ABORT: frozenset({"ok", "queued", "scheduled"}),
    Verb.RUN_NOW: frozenset(),
    Verb.RESTORE: frozenset({"ok"}),
    Verb.RELEASE: frozenset({"ok"}),
}
"""The words of `jobs` that say an act was done."""


class BulkRunner:
    """Looks for operations of `queues` (all known ones when empty) and carries them out until cancelled."""

    def __init__(self, client: Client, *, runner: str, queues: Sequence[str] = ()) -> None:
        self._client = client
        self._runner = runner
        self._queues = queues
        self._wake = asyncio.Event()
        self._stopped = False

    def wake(self) -> None:
        """Look at once: a new operation was put on the server."""
        self._wake.set()

    def stop(self) -> None:
        """End `run` after its present step. A mere cancellation can be swallowed by a client that is reading."""
        self._stopped = True
        self._wake.set()

    async def run(self) -> None:
        """Carry operations out until stopped or cancelled; a server that is away is waited for."""
        while not self._stopped:
            try:
                busy = await self.step_all()
            except (RedisError, OSError):
                busy = False
            if not busy and not self._stopped:
                self._wake.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(IDLE_S):
                        await self._wake.wait()

    async def step_all(self) -> bool:
        """One step of every operation that is live and ours to carry out; False when there is none."""
        busy = False
        paced = True
        for queue in await known_queues(self._client, self._queues):
            for row in await bulks.rows(self._client, queue):
                if row.state not in bulks.LIVE:
                    await self._let_go(queue, row)
                    continue
                state = await self._step_leased(queue, row.id.rpartition("/")[2])
                if state is not None and state.state == "running":
                    busy = True
                    paced = paced and state.pace.mode != "all"
        if busy and paced:
            await asyncio.sleep(STEP_S)
        return busy

    async def _let_go(self, queue: str, row: BulkRow) -> None:
        """Forget an operation that has been over for `KEEP_MS`; only an old one costs a look."""
        if row.started_ms > time.time() * 1000 - bulks.KEEP_MS:
            return
        name = row.id.rpartition("/")[2]
        state = await bulks.read(self._client, queue, name)
        if state is None or state.ended_ms < await server_ms(self._client) - bulks.KEEP_MS:
            await bulks.forget(self._client, queue, name)

    async def _step_leased(self, queue: str, name: str) -> Bulk | None:
        lease = bulks.lease_key(queue, name)
        mine = await self._client.set(lease, self._runner, nx=True, px=bulks.LEASE_MS)
        if not mine:
            holder = await self._client.get(lease)
            if holder is None or holder.decode() != self._runner:
                return None
            await self._client.pexpire(lease, bulks.LEASE_MS)
        state = await bulks.read(self._client, queue, name)
        if state is None or state.state not in bulks.LIVE:
            return None
        await self.step(state)
        await bulks.save(self._client, state)
        return state

    async def step(self, state: Bulk) -> None:
        """Take one step of an operation and change `state` accordingly; the caller stores it."""
        now_ms = await server_ms(self._client)
        wish = await self._client.get(bulks.control_key(state.queue, state.id))
        if wish == b"stop":
            state.end("stopped", now_ms, phase="stopped by an operator")
            return
        if wish == b"pause":
            state.state, state.phase = "paused", "paused by an operator"
            return
        state.state = "running"
        throttle = Throttle(self._client, state)
        await throttle.learn(now_ms)
        if state.state != "running":
            return
        allowed = throttle.allowance(now_ms)
        if allowed > 0 and (state.pending or not state.exhausted):
            await self._release(state, allowed, now_ms, throttle)
        if state.exhausted and not state.pending and not throttle.waiting:
            state.end("done", now_ms, phase=state.phase if throttle.gave_up else "")

    async def _release(self, state: Bulk, allowed: int, now_ms: int, throttle: Throttle) -> None:
        if not state.pending:
            state.pending = await self._next(state)
        refs, state.pending = state.pending[:allowed], state.pending[allowed:]
        if refs:
            answers = await perform(self._client, state, refs)
            good = [ref for ref, answer in zip(refs, answers, strict=True) if did(state.verb, answer)]
            for answer in answers:
                if not did(state.verb, answer):
                    state.skip(answer)
            state.released += len(good)
            await throttle.released(good, now_ms)

    async def _next(self, state: Bulk) -> list[JobRef]:
        if state.named:
            return await self._next_named(state)
        walk = selecting.Walk(
            self._client,
            state.queue,
            state.selection,
            until_ms=state.started_ms,
            predicate=predicate_of(state.selection.filter, now_ms=state.started_ms),
            leaving=state.verb in (Verb.DELETE, Verb.ABORT),
        )
        found = await walk.chunk(state.cursor)
        state.cursor, state.exhausted = found.cursor, found.exhausted
        return list(found.refs)

    async def _next_named(self, state: Bulk) -> list[JobRef]:
        start = int(state.cursor or 0)
        lines = await self._client.lrange(bulks.refs_key(state.queue, state.id), start, start + selecting.SIZE - 1)
        state.cursor, state.exhausted = str(start + len(lines)), start + len(lines) >= state.named
        pairs = (line.decode().rpartition("\t") for line in lines)
        return [JobRef(queue=state.queue, key=key, seen_ms=int(seen)) for key, _, seen in pairs]


def did(verb: Verb, answer: str) -> bool:
    """Whether a word of `jobs` says that the act was done to the job, not skipped."""
    return answer in DONE_WORDS[verb] or (verb is Verb.RUN_NOW and answer != "gone")


async def perform(client: Client, state: Bulk, refs: Sequence[JobRef]) -> tuple[str, ...]:
    """Do the operation's verb to `refs`; a word for each, as `jobs` has them."""
    queue = state.queue
    if state.verb is Verb.RETRY:
        return (await jobs.retry(client, queue, refs, remember=False)).answers
    if state.verb is Verb.DELETE:
        return await jobs.delete(client, queue, refs, who=state.owner, act=state.act)
    if state.verb is Verb.ABORT:
        error = f"aborted by {state.owner}" + (f": {state.reason}" if state.reason else "")
        return await jobs.abort(client, queue, refs, who=state.owner, act=state.act, error=error)
    return await jobs.run_now(client, queue, refs)
