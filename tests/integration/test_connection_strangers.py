"""Ports that are not a Redis we can use: each is told apart by what it answers."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from quarterdeck.broker.connection import open_connection
from quarterdeck.errors import UnreachableError


@contextlib.asynccontextmanager
async def stranger(talk):
    """A port on which `talk(reader, writer)` answers; yields its URL."""
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()


async def http(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def ssh(reader, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.9\r\n")
    await writer.drain()
    await reader.read()


async def mail(reader, writer):
    writer.write(b"220 mail.example ESMTP\r\n")
    await writer.drain()
    await reader.read()


async def closing(reader, writer):
    await reader.readline()


async def garbage(reader, writer):
    writer.write(bytes(range(128, 160)))
    await writer.drain()
    await reader.read()


async def silent(reader, writer):
    await reader.read(-1)


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (http, "answers like an HTTP server"),
        (ssh, "answers like an SSH server"),
        (mail, "answers like a mail or FTP server"),
        (closing, "closes the connection without an answer"),
        (garbage, "answers like something else"),
        (silent, "did not answer within 0.4 s"),
    ],
)
async def test_what_answers_is_named(talk, words):
    async with stranger(talk) as url:
        with pytest.raises(UnreachableError) as caught:
            await open_connection(url, client_name="test", timeout_s=0.4 if talk is silent else 30)
    assert words in caught.value.message
    assert caught.value.cure
    assert caught.value.exit_status == 3


def answering(info, ping=b"+PONG\r\n"):
    """A server that answers PING and INFO with what it is told, and OK to all else."""

    async def talk(reader, writer):
        while True:
            head = await reader.readline()
            if not head.startswith(b"*"):  # the inline PING of the second look
                writer.write(ping)
                return
            count = int(head[1:])
            words = []
            for _ in range(count):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2].upper())
            answers = {b"PING": ping, b"INFO": b"$%d\r\n%s\r\n" % (len(info), info)}
            writer.write(answers.get(words[0], b"+OK\r\n"))
            await writer.drain()

    return talk


async def test_a_server_too_old_names_both_versions():
    async with stranger(answering(b"redis_version:5.0.14\r\n")) as url:
        with pytest.raises(UnreachableError) as caught:
            await open_connection(url, client_name="test")
    assert "it is Redis 5.0.14, and 6.2 is needed" in caught.value.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"-LOADING Valkey is loading the dataset in memory\r\n", "still loading"),
        (b"-ERR max number of clients reached\r\n", "no more clients"),
        (b"-DENIED Redis is running in protected mode because\r\n", "protected mode"),
        (b"-ERR strange\r\n", "ended the connection: strange"),
    ],
)
async def test_a_server_that_says_no_is_quoted(answer, words):
    async with stranger(answering(b"", ping=answer)) as url:
        with pytest.raises(UnreachableError) as caught:
            await open_connection(url, client_name="test", timeout_s=30)
    assert words in caught.value.message
