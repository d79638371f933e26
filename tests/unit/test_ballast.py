"""What a start leaves out is not missing to anybody: each import is tried in an interpreter of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tui.ballast import needs_tls


def told(code: str) -> Any:
    """What a fresh interpreter prints as JSON."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize(
    ("url", "needed"),
    [
        (None, False),
        ("unix:///run/v.sock", False),
        ("redis://:secret@host:6379/0", False),
        ("redis://host?ssl_cert_reqs=none", True),
        ("rediss://host", True),
        ("sentinel://a,b/main", True),
        ("something+else://host", True),
    ],
)
def test_tls_is_left_out_only_where_no_connection_can_need_it(url: str | None, needed: bool) -> None:
    assert needs_tls(url) is needed


def test_without_tls_asyncio_works_and_ssl_can_be_imported_later() -> None:
    code = """
import json, sys
from tui import ballast
ballast.load_asyncio(tls=False)
import asyncio
left_out = "ssl" not in sys.modules and asyncio.sslproto.ssl is None

async def main():
    server = await asyncio.start_server(lambda r, w: w.write(b"aye") or w.close(), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    said = await reader.read()
    writer.close()
    server.close()
    return said.decode()

said = asyncio.run(main())
import ssl
import redis.asyncio
print(json.dumps([left_out, said, ssl.create_default_context() is not None]))
"""
    assert told(code) == [True, "aye", True]


def test_with_tls_asyncio_has_it() -> None:
    code = """
import json
from tui import ballast
ballast.load_asyncio(tls=True)
import asyncio
print(json.dumps(asyncio.sslproto.ssl is not None))
"""
    assert told(code) is True


def test_what_is_loaded_already_is_left_alone() -> None:
    code = """
import json, sys
import asyncio, textual.app
from tui import ballast
ballast.load_asyncio(tls=False)
ballast.load_textual()
import textual.command
print(json.dumps([asyncio.sslproto.ssl is not None, textual.app.CommandPalette is textual.command.CommandPalette]))
"""
    assert told(code) == [True, True]


def test_without_its_palette_textual_runs_the_deck_and_the_real_one_can_be_imported_later() -> None:
    code = """
import asyncio, json, sys
from tui import ballast
ballast.load_textual()
absent = sorted({"textual.command", "textual.widgets._input", "textual.widgets._tree"} & set(sys.modules))
from textual.app import App
from textual.widgets import Input

class Small(App):
    ENABLE_COMMAND_PALETTE = False

    def compose(self):
        yield Input()

async def main():
    app = Small()
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p", "x")
        return app.query_one(Input).value, len(app.screen_stack)

value, screens = asyncio.run(main())
from textual.command import CommandPalette, Provider
from textual.message_pump import MessagePump
print(json.dumps([absent, screens, "x" in value, issubclass(CommandPalette, MessagePump)]))
"""
    absent, screens, typed, palette = told(code)
    assert (absent, screens, typed, palette) == ([], 1, True, True)


def test_the_deck_itself_needs_nothing_of_the_palette() -> None:
    code = """
import json, sys
from tui import ballast
ballast.load_asyncio(tls=False)
ballast.load_textual()
import tui.app, tui.mooring, tui.terminal.driver, tui.terminal.manners, tui.screens.jobs
print(json.dumps(sorted({"ssl", "textual.command", "textual.widgets._input"} & set(sys.modules))))
"""
    assert told(code) == []
