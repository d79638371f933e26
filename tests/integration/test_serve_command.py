"""`quarterdeck serve` as a process: it listens where it was told, asks for its token, and ends in order."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest

from quarterdeck.cli import main

TOKEN = {"Authorization": "Bearer s3cret"}


@asynccontextmanager
async def serving(directory, url, *flags):
    """The process and the address that it says it listens at."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "quarterdeck", "serve", "--url", url, *flags),
        cwd=directory,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        line = (await asyncio.wait_for(process.stderr.readline(), 60)).decode()
        assert line.startswith("Serving on http"), line
        yield process, line.split()[2], line
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_as_its_settings_say_and_ends_when_told(valkey, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "quarterdeck.toml").write_text('[serve]\nport = 0\ntoken_file = "token"\n')
    async with serving(tmp_path, valkey.url) as (process, address, line), aiohttp.ClientSession() as session:
        assert "acts with a token" in line
        assert not address.endswith(":9181")
        async with session.get(f"{address}/metrics") as answer:
            assert "quarterdeck_verdict" in await answer.text()
        async with session.post(f"{address}/api/v1/undo", json={}) as answer:
            assert answer.status == 401
        async with session.post(f"{address}/api/v1/undo", json={"act": "nosuch"}, headers=TOKEN) as answer:
            assert answer.status == 400
            assert "nothing to undo" in (await answer.json())["error"]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 60) == 0


async def test_without_a_token_it_only_reads(valkey, tmp_path):
    async with (
        serving(tmp_path, valkey.url, "--port", "0") as (_, address, line),
        aiohttp.ClientSession() as session,
        session.post(f"{address}/api/v1/undo", json={}) as answer,
    ):
        assert "read-only" in line
        assert answer.status in {401, 404, 405}


@pytest.mark.parametrize(
    ("toml", "flags", "says"),
    [
        ("", ["--port", "99999"], "not a number from 0 to 65,535"),
        ("", ["--host", "0.0.0.0"], "without a token would let anyone read"),
        ("", ["--token-file", "nowhere"], "nowhere can't be read"),
        ("", ["--token-file", "quarterdeck.toml"], "quarterdeck.toml is empty"),
        ("[serve]\nport = 0", ["--host", "256.1.1.1", "--token-file", "quarterdeck.toml"], "another --host or --port"),
        ("[watch]\nwebhooks = ['example.org']", [], "is no URL"),
        ("[[watch.rules]]\nname = 'x'\nwhn = 'depth > 3'", [], "Did you mean 'when'?"),
    ],
)
def test_what_can_not_be_served_is_a_sentence(valkey, tmp_path, monkeypatch, capsys, toml, flags, says):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quarterdeck.toml").write_text(toml)
    try:
        status = main(["serve", "--url", valkey.url, *flags])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("name", ["aiohttp", "prometheus_client"])
def test_without_its_extra_it_says_what_to_install(monkeypatch, capsys, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert main(["serve"]) == 2
    assert capsys.readouterr().err.endswith("Install quarterdeck[serve].\n")
