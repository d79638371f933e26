"""Quarantine by predicate: jobs that match function + argument + error are set aside while the queue flows.

Jobs that wait when the rule is made are set aside here; those that come later, by the workers, which read the rules.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import msgspec

from quarterdeck.keys import keys_of
from quarterdeck.model import JobRow, JobState, Selection
from quarterdeck.operate import jobs
from quarterdeck.operate.selecting import Walk
from quarterdeck.record import argument_holds
from quarterdeck.script import Client

BUDGET: Final = 200_000
"""Waiting jobs that making a rule looks at, at most; the workers catch the rest when they come to them."""


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored in `qd:rules:Q`. `argument` is for `record.argument_holds`, `error` a part of the last error;
    empty matches all.
    """

    function: str
    argument: str = ""
    error: str = ""
    owner: str = ""
    reason: str = ""
    at_ms: int = 0
    held: int = 0

    def matches(self, row: JobRow) -> bool:
        """Whether a waiting job is meant, by what a list shows of it: as workers match what comes (`worker.rules`)."""
        return (
            row.function == self.function and argument_holds(row.arguments, self.argument) and self.error in row.error
        )


async def make(client: Client, queue: str, name: str, rule: Rule) -> int:
    """Store the rule and set aside the waiting jobs that match it; returns how many."""
    names = keys_of(queue)
    await client.hset(names.rules, name, msgspec.json.encode(rule))
    held = 0
    for state in (JobState.QUEUED, JobState.SCHEDULED):
        held += await _sweep(client, queue, name, rule, state)
    if held:
        await client.hset(names.rules, name, msgspec.json.encode(msgspec.structs.replace(rule, held=held)))
    return held


async def _sweep(client: Client, queue: str, name: str, rule: Rule, state: JobState) -> int:
    selection = Selection(queue=queue, state=state)
    walk = Walk(client, queue, selection, until_ms=rule.at_ms, predicate=rule.matches, leaving=True)
    cursor, exhausted, searched, held = "", False, 0, 0
    while not exhausted and searched < BUDGET:
        chunk = await walk.chunk(cursor)
        cursor, exhausted = chunk.cursor, chunk.exhausted
        searched += chunk.searched
        if chunk.refs:
            keys = [ref.key for ref in chunk.refs]
            answers = await jobs.script("set_aside")(client, [keys_of(queue).queued], [queue, name, *keys])
            held += sum(answer == b"ok" for answer in answers)
    return held


async def rules(client: Client, queue: str) -> dict[str, Rule]:
    """The rules of a queue by their ids, with how many jobs each holds now: workers set aside what comes later."""
    stored = await client.hgetall(keys_of(queue).rules)
    found = {name.decode(): msgspec.json.decode(raw, type=Rule) for name, raw in stored.items()}
    counts: Counter[str] = Counter()
    if found:
        async for _, raw in client.hscan_iter(keys_of(queue).quarantine, count=1_000):
            counts[msgspec.json.decode(raw).get("rule") or ""] += 1
    return {name: msgspec.structs.replace(rule, held=counts[name]) for name, rule in found.items()}


async def lift(client: Client, queue: str, name: str, *, release: bool, who: str, act: str) -> Counter[str] | None:
    """Lift a rule; what it holds goes back to the queue, or into the recycle bin. None when there is no such rule."""
    names = keys_of(queue)
    if not await client.hdel(names.rules, name):
        return None
    counts: Counter[str] = Counter()
    held = await _held_by(client, queue, name)
    for part in jobs.chunks(held):
        answers = await jobs.script("release")(client, [names.queued], [queue, *part])
        counts.update(answer.decode() for answer in answers)
    if not release and held:
        refs = jobs.refs_of(queue, [names.job_key(job_id) for job_id in held])
        counts = Counter(await jobs.delete(client, queue, refs, who=who, act=act))
    return counts


async def _held_by(client: Client, queue: str, name: str) -> list[str]:
    found: list[str] = []
    async for field, raw in client.hscan_iter(keys_of(queue).quarantine, count=1_000):
        record: dict[str, Any] = msgspec.json.decode(raw)
        if record.get("rule") == name:
            found.append(field.decode())
    return found
