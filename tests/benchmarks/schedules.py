"""What schedules cost: `python tests/benchmarks/schedules.py [N]`, with N schedules (10,000). Prints medians."""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import ValkeyServer

from quarterdeck.inspect.source import RedisSource
from quarterdeck.model import Screen, View
from quarterdeck.schedule.definition import Definition, Edits
from quarterdeck.schedule.expression import parse
from quarterdeck.schedule.scheduler import QueueScheduler
from quarterdeck.schedule.spec import Overlap, ScheduleSpec
from quarterdeck.schedule.store import ScheduleStore
from quarterdeck.schedule.ticks import ticks_from
from quarterdeck.schedule.zones import zone

MINUTE = 60_000


def expressions(count: int) -> list[str]:
    """What people write: minutes, hours, days, weekdays, months."""
    dice = random.Random(1)
    shapes = ["{m} * * * *", "*/5 * * * *", "{m} {h} * * *", "{m} {h} * * 1-5", "{m} {h} 1,15 * *", "{m} */6 * * {d}"]
    return [
        dice.choice(shapes).format(m=dice.randint(0, 59), h=dice.randint(0, 23), d=dice.randint(0, 6))
        for _ in range(count)
    ]


def next_fires(count: int) -> None:
    """The time of one next fire, over expressions, zones and moments that are all different."""
    zones = [zone(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia")]
    read = [parse(text) for text in expressions(count)]
    moment = datetime(2026, 3, 28, 12, tzinfo=UTC)
    for label in ("cold", "warm"):
        started = time.perf_counter()
        for at, expression in enumerate(read):
            expression.next_after(moment, zones[at % len(zones)])
        print(f"next fire, {label}: {(time.perf_counter() - started) / count * 1e6:.1f} µs")


async def timetable(client: Any, count: int) -> None:
    """Defining, a look with nothing due, a look with everything due, and what the screen reads."""
    now = int(time.time() // 60 * 60) * 1000
    queue = "bench"
    store = ScheduleStore(client, queue, test_now_ms=lambda: now)
    specs = [
        ScheduleSpec(name=f"s{at}", expression=text, function="f", overlap=Overlap.ALLOW, app="bench")
        for at, text in enumerate(expressions(count))
    ]
    started = time.perf_counter()
    await store.define(specs, app="bench")
    print(f"define {count}: {time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    await store.define(specs, app="bench")
    print(f"define them again, nothing new: {time.perf_counter() - started:.2f} s")
    scheduler = QueueScheduler(client, queue, monotonic=lambda: now / 1000, test_now_ms=lambda: now)
    while (await scheduler.look()).again:
        pass
    took, calls = [], 0
    for _ in range(58):
        now += 1000
        started = time.perf_counter()
        again = True
        while again:
            again = (await scheduler.look()).again
            calls += 1
        took.append(time.perf_counter() - started)
    print(f"a second with nothing due: {statistics.median(took) * 1000:.2f} ms, {calls / 58:.2f} looks")
    now += 2 * 24 * 3_600_000
    started, fired, longest = time.perf_counter(), 0, 0.0
    again = True
    while again:
        at = time.perf_counter()
        turn = await scheduler.look()
        longest = max(longest, time.perf_counter() - at)
        fired += len(turn.fired)
        again = turn.again
    print(f"all due at once after two days: {fired} fired in {time.perf_counter() - started:.2f} s")
    print(f"the longest look (the client's part included): {longest * 1000:.0f} ms")
    async with RedisSource(client, [queue], owner=object()) as source:
        for label, view in (
            ("overview", View()),
            ("screen 5, first page", View(screen=Screen.SCHEDULES, limit=40)),
            ("screen 5, last page", View(screen=Screen.SCHEDULES, offset=count - 40, limit=40)),
            ("one schedule", View(screen=Screen.SCHEDULE, subject="s7", limit=40)),
        ):
            took = []
            for _ in range(20):
                at = time.perf_counter()
                await source.snapshot(view)
                took.append(time.perf_counter() - at)
            print(f"snapshot, {label}: {statistics.median(took) * 1000:.1f} ms")


def a_year() -> None:
    """Reading the ticks of an outage of a year of an every-second schedule."""
    spec = ScheduleSpec(name="s", expression="* * * * * *", function="f")
    now = int(time.time()) * 1000
    started = time.perf_counter()
    ticks_from(Definition("q", spec, Edits(), ""), now - 365 * 86_400_000, now)
    print(f"ticks of a year's outage, each second: {(time.perf_counter() - started) * 1000:.0f} ms")


async def main(count: int) -> None:
    """All of it."""
    import redis.asyncio

    next_fires(count)
    a_year()
    server = ValkeyServer().start()
    try:
        client = redis.asyncio.Redis.from_url(server.url)
        await timetable(client, count)
        await client.aclose()
    finally:
        server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
