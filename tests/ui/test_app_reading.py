"""The loop that reads: slow reads arrive, failures back off, wakes are never lost."""

from __future__ import annotations

import asyncio
from typing import Self

import pytest
from boards import FakeSource, busy
from conftest import Aboard, keys
from textual.message import Message

from quarterdeck.errors import UnreachableError
from quarterdeck.model import Screen, Snapshot, View
from tui.messages import ReadFailed, SnapshotReady
from tui.reading import BACK_OFF_S, ReadingLoop


class Post:
    """A place where messages arrive and can be waited for."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Message] = asyncio.Queue()

    def __call__(self, message: Message) -> None:
        self.messages.put_nowait(message)

    async def next(self) -> Message:
        async with asyncio.timeout(60):
            return await self.messages.get()


class Loop:
    """A loop under test, over a source that can be slow."""

    def __init__(self, interval_s: float = 60.0) -> None:
        self.source = FakeSource()
        self.post = Post()
        self.opened = 0
        self.open_error: UnreachableError | None = None
        self.view = View()
        self.loop = ReadingLoop(self._open, lambda: self.view, self.post, lambda: interval_s)

    async def _open(self) -> FakeSource:
        self.opened += 1
        if self.open_error is not None:
            raise self.open_error
        return self.source

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.loop.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_a_snapshot_that_says_the_same_paints_nothing(aboard: Aboard, monkeypatch: pytest.MonkeyPatch) -> None:
    async with aboard() as (bridge, pilot):
        painted: list[object] = []
        monkeypatch.setattr(type(bridge.deck), "_display", lambda _, __, renderable: painted.append(renderable))
        for number in ("1", "4", "3"):
            await keys(bridge, pilot, number)
            painted.append("all that the key has brought about")
            while painted:
                painted.clear()
                await pilot.pause(0.1)
            bridge.deck.post_message(SnapshotReady(bridge.deck.snapshot))
            await pilot.pause(0.1)
            assert [it for it in painted if it is not None] == []


async def test_a_read_is_posted_with_what_the_view_asked_for() -> None:
    async with Loop() as it:
        message = await it.post.next()
        assert isinstance(message, SnapshotReady)
        assert message.snapshot.view == View()


async def test_it_rests_between_reads_and_a_wake_ends_the_rest() -> None:
    async with Loop() as it:
        await it.post.next()
        assert it.post.messages.empty()
        it.view = View(screen=Screen.JOBS)
        it.loop.wake()
        message = await it.post.next()
        assert isinstance(message, SnapshotReady)
        assert message.snapshot.view.screen is Screen.JOBS


async def test_a_wake_during_a_read_is_served_by_one_more_read() -> None:
    gate, begun = asyncio.Event(), asyncio.Event()

    class Slow(FakeSource):
        async def snapshot(self, view: View) -> Snapshot:
            begun.set()
            await gate.wait()
            return await super().snapshot(view)

    it = Loop()
    it.source = Slow()
    async with it:
        await begun.wait()
        it.loop.wake()
        it.loop.wake()
        gate.set()
        await it.post.next()
        await it.post.next()
        assert len(it.source.asked) == 2
        assert it.post.messages.empty()


async def test_reads_slower_than_the_interval_still_arrive() -> None:
    class Slow(FakeSource):
        async def snapshot(self, view: View) -> Snapshot:
            await asyncio.sleep(0.02)  # twenty times as long as the interval
            return await super().snapshot(view)

    it = Loop(interval_s=0.001)
    it.source = Slow()
    async with it:
        for _ in range(3):
            assert isinstance(await it.post.next(), SnapshotReady)


async def test_a_failure_is_told_and_tried_again_and_the_pauses_grow() -> None:
    async with Loop() as it:
        await it.post.next()
        it.source.error = UnreachableError("gone")
        it.loop.wake()
        first, second = await it.post.next(), await it.post.next()
        assert isinstance(first, ReadFailed)
        assert isinstance(second, ReadFailed)
        assert (first.retry_s, second.retry_s) == BACK_OFF_S[:2]
        it.source.error = None
        assert isinstance(await it.post.next(), SnapshotReady)


async def test_connecting_is_tried_again_until_it_works() -> None:
    it = Loop()
    it.open_error = UnreachableError("nothing listens")
    async with it:
        assert isinstance(await it.post.next(), ReadFailed)
        it.open_error = None
        assert isinstance(await it.post.next(), SnapshotReady)
    assert it.opened == 2


async def test_a_read_that_hangs_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.reading.READ_LIMIT_S", 0.01)

    class Hung(FakeSource):
        async def snapshot(self, view: View) -> Snapshot:
            await asyncio.Event().wait()
            raise AssertionError

    it = Loop()
    it.source = Hung()
    async with it:
        message = await it.post.next()
        assert isinstance(message, ReadFailed)
        assert "not answered" in str(message.error)


async def test_while_holding_only_wakes_read() -> None:
    it = Loop(interval_s=0.001)
    it.loop.holding = True
    async with it:
        await it.post.next()
        await asyncio.sleep(0.02)  # long enough for one that does not hold
        assert it.post.messages.empty()
        it.loop.wake()
        await it.post.next()


async def test_a_read_beside_the_loop_waits_for_the_one_in_flight() -> None:
    async with Loop() as it:
        await it.post.next()
        snapshot = await it.loop.read(View(screen=Screen.AUDIT))
        assert snapshot == busy(View(screen=Screen.AUDIT))
        assert it.opened == 1


async def test_ending_closes_the_source_and_closing_twice_is_legal() -> None:
    async with Loop() as it:
        await it.post.next()
    assert it.source.closed
    await it.loop.close()


@pytest.mark.parametrize("seen", [True, False])
async def test_what_the_lookout_saw_is_posted_before_anything_is_opened(seen: bool) -> None:
    it, opened = Loop(), []
    early = Snapshot(taken_ms=1, rtt_ms=0.1, view=View())

    async def first_look() -> Snapshot | None:
        opened.append(it.opened)
        return early if seen else None

    it.loop = ReadingLoop(it._open, lambda: it.view, it.post, lambda: 60.0, first_look)
    async with it:
        message = await it.post.next()
        assert isinstance(message, SnapshotReady)
        assert (message.snapshot is early) is seen
        if seen:  # and it is asked at once what holds now
            again = await it.post.next()
            assert isinstance(again, SnapshotReady)
            assert again.snapshot is not early
        assert it.post.messages.empty()
    assert opened == [0]


async def test_a_first_look_that_fails_is_told_and_the_loop_asks_by_itself() -> None:
    it = Loop()

    async def first_look() -> Snapshot | None:
        raise UnreachableError("nobody there")

    it.loop = ReadingLoop(it._open, lambda: it.view, it.post, lambda: 60.0, first_look)
    async with it:
        failed = await it.post.next()
        assert isinstance(failed, ReadFailed)
        assert failed.error.message == "nobody there"
        assert isinstance(await it.post.next(), SnapshotReady)


async def test_the_first_look_may_be_posted_before_the_loop_is_run_and_is_posted_once() -> None:
    it = Loop()

    async def first_look() -> Snapshot | None:
        return Snapshot(taken_ms=1, rtt_ms=0.1, view=View())

    it.loop = ReadingLoop(it._open, lambda: it.view, it.post, lambda: 60.0, first_look)
    await it.loop.look()
    assert it.opened == 0
    async with it:
        messages = [await it.post.next() for _ in range(2)]
        assert [message.snapshot.taken_ms == 1 for message in messages if isinstance(message, SnapshotReady)] == [
            True,
            False,
        ]
        assert it.post.messages.empty()
