"""TCP ports for servers that tests start: nobody's yet, and nobody's by accident before the server has it."""

from __future__ import annotations

import contextlib
import os
import random
import socket

_SHARE = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
_FIRST, _LAST = 10_000 + 3_000 * _SHARE, 12_999 + 3_000 * _SHARE
"""Below what the kernel gives to clients (32,768 on), and so are the ports of cluster buses, 10,000 above. Tests that
run beside each other draw from a share each: none is given away between its being looked at and its being taken."""
_next = random.SystemRandom().randrange(_FIRST, _LAST)


def next_free_port() -> int:
    """A port that nobody listens on, nor on the one 10,000 above; each time another one."""
    global _next  # noqa: PLW0603
    while True:
        _next = _next + 1 if _next < _LAST else _FIRST
        with contextlib.suppress(OSError), socket.socket() as server, socket.socket() as bus:
            server.bind(("127.0.0.1", _next))
            bus.bind(("127.0.0.1", _next + 10_000))
            return _next
