"""Why a connection could not be opened: the client's exception, and a look at what answers there instead."""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
from collections.abc import Iterator

from redis.exceptions import AuthenticationError, NoPermissionError

from quarterdeck.broker.address import Address
from quarterdeck.errors import UnreachableError

_START = "Start it, correct the URL, or leave the URL out to use the embedded server."
_PEEK_BYTES = 64
_PEEK_S = 1.0

_COMMAND = re.compile(r"run the '([\w|]+)' command")
_ANSWERS = (
    ("loading the dataset", "The server at {place} is still loading its data.", "Try again in a moment."),
    ("max number of clients", "The server at {place} takes no more clients.", "Raise maxclients or close some."),
    (
        "No master found",
        "None of the Sentinels at {place} knows a reachable master {service!r}.",
        "Check the master's name (SENTINEL MASTERS) and that the Sentinels are up.",
    ),
    ("luster support disabled", "The server at {place} is not a cluster.", "Write redis:// for redis+cluster://."),
    ("luster mode is not enabled", "The server at {place} is not a cluster.", "Write redis:// for redis+cluster://."),
    ("'SENTINEL'", "The server at {place} is not a Sentinel.", "Write redis:// for redis+sentinel://."),
    ("DB index is out of range", "The server at {place} has no database {db}.", "Use a lower number."),
    ("cluster cannot be connected", "No node of the cluster answers at {place}.", _START),
)
"""What a text of an answer means: a part of it, the sentence, the cure."""


async def diagnose(address: Address, error: BaseException, timeout_s: float) -> UnreachableError:
    """The error to raise for `error`, which the client raised when it connected to `address`.

    Looks at the port with a plain socket, for at most `timeout_s`, when the exception alone does not tell.
    """
    for known in (_by_login, _by_tls, _by_socket, _by_answer):
        found = known(address, list(_chain(error)))
        if found is not None:
            return found
    seen = await _peek(address, min(timeout_s, _PEEK_S))
    if seen is None:
        return UnreachableError(
            f"{address.place} takes connections but did not answer within {timeout_s:g} s.",
            "The server may be stopped or overloaded, a firewall may swallow packets, or it is not Redis.",
        )
    return _by_bytes(address, seen, error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception and those it came from: redis-py wraps what the socket said."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _by_login(address: Address, chain: list[BaseException]) -> UnreachableError | None:
    """NOAUTH, WRONGPASS and users without rights."""
    text = "\n".join(map(str, chain))
    if "protected mode" in text:
        return UnreachableError(
            f"The server at {address.place} is in protected mode: it takes local connections only.",
            "Give it a password and a bind address.",
        )
    if "no permissions" in text or any(isinstance(error, NoPermissionError) for error in chain):
        command = _COMMAND.search(text)
        return UnreachableError(
            f"The user {address.username or 'default'!r} may not run {command[1] if command else 'PING'} "
            f"at {address.masked}.",
            "Give it rights on commands and keys: ACL SETUSER NAME +@all ~*.",
        )
    denied = any(isinstance(error, AuthenticationError) for error in chain)
    if not denied and "Authentication required" not in text and "WRONGPASS" not in text:
        return None
    if address.password:
        return UnreachableError(
            f"The server refused the user name or password: {address.masked}.",
            "Check both; characters such as @ / # must be percent-encoded.",
        )
    return UnreachableError(
        f"The server needs a password: {address.masked}.",
        "Write it into the URL (redis://USER:PASSWORD@HOST) or into QUARTERDECK_URL, which no process list shows.",
    )


def _by_tls(address: Address, chain: list[BaseException]) -> UnreachableError | None:
    """TLS spoken to what does not speak it, and certificates that don't hold."""
    for error in chain:
        if isinstance(error, ssl.SSLCertVerificationError):
            return UnreachableError(
                f"The certificate of {address.place} is not trusted: {error.verify_message}.",
                "Name its authority: ?ssl_ca_certs=/path/ca.pem.",
            )
        if isinstance(error, ssl.SSLError):
            reason = error.reason or "handshake failed"
            if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNEXPECTED_EOF_WHILE_READING"}:
                return UnreachableError(f"{address.place} does not speak TLS.", "Write redis:// for rediss://.")
            return UnreachableError(
                f"TLS with {address.place} failed ({reason}).", "Check its certificate and ssl_certfile."
            )
        if isinstance(error, FileNotFoundError) and address.tls:
            return UnreachableError("A TLS file of the URL is not there.", f"Check {error.filename}.")
    return None


def _by_socket(address: Address, chain: list[BaseException]) -> UnreachableError | None:
    """What the operating system said."""
    for error in chain:
        if isinstance(error, socket.gaierror):
            return UnreachableError(
                f"The host of {address.place} is not known.", "Check its name and the DNS of this machine."
            )
        if not isinstance(error, OSError) or error.errno is None:
            continue
        if error.errno in {errno.ECONNREFUSED, errno.ENOENT}:
            return UnreachableError(f"Nothing listens at {address.place}.", _START)
        if error.errno in {errno.EACCES, errno.EPERM}:
            return UnreachableError(f"This user may not open {address.place}.", "Check the socket's owner and mode.")
        if error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN}:
            return UnreachableError(f"No route leads to {address.place}.", "Check the network or the VPN.")
    return None


def _by_answer(address: Address, chain: list[BaseException]) -> UnreachableError | None:
    """What a Redis, a Sentinel or a cluster answered."""
    text = "\n".join(map(str, chain))
    for sign, message, cure in _ANSWERS:
        if sign in text:
            fields = {"place": address.place, "service": address.service, "db": address.db}
            return UnreachableError(message.format(**fields), cure)
    return None


async def _peek(address: Address, timeout_s: float) -> bytes | None:
    """The first bytes that the port answers to an inline PING; None if it stays silent, b"" if it closes."""
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout_s):
            if address.path:
                reader, writer = await asyncio.open_unix_connection(address.path)
            else:
                reader, writer = await asyncio.open_connection(*address.hosts[0])
            writer.write(b"PING\r\n\r\n")
            return await reader.read(_PEEK_BYTES)
    except TimeoutError:
        return None
    except OSError:
        return b""
    finally:
        if writer is not None:
            writer.close()


def _by_bytes(address: Address, seen: bytes, error: BaseException) -> UnreachableError:
    """What the first bytes of an answer give away."""
    if seen.startswith((b"\x15\x03", b"\x16\x03")):
        return UnreachableError(f"{address.place} speaks TLS.", "Write rediss:// for redis://.")
    if address.tls and seen.startswith((b"+PONG", b"-")):
        return UnreachableError(f"{address.place} does not speak TLS.", "Write redis:// for rediss://.")
    if seen.startswith((b"+PONG", b"-")):
        reason = " ".join(str(error).split())[:200]
        return UnreachableError(
            f"The server at {address.place} ended the connection: {reason}.", "See its log for the reason."
        )
    spoken = {b"HTTP/": "an HTTP server", b"SSH-": "an SSH server", b"220": "a mail or FTP server"}
    what = next((name for start, name in spoken.items() if seen.startswith(start)), "something else")
    how = f"it answers like {what}" if seen else "it closes the connection without an answer"
    cure = "Check host and port." if seen else "Check host and port; if it speaks TLS, write rediss://."
    return UnreachableError(f"{address.place} is not Redis: {how}.", cure)
