"""The lean connection, the callers on it, the waiting and the group commit, against real servers and bad ones."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest
from redis import exceptions
from redis.asyncio import Redis

from quarterdeck.broker.caller import Caller
from quarterdeck.broker.endpoint import Endpoint
from quarterdeck.broker.enqueuer import CHUNK, Enqueuer
from quarterdeck.broker.queue import Queue
from quarterdeck.broker.scripts import script
from quarterdeck.broker.waiter import Waiter
from quarterdeck.broker.wire import Wire, WireLostError, is_passing
from quarterdeck.script import Script


@pytest.fixture
async def wire(valkey):
    client = Redis.from_url(valkey.url)
    wire = await Wire.open(Endpoint(client, "key"))
    yield wire
    wire.close()
    await client.aclose()


class Listener:
    """A TCP server that says what it is told to."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.connections = 0

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        self.writers = []
        return self

    async def __aexit__(self, *_):
        for writer in self.writers:
            writer.close()
        self.server.close()
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        while await reader.read(65536):
            if self.answers:
                writer.write(self.answers.pop(0))

    def client(self, **options):
        return Redis(port=self.port, **options)


class TestWire:
    async def test_answers_come_in_order_and_may_be_many_in_flight(self, wire):
        calls = [wire.call("ECHO", str(number)) for number in range(500)]
        assert [await call for call in calls] == [str(number).encode() for number in range(500)]

    async def test_errors_are_redis_pys(self, wire):
        with pytest.raises(exceptions.ResponseError, match="unknown command"):
            await wire.call("NONSENSE")
        with pytest.raises(exceptions.NoScriptError):
            await wire.call("EVALSHA", "0" * 40, 0)
        assert await wire.call("PING") == b"PONG"

    async def test_closing_tells_whoever_waits(self, wire):
        waiting = wire.call("BLPOP", "nothing", 0, patience_s=60)
        wire.close()
        wire.close()
        with pytest.raises(WireLostError):
            await waiting
        with pytest.raises(WireLostError):
            await wire.call("PING")
        assert wire.closed
        assert wire.lost.done()

    async def test_a_connection_that_is_killed(self, wire, redis_client):
        number = await wire.call("CLIENT", "ID")
        waiting = wire.call("BLPOP", "nothing", 0, patience_s=60)
        await redis_client.client_kill_filter(_id=number)
        with pytest.raises(WireLostError):
            await waiting

    async def test_a_server_that_does_not_answer(self):
        async with Listener() as listener:
            client = listener.client(socket_timeout=0.1)
            wire = await Wire.open(Endpoint(client, "key"))
            begun = time.monotonic()
            with pytest.raises(exceptions.TimeoutError):
                await wire.call("PING")
            assert time.monotonic() - begun < 30  # for ever, without the time-out
            await client.aclose()

    async def test_many_that_are_lost_together_leave_nothing_behind(self, wire, caplog):
        calls = wire.all([("BLPOP", f"nothing-{n}", 5) for n in range(5)])
        task = asyncio.ensure_future(calls)
        await asyncio.sleep(0)
        wire.close()
        with pytest.raises(WireLostError):
            await task
        del task, calls
        gc.collect()
        assert "never retrieved" not in caplog.text

    async def test_all_tells_the_first_error(self, wire):
        assert await wire.all([("PING",), ("ECHO", "a")]) == [b"PONG", b"a"]
        with pytest.raises(exceptions.ResponseError, match="unknown command"):
            await wire.all([("PING",), ("NONSENSE",), ("PING",)])

    async def test_a_blocked_loop_is_not_a_silent_server(self, valkey):
        client = Redis.from_url(valkey.url, socket_timeout=0.5)
        wire = await Wire.open(Endpoint(client, "key"))
        call = wire.call("PING")
        time.sleep(1.0)  # the loop stands still for longer than the time-out
        assert await call == b"PONG"
        wire.close()
        await client.aclose()

    async def test_what_is_no_redis(self):
        async with Listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as listener:
            client = listener.client()
            wire = await Wire.open(Endpoint(client, "key"))
            with pytest.raises(exceptions.ConnectionError, match="not a Redis"):
                await wire.call("PING")
            await client.aclose()

    async def test_a_moved_slot_closes_the_connection(self):
        async with Listener(b"-MOVED 3999 127.0.0.1:6381\r\n") as listener:
            client = listener.client()
            wire = await Wire.open(Endpoint(client, "key"))
            with pytest.raises(WireLostError, match="MOVED"):
                await wire.call("GET", "key")
            assert wire.closed
            await client.aclose()

    async def test_nobody_listens(self):
        client = Redis(port=1)
        with pytest.raises(exceptions.ConnectionError):
            await Wire.open(Endpoint(client, "key"))
        await client.aclose()

    async def test_login_name_and_database(self, start_valkey):
        server = start_valkey(requirepass="sesame")
        client = Redis(unix_socket_path=server.socket, password="sesame", db=3, client_name="lean")
        wire = await Wire.open(Endpoint(client, "key"))
        info = await wire.call("CLIENT", "INFO")
        assert b"name=lean" in info
        assert b"db=3" in info
        wire.close()
        wrong = Redis(unix_socket_path=server.socket, password="wrong")
        with pytest.raises(exceptions.AuthenticationError):
            await Wire.open(Endpoint(wrong, "key"))
        await client.aclose(), await wrong.aclose()

    @pytest.mark.parametrize(("text", "passes"), [("LOADING x", True), ("OOM x", True), ("WRONGTYPE x", False)])
    def test_passing_errors(self, text, passes):
        assert is_passing(exceptions.ResponseError(text)) is passes


class TestCaller:
    async def test_it_connects_again(self, valkey, redis_client):
        client = Redis.from_url(valkey.url)
        caller = Caller(client, "key")
        number = await caller.call("CLIENT", "ID")
        await redis_client.client_kill_filter(_id=number)
        assert await caller.call("CLIENT", "ID") != number
        caller.close()
        caller.close()
        assert await caller.call("PING") == b"PONG"
        caller.close()
        await client.aclose()

    async def test_it_gives_up_after_some_tries(self):
        client = Redis(port=1)
        caller = Caller(client, "key")
        with pytest.raises(exceptions.ConnectionError):
            await caller.call("PING")
        await client.aclose()

    async def test_forgotten_scripts(self, start_valkey):
        server = start_valkey()
        client = Redis.from_url(server.url)
        caller = Caller(client, "key")
        answer = Script("answer", "return 42")
        for _ in range(3):
            assert await caller.run(answer, [], []) == 42
            await client.script_flush()
        caller.close()
        await client.aclose()

    def test_a_queue_serves_one_event_loop_after_the_other(self, valkey, queue_name):
        async def use(queue):
            await queue.enqueue("f")
            number = await queue.count("queued")
            await queue.redis.aclose()
            queue.caller.close()
            return number

        queue = Queue.from_url(valkey.url, name=queue_name)
        assert asyncio.run(use(queue)) == 1
        assert asyncio.run(use(queue)) == 2


class TestGroupCommit:
    async def test_those_that_meet_a_call_in_flight_travel_together(self, valkey, queue_name):
        queue = Queue.from_url(valkey.url, name=queue_name)
        await queue.enqueue("f")
        before = queue.caller.wire.round_trips
        jobs = await asyncio.gather(*(queue.enqueue("f") for _ in range(200)))
        assert all(jobs)
        assert queue.caller.wire.round_trips - before == 2
        await queue.enqueue_many(["f"] * (2 * CHUNK))
        assert queue.caller.wire.round_trips - before == 4
        await queue.disconnect()

    async def test_a_refused_one_among_them(self, valkey, queue_name):
        queue = Queue.from_url(valkey.url, name=queue_name)
        jobs = await asyncio.gather(*(queue.enqueue("f", key=key) for key in "abcbd"))
        assert [job is not None for job in jobs] == [True, True, True, False, True]
        await queue.disconnect()

    async def test_a_lost_answer_enqueues_nothing_twice(self, valkey, queue_name, redis_client):
        queue = Queue.from_url(valkey.url, name=queue_name)
        made = 0
        for _ in range(20):
            await queue.enqueue("f")
            number = await queue.caller.call("CLIENT", "ID")
            many = asyncio.gather(*(queue.enqueue("f") for _ in range(50)))
            killing = redis_client.client_kill_filter(_id=number)
            jobs, _ = await asyncio.gather(many, killing)
            assert all(jobs)
            made += 51
        assert await queue.count("queued") == made
        await queue.disconnect()

    async def test_a_server_that_is_away_is_told_to_all(self):
        client = Redis(port=1)
        enqueuer = Enqueuer(Caller(client, "key"), "q")
        answers = await asyncio.gather(*(enqueuer.add((key, b"{}", "0")) for key in "abc"), return_exceptions=True)
        assert [type(answer) for answer in answers] == [exceptions.ConnectionError] * 3
        await client.aclose()


class TestWaiter:
    async def test_it_hears_and_unsubscribes(self, valkey, redis_client):
        client = Redis.from_url(valkey.url)
        waiter = Waiter(Endpoint(client, "key"))
        async with waiter.watch(["a", "b"]) as watch:
            await redis_client.publish("a", "complete")
            assert await watch.wait(60) == [("a", "complete")]
            async with waiter.watch(["b"]) as other:
                await redis_client.publish("b", "failed")
                assert await watch.wait(60) == [("b", "failed")]
                assert await other.wait(60) == [("b", "failed")]
            assert await watch.wait(0.01) == []
        async with asyncio.timeout(60):
            while (await redis_client.pubsub_numsub("a", "b")) != [(b"a", 0), (b"b", 0)]:
                await asyncio.sleep(0.01)
        waiter.close()
        await client.aclose()

    async def test_it_comes_back_after_a_lost_connection(self, valkey, redis_client, queue_name):
        channel = f"c-{queue_name}"
        client = Redis.from_url(valkey.url)
        waiter = Waiter(Endpoint(client, "key"))
        async with waiter.watch([channel]) as watch:
            await redis_client.client_kill_filter(_type="pubsub")
            async with asyncio.timeout(60):
                while not (await redis_client.publish(channel, "complete")):
                    await asyncio.sleep(0.02)
                events = []
                while not events:
                    events = await watch.wait(0.5)
        assert events == [(channel, "complete")]
        waiter.close()
        await client.aclose()

    async def test_a_lost_message_is_made_up_for(self, valkey, queue_name):
        """The job ends while nobody could hear: the poll finds it."""
        queue = Queue.from_url(valkey.url, name=queue_name)
        job = await queue.enqueue("f")
        waiting = asyncio.create_task(job.refresh(until_complete=60))
        async with asyncio.timeout(60):
            while not dict(await queue.redis.pubsub_numsub(job.id))[job.id.encode()]:
                await asyncio.sleep(0.01)
        stored = await queue.job(job.key)
        stored.status = "complete"
        stored.completed = 5
        raw = queue.serialize(stored)
        await queue.redis.set(job.id, raw)
        await asyncio.wait_for(waiting, 60)
        assert job.completed == 5
        await queue.disconnect()


def test_every_script_names_itself():
    assert repr(script("turn")) == "Script(quarterdeck.broker.turn)"
