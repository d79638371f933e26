"""Circuit breakers and claims: their state is on the server, whoever asks."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from quarterdeck import CircuitBreaker, CircuitOpenError, once
from quarterdeck.flow import ClaimedError
from quarterdeck.keys import breaker as breaker_key
from quarterdeck.keys import once as once_key


@pytest.fixture
def name():
    return uuid.uuid4().hex


async def fail(breaker: CircuitBreaker, error: BaseException) -> None:
    with pytest.raises(type(error)):
        async with breaker:
            raise error


class TestBreaker:
    async def test_it_opens_after_too_many_failures_for_everybody(self, redis_client, name):
        ours = CircuitBreaker(redis_client, name, failures=3, cool_s=60)
        theirs = CircuitBreaker(redis_client, name, failures=3, cool_s=60)
        for _ in range(3):
            await fail(ours, ConnectionError("down"))
        for breaker in (ours, theirs):
            with pytest.raises(CircuitOpenError, match=f"The circuit {name} is open") as caught:
                async with breaker:
                    pytest.fail("no call is made")
            assert 0 < caught.value.retry_s <= 60

    async def test_after_a_while_one_call_may_try_and_its_success_closes_it(self, redis_client, name):
        breaker = CircuitBreaker(redis_client, name, failures=1, cool_s=60)
        await fail(breaker, ConnectionError("down"))
        assert (await breaker.state())[0] == "open"
        await long_ago(redis_client, name, "opened")
        assert (await breaker.state())[0] == "half-open"
        with pytest.raises(CircuitOpenError):
            async with breaker:
                pytest.fail("somebody else's try is under way")
        await breaker.state("ok")
        async with breaker:
            pass
        assert not await redis_client.exists(breaker_key(name))

    async def test_a_failed_try_opens_it_anew(self, redis_client, name):
        breaker = CircuitBreaker(redis_client, name, failures=1, cool_s=60)
        await fail(breaker, ConnectionError("down"))
        await long_ago(redis_client, name, "opened")
        assert (await breaker.state())[0] == "half-open"
        assert (await breaker.state("failed"))[0] == "open"
        assert (await breaker.state())[0] == "open"

    async def test_a_try_that_never_reports_back_is_given_up(self, redis_client, name):
        breaker = CircuitBreaker(redis_client, name, failures=1, cool_s=60)
        await fail(breaker, ConnectionError("down"))
        await long_ago(redis_client, name, "opened")
        assert (await breaker.state())[0] == "half-open"
        assert (await breaker.state())[0] == "open"
        await long_ago(redis_client, name, "probe")
        assert (await breaker.state())[0] == "half-open"

    async def test_success_forgets_failures_and_so_does_time(self, redis_client, name):
        breaker = CircuitBreaker(redis_client, name, failures=2, window_s=60, cool_s=60)
        await fail(breaker, ConnectionError("down"))
        async with breaker:
            pass
        await fail(breaker, ConnectionError("down"))
        assert (await breaker.state())[0] == "closed"
        await redis_client.hset(breaker_key(name), "first", 1)
        await fail(breaker, ConnectionError("down"))
        assert (await breaker.state())[0] == "closed", "the first failure was long ago"

    async def test_only_what_counts_counts(self, redis_client, name):
        breaker = CircuitBreaker(redis_client, name, failures=1, counts=(OSError,))
        await fail(breaker, ValueError("our own fault"))
        await fail(breaker, asyncio.CancelledError())
        assert (await breaker.state())[0] == "closed"

    async def test_its_state_does_not_stay_for_ever(self, redis_client, name):
        await fail(CircuitBreaker(redis_client, name, failures=2, window_s=10, cool_s=10), OSError())
        assert 0 < await redis_client.pttl(breaker_key(name)) <= 20_000


async def long_ago(client, name, what: str) -> None:
    """Let time pass since the breaker opened, or since its one try began."""
    assert int(await client.hget(breaker_key(name), what)) > 0
    await client.hset(breaker_key(name), what, 1)


class TestOnce:
    async def test_the_second_finds_what_the_first_did(self, redis_client, name):
        async with once(redis_client, name) as claim:
            assert claim.first
            claim.result = {"charged": 42}
        async with once(redis_client, name) as claim:
            assert not claim.first
            assert claim.result == {"charged": 42}

    async def test_one_at_a_time(self, redis_client, name):
        async with once(redis_client, name, lease_s=30):
            with pytest.raises(ClaimedError, match="being done by somebody else") as caught:
                async with once(redis_client, name):
                    pytest.fail("not twice")
            assert 0 < caught.value.retry_s <= 30

    async def test_of_many_at_once_one_does_it(self, redis_client, name):
        done = []

        async def attempt() -> str:
            try:
                async with once(redis_client, name) as claim:
                    if claim.first:
                        await asyncio.sleep(0.02)  # so that others come while it is being done
                        done.append(1)
                        return "did it"
                    return "found it"
            except ClaimedError:
                return "waits"

        words = await asyncio.gather(*(attempt() for _ in range(50)))
        assert words.count("did it") == len(done) == 1

    async def test_an_exception_gives_the_claim_back(self, redis_client, name):
        with pytest.raises(OSError, match="down"):
            async with once(redis_client, name):
                raise OSError("down")
        async with once(redis_client, name) as claim:
            assert claim.first

    async def test_a_claimant_that_died_loses_its_claim(self, redis_client, name):
        await redis_client.set(once_key(name), "running somebody", px=20)
        async with asyncio.timeout(60):
            while True:
                try:
                    async with once(redis_client, name) as claim:
                        assert claim.first
                        break
                except ClaimedError:
                    await asyncio.sleep(0.005)

    async def test_one_who_was_too_slow_does_not_overwrite_the_next(self, redis_client, name):
        async with once(redis_client, name, lease_s=60) as slow:
            await redis_client.delete(once_key(name))
            async with once(redis_client, name) as next_one:
                next_one.result = "next"
            slow.result = "slow"
        async with once(redis_client, name) as claim:
            assert claim.result == "next"

    async def test_a_result_that_json_cant_hold_gives_the_claim_back(self, redis_client, name):
        with pytest.raises(TypeError):
            async with once(redis_client, name) as claim:
                claim.result = object()
        assert not await redis_client.exists(once_key(name))

    async def test_the_result_is_kept_for_its_time(self, redis_client, name):
        async with once(redis_client, name, ttl_s=100) as claim:
            claim.result = 1
        assert 0 < await redis_client.ttl(once_key(name)) <= 100
