"""When a suspect starts, how long a worker waits for it, and how often it passes the same one on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from quarterdeck.worker import suspects
from quarterdeck.worker.suspects import PASSED_ON_S, PASSES, PATIENCE_S, Suspects


class Timers:
    """An event loop's timers, to be rung by hand."""

    def __init__(self) -> None:
        self.set: list[tuple[float, Any, tuple[Any, ...]]] = []

    def call_later(self, in_s: float, call: Any, *args: Any) -> None:
        self.set.append((in_s, call, args))

    def ring(self) -> None:
        for _, call, args in [self.set.pop() for _ in list(self.set)]:
            call(*args)


class Bench:
    """Suspects in a worker of which one says what runs."""

    def __init__(self) -> None:
        self.kicks = 0
        self.stopping = False
        worker: Any = SimpleNamespace(
            burst=False,
            event=SimpleNamespace(is_set=lambda: self.stopping),
            runner=SimpleNamespace(running={}),
            intake=SimpleNamespace(marking={}),
            turns=SimpleNamespace(kick=self.kick),
        )
        self.worker = worker
        self.started: list[str] = []
        self.passed: list[tuple[str, float]] = []
        self.suspects = Suspects(
            worker,
            lambda attempt: self.started.append(attempt.id),
            lambda attempt, in_s: self.passed.append((attempt.id, in_s)),
        )
        self.timers = Timers()
        self.suspects._loop = self.timers  # type: ignore[assignment]

    def kick(self) -> None:
        self.kicks += 1

    def add(self, name: str = "a") -> None:
        self.suspects.add(SimpleNamespace(id=name, alone=False))  # type: ignore[arg-type]

    def runs(self, *names: str) -> None:
        self.worker.runner.running = dict.fromkeys(names)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_one_starts_when_nothing_else_runs_and_then_the_next(bench: Bench) -> None:
    assert not bench.suspects
    bench.runs("other")
    for name in "ab":
        bench.add(name)
    bench.suspects.next()
    assert bench.suspects
    assert bench.started == []
    bench.runs()
    bench.suspects.next()
    bench.suspects.next()
    assert bench.started == ["a"]
    bench.runs("a")
    bench.suspects.ended()
    bench.suspects.next()
    assert bench.started == ["a"]
    bench.runs()
    bench.suspects.ended()
    bench.suspects.next()
    assert bench.started == ["a", "b"]


async def test_what_is_being_marked_is_waited_for_too(bench: Bench) -> None:
    bench.worker.intake.marking = {"other": None}
    bench.add()
    bench.suspects.next()
    assert bench.started == []


async def test_one_that_will_not_run_makes_room(bench: Bench) -> None:
    bench.add()
    bench.suspects.next()
    attempt: Any = bench.suspects.running
    bench.suspects.dropped(attempt)
    assert not bench.suspects


async def test_after_a_while_it_is_passed_on_and_slots_are_filled_again(bench: Bench) -> None:
    bench.runs("other")
    bench.add()
    assert [in_s for in_s, _, _ in bench.timers.set] == [PATIENCE_S]
    bench.timers.ring()
    assert bench.passed == [("a", PASSED_ON_S)]
    assert bench.kicks == 1
    assert not bench.suspects


async def test_after_some_passes_it_is_waited_for(bench: Bench) -> None:
    bench.runs("other")
    for _ in range(PASSES + 2):
        bench.add()
        bench.timers.ring()
    assert len(bench.passed) == PASSES
    assert bench.suspects
    bench.runs()
    bench.suspects.next()
    assert bench.started == ["a"]


@pytest.mark.parametrize("how", ["started", "stopping", "gone"])
async def test_a_timer_that_rings_too_late_does_nothing(bench: Bench, how: str) -> None:
    bench.runs("other" if how == "stopping" else "")
    bench.worker.runner.running.pop("", None)
    bench.add()
    if how == "started":
        bench.suspects.next()
    elif how == "gone":
        bench.suspects.waiting.clear()
    bench.stopping = how == "stopping"
    bench.timers.ring()
    assert (bench.passed, bench.kicks) == ([], 0)


async def test_in_a_burst_nobody_comes_after(bench: Bench) -> None:
    bench.worker.burst = True
    bench.add()
    assert bench.timers.set == []


async def test_what_is_remembered_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "_REMEMBERED", 3)
    bench.runs("other")
    for number in range(10):
        bench.add(f"s{number}")
        bench.timers.ring()
    assert len(bench.suspects._passed) <= 3
