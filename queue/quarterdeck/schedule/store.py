"""Where definitions are kept: reading them, and writing them by compare-and-set."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from quarterdeck.keys import QUEUES, keys_of
from quarterdeck.schedule.definition import BrokenError, Definition, Edits, digest_of, encode, read
from quarterdeck.schedule.ledger import Retention
from quarterdeck.schedule.scripts import script
from quarterdeck.schedule.spec import Origin, ScheduleSpec
from quarterdeck.schedule.ticks import DELETED_MS, due_of, next_tick
from quarterdeck.script import Argument

logger = logging.getLogger("quarterdeck.schedule")

TRIES: Final = 5
CHUNK: Final = 100
_pack = msgspec.msgpack.Encoder().encode


class Stored(msgspec.Struct, frozen=True):
    """What is stored for a name: `definition` is None when it can't be read, `broken` says why, `digest` names it."""

    name: str
    definition: Definition | None
    digest: str
    broken: str = ""
    edits: bytes | None = None
    """The operators' part alone; it may outlive a definition that code dropped."""


class ScheduleStore:
    """The definitions of one queue. `test_now_ms` gives the scripts another clock than the server's, in tests."""

    def __init__(self, client: Any, queue: str, *, test_now_ms: Any = None) -> None:
        self.client = client
        self.queue = queue
        self.keys = keys_of(queue)
        self._test_now_ms = test_now_ms

    @property
    def test_ms(self) -> int:
        """The time that scripts take for now; 0 is the server's."""
        return int(self._test_now_ms()) if self._test_now_ms else 0

    async def now_ms(self) -> int:
        """The server's clock (or the test's), epoch ms."""
        if self.test_ms:
            return self.test_ms
        seconds, micros = await self.client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    async def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(name.decode("utf-8", "replace") for name in await self.client.hkeys(self.keys.schedules))

    async def load(self, names: Sequence[str]) -> dict[str, Stored]:
        """What is stored under `names`; one that is not there comes back without definition and digest."""
        found: dict[str, Stored] = {}
        for start in range(0, len(names), CHUNK):
            chunk = list(names[start : start + CHUNK])
            pipe = self.client.pipeline(transaction=True)
            pipe.hmget(self.keys.schedules, chunk)
            pipe.hmget(self.keys.schedule_edits, chunk)
            codes, edits = await pipe.execute()
            for name, code, edit in zip(chunk, codes, edits, strict=True):
                found[name] = stored(self.queue, name, code, edit)
        return found

    async def code(self, name: str) -> ScheduleSpec:
        """What code (or an operator's `add`) defined under `name`, whatever became of it. Raises BrokenError."""
        raw = await self.client.hget(self.keys.schedules, name)
        return read(self.queue, name, raw or b"", None).code

    async def write(self, now: int, changes: Iterable[tuple[Stored, ScheduleSpec | None, Edits | None]]) -> list[str]:
        """Write new codes and edits (None leaves them, empty `Edits()` removes them); returns the names that lost.

        The next tick is computed anew when the timing is another, or nothing was stored; else it stays.
        """
        packed = [_change(self.queue, now, *change) for change in changes]
        lost: list[str] = []
        for start in range(0, len(packed), CHUNK):
            args: list[Argument] = [self.queue, self.test_ms, *packed[start : start + CHUNK]]
            _, changed = await script("define")(self.client, [self.keys.schedule_due], args)
            lost += [name.decode() for name in changed]
        if packed:
            await self.client.sadd(QUEUES, self.queue)
        return lost

    async def remove(self, names: Mapping[str, str], *, keep_edits: bool) -> list[str]:
        """Remove schedules (name → digest as read, empty for whatever it is); returns those that were there."""
        if not names:
            return []
        flat = [part for pair in names.items() for part in pair]
        args: list[Argument] = [self.queue, self.test_ms, int(keep_edits), *flat]
        _, removed = await script("remove")(self.client, [self.keys.schedule_due], args)
        return [name.decode() for name in removed]

    async def define(self, specs: Collection[ScheduleSpec], *, app: str) -> list[str]:
        """Make the schedules of `app` be `specs`: add, change, and remove what it defined before and does not any more.

        Edits and pauses stay. A name that an operator's own schedule has is left to it and returned. Safe to call by
        many workers at once.
        """
        wanted = {spec.name: encode(spec) for spec in specs}
        for _ in range(TRIES):
            names = await self.names()
            same = await self._unchanged(wanted)
            theirs = await self.load([*(name for name in names if name not in wanted), *(set(wanted) - same)])
            taken = [name for name in wanted if name not in same and _is_runtime(theirs[name])]
            kept = {*same, *taken}
            changes = [(theirs[spec.name], spec, None) for spec in specs if spec.name not in kept]
            for was, spec, _ in changes:
                if was.definition is not None and was.definition.code.app not in ("", app):
                    # It may be the same app under a new name, so that this one's counts.
                    told = "The schedule %s on %s was defined by the app %s; from now on it is what %s says"
                    logger.warning(told, spec.name, self.queue, was.definition.code.app, app or "this one")
            lost = await self.write(await self.now_ms(), changes) if changes else []
            gone = {name: each.digest for name, each in theirs.items() if name not in wanted and _of_app(each, app)}
            await self.remove(gone, keep_edits=True)
            if not lost:
                return taken
        return taken

    async def _unchanged(self, wanted: Mapping[str, bytes]) -> set[str]:
        """The names under which just this code is stored: a worker that starts again reads nothing else of them."""
        names, same = list(wanted), set[str]()
        for start in range(0, len(names), CHUNK):
            chunk = names[start : start + CHUNK]
            codes = await self.client.hmget(self.keys.schedules, chunk)
            same |= {name for name, code in zip(chunk, codes, strict=True) if code == wanted[name]}
        return same

    async def retime(self, names: Sequence[str]) -> None:
        """Give schedules whose state was lost or edited by hand a next tick again; sets aside what can't be read."""
        now = await self.now_ms()
        found = await self.load(names)
        packed = []
        for name, each in found.items():
            if each.definition is not None:
                packed.append(_packed(each, False, False, *_first(each.definition, now)))
            elif each.digest:
                await self.set_aside(name, each.digest, each.broken)
            else:
                await self.client.zrem(self.keys.schedule_due, name)
                await self.client.hdel(self.keys.schedule_broken, name)
        if packed:
            args: list[Argument] = [self.queue, self.test_ms, *packed]
            await script("define")(self.client, [self.keys.schedule_due], args)

    async def set_aside(self, name: str, digest: str, why: str) -> None:
        """Mark a schedule broken; it waits until its definition changes."""
        args: list[Argument] = [self.queue, self.test_ms, "broken", name, digest, why[:500]]
        await script("control")(self.client, [self.keys.schedule_due], args)

    async def retention(self, usual: Retention) -> Retention:
        """The bounds of the ledger: `ledger_count`, `ledger_per_schedule`, `ledger_age_ms` of `qd:retention:Q`."""
        fields = ("ledger_count", "ledger_per_schedule", "ledger_age_ms")
        found = await self.client.hmget(self.keys.retention, fields)
        told = [int(value) if value and value.isdigit() else None for value in found]
        bounds = (usual.count, usual.per_schedule, usual.age_ms)
        return Retention(*(usually if own is None else own for own, usually in zip(told, bounds, strict=True)))

    async def unlisted(self) -> list[str]:
        """Names that are defined and have no place in the timetable."""
        listed = {name.decode("utf-8", "replace") for name in await self.client.zrange(self.keys.schedule_due, 0, -1)}
        return [name for name in await self.names() if name not in listed]


def stored(queue: str, name: str, code: bytes | None, edits: bytes | None) -> Stored:
    """What was read for a name, decoded."""
    digest = digest_of(code, edits)
    if code is None:
        return Stored(name, None, "", "", edits)
    try:
        return Stored(name, read(queue, name, code, edits), digest, "", edits)
    except BrokenError as error:
        return Stored(name, None, digest, str(error), edits)


def _first(definition: Definition, now: int) -> tuple[int, int]:
    """The next tick and when it fires; for a schedule that an operator deleted a place beyond all others."""
    if definition.edits.deleted:
        return DELETED_MS, DELETED_MS
    tick = next_tick(definition, now)
    return tick, due_of(definition, tick, next_tick(definition, tick))


def _change(queue: str, now: int, was: Stored, code: ScheduleSpec | None, edits: Edits | None) -> bytes:
    """One argument of define.lua. A schedule that code defines keeps its record when an operator deletes it."""
    old_code = encode(was.definition.code) if was.definition else b""
    new_code = encode(code) if code else old_code
    kept = was.edits if edits is None else encode(edits) if edits != Edits() else b""
    anew = stored(queue, was.name, new_code, kept or None)
    if anew.definition is None:
        if edits is not None or not kept:
            raise BrokenError(f"The schedule {was.name}: {anew.broken}")
        # New code that the operators' old edits do not fit any more: the code counts.
        return _change(queue, now, was, code, Edits())
    before = was.definition
    moved = before is None or before.spec.timing != anew.definition.spec.timing
    returns = before is not None and before.edits.deleted != anew.definition.edits.deleted
    tick, due = _first(anew.definition, now) if moved or returns else (0, 0)
    changed = False if edits is None else kept or ""
    return _packed(was, new_code if code else False, changed, tick, due)


def _packed(was: Stored, code: bytes | bool, edits: bytes | str | bool, tick: int, due: int) -> bytes:
    texts = [part.decode() if isinstance(part, bytes) else part for part in (code, edits)]
    return _pack([was.name, was.digest, *texts, tick, due])


def _is_runtime(was: Stored) -> bool:
    return was.definition is not None and was.definition.code.origin is Origin.RUNTIME


def _of_app(was: Stored, app: str) -> bool:
    code = was.definition.code if was.definition else None
    return code is not None and code.origin is not Origin.RUNTIME and code.app == app
