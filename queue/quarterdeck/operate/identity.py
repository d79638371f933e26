"""Who acts, and from where: what the audit names."""

from __future__ import annotations

import getpass
import os
import secrets
import socket

import msgspec


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """An operator. `id` is new at each start of a dashboard or command."""

    who: str
    origin: str
    """user@host, with the address an SSH session came from."""
    id: str


def identify(who: str | None = None) -> Identity:
    """Who runs this process: `who`, else QUARTERDECK_USER, else the login name."""
    try:
        login = getpass.getuser()
    except (KeyError, OSError):
        login = f"uid {os.getuid()}"
    host = socket.gethostname()
    client = os.environ.get("SSH_CONNECTION", "").split(" ")[0]
    origin = f"{login}@{host}" + (f" via {client}" if client else "")
    return Identity(
        who=who or os.environ.get("QUARTERDECK_USER") or login,
        origin=origin,
        id=f"{host}:{os.getpid()}:{secrets.token_hex(3)}",
    )
