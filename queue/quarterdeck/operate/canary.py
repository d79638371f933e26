"""How fast a bulk operation goes: at once, paced, or as a canary that stops when the released jobs fail again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from quarterdeck.model import JobRef, Verb
from quarterdeck.operate import bulk as bulks
from quarterdeck.operate import jobs
from quarterdeck.script import Client
from quarterdeck.text import count_of

if TYPE_CHECKING:
    from quarterdeck.operate.bulk import Bulk

AT_ONCE: Final = 500
"""Jobs a step when nothing holds it back."""
WINDOW: Final = 50
"""The failure rate is judged over the newest outcomes."""
JUDGE_FROM: Final = 5
"""Outcomes that must be known before a rate means something; a canary's first failure always counts."""
CANARY_CAP_PER_S: Final = 50.0
"""A canary's highest rate when none was asked for."""
DOUBLE_MS: Final = 5_000
"""A canary that goes well doubles its rate so often."""
PATIENCE_MS: Final = 10 * 60_000
"""An operation that has released everything waits so long for the last outcomes."""


class Throttle:
    """Decides how many jobs the next step may release, from what became of those released before."""

    def __init__(self, client: Client, state: Bulk) -> None:
        self._client = client
        self._state = state
        self._key = bulks.released_key(state.queue, state.id)
        self.waiting = 0
        self.gave_up = False
        self._held = False

    @property
    def _watches(self) -> bool:
        return self._state.verb is Verb.RETRY and self._state.pace.mode != "all"

    async def learn(self, now_ms: int) -> None:
        """Look what became of the released jobs, and stop the operation when too many failed again."""
        if not self._watches:
            return
        if self._state.behind:
            await self._heed_the_one_before(now_ms)
        released = {key.decode(): int(at) for key, at in (await self._client.hgetall(self._key)).items()}
        known = {
            key: outcome
            for key, outcome in (await jobs.outcomes(self._client, self._state.queue, released)).items()
            if outcome != "waiting"
        }
        if known:
            await self._client.hdel(self._key, *known)
        self.waiting = len(released) - len(known)
        state = self._state
        for outcome in known.values():
            state.recent = (state.recent + ("x" if outcome == "failed" else "."))[-WINDOW:]
            state.failed += outcome == "failed"
            state.succeeded += outcome == "done"
        self._judge(now_ms)
        late = state.exhausted and not state.pending and now_ms - state.stepped_ms > PATIENCE_MS
        if self.waiting and late:
            state.phase = f"{self.waiting} outcomes not known after ten minutes"
            self.waiting, self.gave_up = 0, True

    def allowance(self, now_ms: int) -> int:
        """How many jobs may be released now."""
        state = self._state
        if state.pace.mode == "all":
            return AT_ONCE
        if self._held:
            return 0
        if state.pace.mode == "canary" and not self._ramp(now_ms):
            return 0 if state.released else 1
        if state.pace.mode == "paced":
            state.rate = state.pace.per_s or 1.0
        if self.waiting > max(5.0, 10 * state.rate):
            state.phase = f"waiting for {count_of(self.waiting, 'released job')}"
            return 0
        state.phase = f"{state.rate:g} a second"
        state.credit = min(state.credit + state.rate * (now_ms - state.stepped_ms) / 1000, 2 * state.rate + 1)
        state.stepped_ms = now_ms
        whole = int(state.credit)
        state.credit -= whole
        return min(whole, AT_ONCE)

    async def released(self, refs: Sequence[JobRef], now_ms: int) -> None:
        """Remember what was released, to learn its outcome."""
        self._state.stepped_ms = now_ms
        if self._watches and refs:
            await self._client.hset(self._key, mapping={ref.key: now_ms for ref in refs})
            self.waiting += len(refs)

    async def _heed_the_one_before(self, now_ms: int) -> None:
        """A canary over several queues is one job at first: wait for the queue before this one, and end as it ended."""
        state = self._state
        queue, _, name = state.behind.rpartition("/")
        before = await bulks.read(self._client, queue, name)
        if before is None or before.succeeded or before.state == "done":  # done without success: nothing was left there
            state.behind = ""
        elif before.state in bulks.LIVE:
            self._held = True
            state.phase = f"canary: waiting for the first job of {queue}"
        elif before.state == "tripped":
            state.tripped = f"the canary of {queue} failed again" if before.released else before.tripped
            state.end("tripped", now_ms, phase=state.tripped)
        else:
            state.end("stopped", now_ms, phase=f"the canary of {queue} was stopped")

    def _ramp(self, now_ms: int) -> bool:
        """Raise a canary's rate; False while its first job's outcome is not known."""
        state = self._state
        if not state.succeeded:
            state.phase = "canary: waiting for the first job" if state.released else "canary: one job"
            return False
        cap = state.pace.per_s or CANARY_CAP_PER_S
        if not state.rate:
            state.rate, state.ramped_ms, state.stepped_ms = 1.0, now_ms, now_ms
        elif now_ms - state.ramped_ms >= DOUBLE_MS and state.rate < cap:
            state.rate, state.ramped_ms = min(cap, 2 * state.rate), now_ms
        return True

    def _judge(self, now_ms: int) -> None:
        state = self._state
        failed = state.recent.count("x")
        if not failed:
            return
        first = state.pace.mode == "canary" and not state.succeeded
        share = failed / len(state.recent)
        if first or (len(state.recent) >= JUDGE_FROM and share > state.pace.trip_rate):
            words = "the canary failed again" if first else f"{share:.0%} of the last {len(state.recent)} failed again"
            state.tripped = words
            state.end("tripped", now_ms, phase=words)
