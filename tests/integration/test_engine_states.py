"""A state machine drives the engine's scripts on a real server against a model: nothing is lost, nothing is twice.

Workers crash, are frozen, lose answers (of takes, of finishes, of clients' calls), pause, hand back and rescue; clients
enqueue under keys that are in use, delay, abort and retry; stock workers die with jobs that nobody owns.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from saq.job import Job, Status

from quarterdeck.broker import ending
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import all_scripts, script
from quarterdeck.broker.wire import Wire
from quarterdeck.record import signature_of_text
from quarterdeck.worker.rescuer import Rescuer

BUDGET = 3
NUMBERS = itertools.count()
WORKERS = st.sampled_from(["w1", "w2", "w3"])


class Held:
    """A job in a worker's hands."""

    def __init__(self, job: Job, holder: str, *, marked: bool, raw: bytes) -> None:
        self.job, self.holder, self.marked, self.raw = job, holder, marked, raw


class Engine(RuleBasedStateMachine):
    """Three workers that take, finish, fail, crash, freeze, lose answers and rescue each other's jobs."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.queue = Queue.from_url(self.url, name=f"sm{next(NUMBERS)}-{random.getrandbits(40):x}")
        self.names = self.queue.keys
        self.wire = self.runner.run(self.opened())
        self.tokens = {"w1": 0, "w2": 0, "w3": 0}
        self.alive = set(self.tokens)
        self.held: dict[str, dict[str, Held]] = {worker: {} for worker in self.tokens}
        self.ghosts: list[tuple[str, Held]] = []
        self.where: dict[str, str] = {}  # key -> waiting, delayed, held, ended word
        self.crashes: dict[str, int] = {}
        self.attempts: dict[str, int] = {}
        self.aborting: set[str] = set()
        self.paused = False
        for worker in self.tokens:
            self.beat(worker)

    async def opened(self) -> Wire:
        endpoint = self.queue.caller.endpoint
        return await Wire.open(endpoint, scripts=all_scripts())

    def call(self, *command: object) -> object:
        async def run() -> object:
            return await self.wire.call(*command)

        return self.runner.run(run())

    def beat(self, worker: str) -> None:
        self.call("ZADD", self.names.lease, 9e15, worker)

    def turn(self, worker: str, want: int, items: list[ending.Settlement]) -> list:
        self.tokens[worker] += 1
        return self.call(
            *(
                "EVALSHA",
                script("turn_each").sha,
                1,
                self.names.queued,
                worker,
                f'"{worker}"',
                self.tokens[worker],
                want,
            ),
            *(10_000, self.queue.name, "1", 1, self.queue.name, *ending.arguments(items)),
        )

    def teardown(self) -> None:
        """At the end everything that is left can be driven to its end."""
        try:
            for worker in self.tokens:
                self.call("ZADD", self.names.lease, 1, worker)
            self.alive = {"w4"}
            self.call("ZADD", self.names.lease, 9e15, "w4")
            self.tokens["w4"] = 0
            self.held["w4"] = {}
            self.pause(paused=False)
            self.make_all_due()
            for _ in range(len(self.where) * 2 + 4):
                self.rescue_by("w4")
                if not self.take_by("w4", 10, lose=False):
                    break
                for held in list(self.held["w4"].values()):
                    self.end("w4", held, "complete", lose=False)
            assert self.call("ZCARD", self.names.incomplete) == 0
            assert self.call("HLEN", self.names.owner) == 0
            assert self.call("LLEN", self.names.active) == 0
        finally:
            self.wire.close()
            self.runner.run(self.queue.disconnect())
            self.runner.close()

    def make_all_due(self) -> None:
        for key, where in list(self.where.items()):
            if where == "delayed":
                self.call("ZADD", self.names.incomplete, 1, self.names.job(key))
                self.where[key] = "waiting"
        self.call("EVALSHA", script("promote").sha, 1, self.names.queued, self.queue.name, 1000, 0)

    # -- what happens --

    @rule(number=st.integers(0, 12), delayed=st.booleans(), stock=st.booleans(), retries=st.integers(1, 3))
    def enqueue(self, number: int, delayed: bool, stock: bool, retries: int) -> None:
        key = f"k{number}"
        job = Job("step", key=key, retries=retries, kwargs={"n": [], "big": 2**60})
        job.queue, job.queued, job.status = self.queue, 1795313463774, Status.QUEUED
        fields = {**job.to_dict(), "status": "queued"}
        payload = json.dumps(fields).encode() if stock else self.queue.serialize(job)
        due = "99999999999" if delayed else "0"
        refused = self.call(
            "EVALSHA", script("enqueue").sha, 1, self.names.queued, self.queue.name, 0, key, payload, due
        )
        busy = self.where.get(key) in {"waiting", "delayed", "held"}
        assert bool(refused) is busy
        if not busy:
            self.where[key] = "delayed" if delayed else "waiting"
            self.attempts[key] = 0
            self.crashes.pop(key, None)

    @rule(worker=WORKERS, want=st.integers(1, 4), lose=st.booleans())
    def take(self, worker: str, want: int, lose: bool) -> None:
        if worker in self.alive:
            self.take_by(worker, want, lose=lose)

    def take_by(self, worker: str, want: int, *, lose: bool) -> int:
        waiting = sum(where == "waiting" for where in self.where.values())
        answer = self.turn(worker, want, [])
        if lose:  # the answer never came
            token = self.tokens[worker]
            undone = self.call(
                *("EVALSHA", script("void").sha, 1, self.names.queued, worker, token, token, 1, self.queue.name)
            )
            assert undone == []
            return 0
        word, _, refused, errors, [[of_queue, marked, unmarked, alone]] = answer
        assert (word, refused, errors) == (b"ok", [], [])
        got = 0
        if self.paused:
            assert (of_queue, marked, unmarked, alone) == (b"paused", [], [], [])
            return 0
        for flat, is_marked in ((marked, True), (unmarked, False), (alone, False)):
            for at in range(0, len(flat), 2):
                got += 1
                self.got(worker, flat[at].decode(), flat[at + 1], marked=is_marked, alone=flat is alone)
        assert got == min(want, waiting) or alone
        assert got or not waiting
        return got

    def got(self, worker: str, job_id: str, raw: bytes, *, marked: bool, alone: bool) -> None:
        job = self.queue.deserialize(raw)
        key = job.key
        assert self.names.job(key) == job_id
        assert self.where[key] == "waiting"
        if key in self.aborting:
            self.end_as_aborted(worker, job, raw, marked=marked)
            return
        assert job.kwargs == {"n": [], "big": 2**60}
        assert alone is (self.crashes.get(key, 0) >= 2)
        assert job.attempts == self.attempts[key] + (1 if marked else 0)
        holder = f"{worker}/{self.tokens[worker]}/"
        held = Held(job, holder, marked=marked, raw=raw)
        self.held[worker][key] = held
        self.where[key] = "held"
        if not marked:
            job.status, job.attempts, job.started, job.worker_id = Status.ACTIVE, job.attempts + 1, 5, worker
            active = self.queue.serialize(job)
            answer = self.call(
                *("EVALSHA", script("mark").sha, 1, self.names.queued, self.queue.name, job_id, holder, raw, active)
            )
            assert answer == [1]
            held.marked = True

    def settlement(self, held: Held, how: str) -> ending.Settlement:
        job = held.job
        where = {"number": 1, "holder": held.holder}
        if how == "complete":
            job.status, job.completed = Status.COMPLETE, 7 + next(NUMBERS)
            return ending.complete(job, self.queue.serialize(job), us=5, worker="w", **where)
        if how in {"fail", "abort"}:
            job.status, job.completed, job.error = Status.FAILED, 7, "ValueError: x"
            if how == "abort":
                job.status = Status.ABORTED
            signature = signature_of_text(job.error, job.function)
            return ending.failed(job, self.queue.serialize(job), signature, us=5, worker="w", **where)
        job.status, job.started, job.worker_id = Status.QUEUED, 0, None
        if how == "back":
            job.attempts -= 1
            return ending.back(job.id, self.queue.serialize(job), **where)
        due = 99999999999.0 if how == "later" else 0.0
        return ending.retried(
            job, self.queue.serialize(job), due=due, us=5, worker="w", at_ms=7, started=5, signature="", **where
        )

    def end_as_aborted(self, worker: str, job: Job, raw: bytes, *, marked: bool) -> None:
        """A job that was given back while it was being aborted: whoever takes it ends it."""
        assert (job.status, marked) == (Status.ABORTING, False)
        held = Held(job, f"{worker}/{self.tokens[worker]}/", marked=False, raw=raw)
        assert self.turn(worker, 0, [self.settlement(held, "abort")])[2] == []
        self.aborting.discard(job.key)
        self.crashes.pop(job.key, None)
        self.where[job.key] = "aborted"

    def end(self, worker: str, held: Held, how: str, *, lose: bool) -> None:
        key = held.job.key
        item = self.settlement(held, how)
        answer = self.turn(worker, 0, [item])
        if lose:  # the answer never came: what was carried out is found out, and nothing is done twice
            assert self.void(worker, item) == []
        assert (answer[0], answer[2], answer[3]) == (b"ok", [], [])
        del self.held[worker][key]
        self.where[key] = {"complete": "complete", "fail": "failed", "later": "delayed"}.get(how, "waiting")
        if how in {"complete", "fail"}:
            self.crashes.pop(key, None)
            self.aborting.discard(key)  # the end came first
            self.call("DEL", self.names.abort(key))
        elif key in self.aborting:
            self.where[key] = "waiting"  # the abort came first: the payload says so
        elif how != "back":
            self.attempts[key] += 1
        # Sent again, because the answer was lost: refused, and nothing changes.
        assert self.turn(worker, 0, [item])[2] == [1]

    def void(self, worker: str, *items: ending.Settlement) -> list[int]:
        token = self.tokens[worker]
        named = [part for item in items for part in (item[0], item[2], item[3])]
        call = ("EVALSHA", script("void").sha, 1, self.names.queued, worker, token, token, 1, self.queue.name)
        return self.call(*call, *named)

    @rule(worker=WORKERS, how=st.sampled_from(["complete", "fail", "again", "back"]), pick=st.randoms())
    def finish_that_never_arrives(self, worker: str, how: str, pick: random.Random) -> None:
        """The connection was lost before the call was carried out: it is made void, then sent anew."""
        if worker not in self.alive or not self.held[worker]:
            return
        held = self.held[worker][pick.choice(sorted(self.held[worker]))]
        copied = Held(self.queue.copy(held.job), held.holder, marked=True, raw=held.raw)
        item = self.settlement(copied, how)
        self.tokens[worker] += 1
        assert self.void(worker, item) == [1]
        late = self.call(
            *("EVALSHA", script("turn_each").sha, 1, self.names.queued, worker, f'"{worker}"', self.tokens[worker], 5),
            *(10_000, self.queue.name, "1", 1, self.queue.name, *ending.arguments([item])),
        )
        assert late[0] == b"fenced", "it arrived after all, and did something"
        self.end(worker, held, how, lose=False)

    @rule(
        worker=WORKERS,
        how=st.sampled_from(["complete", "fail", "again", "later", "back"]),
        pick=st.randoms(),
        lose=st.booleans(),
    )
    def finish(self, worker: str, how: str, pick: random.Random, lose: bool) -> None:
        if worker in self.alive and self.held[worker]:
            held = self.held[worker][pick.choice(sorted(self.held[worker]))]
            self.end(worker, held, how, lose=lose)

    @rule(worker=WORKERS)
    def stop(self, worker: str) -> None:
        """SIGTERM: all that it holds goes back in one call, without an attempt counted."""
        held = list(self.held[worker].values())
        if worker not in self.alive or not held:
            return
        items = [self.settlement(each, "back") for each in held]
        word, _, refused, errors, _ = self.turn(worker, 0, items)
        assert (word, refused, errors) == (b"ok", [], [])
        for each in held:
            self.where[each.job.key] = "waiting"
        self.held[worker].clear()

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        self.paused = paused
        self.call("SET", self.names.paused, "{}") if paused else self.call("DEL", self.names.paused)

    @rule(worker=WORKERS)
    def crash(self, worker: str) -> None:
        """Its lease ends; what it held is lost, and comes back later as a ghost."""
        if worker in self.alive and len(self.alive) > 1:
            self.alive.discard(worker)
            self.call("ZADD", self.names.lease, 1, worker)
            self.ghosts += [(worker, held) for held in self.held[worker].values()]

    @rule(worker=WORKERS)
    def rescue(self, worker: str) -> None:
        if worker in self.alive:
            self.rescue_by(worker)

    def rescue_by(self, worker: str) -> None:
        rescuer = Rescuer([self.queue], worker, lambda _n, _p: None, crash_budget=BUDGET, no_rerun=())

        async def run() -> None:
            await rescuer.rescue(self.wire)

        self.runner.run(run())
        for dead in set(self.tokens) - self.alive:
            for key in list(self.held[dead]):
                if key in self.aborting:
                    self.aborting.discard(key)
                    self.crashes.pop(key, None)
                    self.where[key] = "aborted"
                    del self.held[dead][key]
                    continue
                crashes = self.crashes[key] = self.crashes.get(key, 0) + 1
                self.where[key] = "failed" if crashes >= BUDGET else "waiting"
                if crashes >= BUDGET:
                    del self.crashes[key]
                del self.held[dead][key]

    @rule(worker=WORKERS)
    def revive(self, worker: str) -> None:
        """A worker comes back (a frozen one, or a new one of the same name): only after a rescue is it empty-handed."""
        if worker not in self.alive and not self.held[worker]:
            self.alive.add(worker)
            self.beat(worker)

    @precondition(lambda self: self.ghosts)
    @rule(data=st.data(), how=st.sampled_from(["complete", "fail", "again", "back"]))
    def late(self, data: st.DataObject, how: str) -> None:
        """The result of a worker that was frozen arrives after its jobs were given to others."""
        worker, held = self.ghosts.pop(data.draw(st.integers(0, len(self.ghosts) - 1)))
        key = held.job.key
        if key in self.held[worker] and self.held[worker][key] is held:
            return  # not rescued yet: it would still be its
        copied = Held(self.queue.copy(held.job), held.holder, marked=True, raw=held.raw)
        answer = self.turn(worker, 0, [self.settlement(copied, how)])
        assert answer[2] == [1]

    @rule(number=st.integers(0, 12), twice=st.booleans())
    def abort(self, number: int, twice: bool) -> None:
        """Wherever it is; sent twice when the first answer was lost."""
        key = f"k{number}"
        where = self.where.get(key)
        if where not in {"waiting", "delayed", "held"} or key in self.aborting:
            return

        async def run() -> None:
            for _ in range(1 + twice):
                job = self.queue.deserialize(await self.queue.caller.call("GET", self.names.job(key)))
                await self.queue.abort(job, "not wanted")

        self.runner.run(run())
        if where == "held":
            self.aborting.add(key)
        else:
            self.where[key] = "aborted"
            self.crashes.pop(key, None)

    @rule(number=st.integers(0, 12), twice=st.booleans())
    def retry_by_a_client(self, number: int, twice: bool) -> None:
        """A failed or aborted job is put back once; one that a worker holds stays its worker's."""
        key = f"k{number}"
        if self.where.get(key) not in {"failed", "aborted", "held"} or key in self.aborting:
            return

        async def run() -> None:
            job = await self.queue.job(key)
            for _ in range(1 + twice):
                await self.queue.retry(job, "again")

        self.runner.run(run())
        if self.where[key] != "held":
            job = self.queue.deserialize(self.call("GET", self.names.job(key)))
            self.where[key] = "waiting"
            self.attempts[key] = job.attempts

    @rule(number=st.integers(0, 12), rescuers=st.integers(1, 3))
    def a_stock_worker_dies(self, number: int, rescuers: int) -> None:
        """Its job is active and nobody's; several of ours find it at the same moment."""
        key = f"k{number}"
        if self.where.get(key) != "waiting" or key in self.aborting or set(self.tokens) - self.alive:
            return
        job = self.queue.deserialize(self.call("GET", self.names.job(key)))
        job.status, job.attempts, job.started, job.worker_id = Status.ACTIVE, job.attempts + 1, 5, "stock"
        self.call("SET", job.id, self.queue.serialize(job))
        self.call("LREM", self.names.queued, 0, job.id)
        self.call("RPUSH", self.names.active, job.id)
        self.call("HSET", self.names.ownerless, job.id, 5)

        async def run() -> None:
            each = [
                Rescuer([self.queue], f"w{n + 1}", lambda *_: None, crash_budget=BUDGET, no_rerun=())
                for n in range(rescuers)
            ]
            await asyncio.gather(*(rescuer.rescue(self.wire) for rescuer in each))

        self.runner.run(run())
        crashes = self.crashes[key] = self.crashes.get(key, 0) + 1
        if crashes >= BUDGET:
            del self.crashes[key]
            self.where[key] = "failed"

    @rule()
    def all_due(self) -> None:
        self.make_all_due()

    # -- what must hold --

    @invariant()
    def everything_is_in_its_place(self) -> None:
        queued = self.keys_in("LRANGE", self.names.queued, 0, -1)
        active = self.keys_in("LRANGE", self.names.active, 0, -1)
        owned = self.keys_in("HKEYS", self.names.owner)
        incomplete = self.keys_in("ZRANGE", self.names.incomplete, 0, -1)
        assert len(set(queued)) == len(queued)
        assert len(set(active)) == len(active)
        assert sorted(queued) == self.keys_where("waiting")
        assert sorted(active) == sorted(owned) == self.keys_where("held")
        assert sorted(incomplete) == sorted([*queued, *active, *self.keys_where("delayed")])
        failed = self.keys_in("ZRANGE", self.names.failed, 0, -1, cut=0)
        assert {key for key, where in self.where.items() if where in {"failed", "aborted"}} <= set(failed)

    def keys_in(self, *command: object, cut: int | None = None) -> list[str]:
        cut = len(self.names.job("")) if cut is None else cut
        return [each.decode()[cut:] for each in self.call(*command)]

    def keys_where(self, where: str) -> list[str]:
        return sorted(key for key, is_ in self.where.items() if is_ == where)


@pytest.mark.slow
def test_the_engine_keeps_to_its_model(valkey):
    machine = type("EngineOnServer", (Engine,), {"url": valkey.url})
    chosen = settings(
        max_examples=25, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(machine, settings=chosen)
