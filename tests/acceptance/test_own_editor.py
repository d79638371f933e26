"""Editing a failed job's arguments in one's own editor: the terminal goes there and comes back, nothing is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from operator_seat import Seat, deck_worker, ledger, until

from quarterdeck.broker.queue import Queue

if TYPE_CHECKING:
    from conftest import StartValkey

pytestmark = pytest.mark.slow

EDITOR = """#!/bin/sh
# An editor that answers with the next of the prepared files, and remembers what it was given.
trap '' INT
place={place}
round=$(ls "$place" | grep -c '^given-')
cp "$1" "$place/given-$round"
stat -c '%a' "$1" "$(dirname "$1")" > "$place/modes"
echo "$1" > "$place/path"
printf 'this is the editor, round %s: press enter ' "$round"
read line < /dev/tty
test -e "$place/answer-$round" || exit 3
cat "$place/answer-$round" > "$1"
"""


async def enqueue(url: str) -> None:
    queue = Queue.from_url(url, name="default")
    try:
        login = {"user": "ann", "password": "hunter2"}
        await queue.enqueue("deliver", to="nowhere", login=login, retries=1)
    finally:
        await queue.disconnect()


def test_arguments_are_edited_in_the_own_editor_and_secrets_keep_their_value(
    tmp_path: Path, start_valkey: StartValkey
) -> None:
    url = start_valkey().url
    editor = tmp_path / "my editor"
    editor.write_text(EDITOR.format(place=tmp_path))
    editor.chmod(0o700)
    (tmp_path / "answer-0").write_text('{"to": "a@b.c",\n "login": ')  # a slip of the hand
    (tmp_path / "answer-1").write_text('{"to": "a@b.c", "login": {"user": "bob", "password": "***"}, "copies": "many"}')
    (tmp_path / "answer-2").write_text('{"to": "a@b.c", "login": {"user": "bob", "password": "***"}, "copies": 2}')
    with deck_worker(url, tmp_path):
        asyncio.run(enqueue(url))
        with Seat(tmp_path, "--url", url, environ={"EDITOR": f"'{editor}'", "VISUAL": ""}) as seat:
            seat.see("no address")
            seat.keys("4")
            seat.under_cursor("deliver")
            seat.keys("enter")
            seat.see_re(r"^[▸>].*nowhere")
            seat.keys("\x0f")
            seat.see("this is the editor, round 0")
            seat.keys("\x03", "enter")  # Ctrl-C is the editor's; ours lives on
            takes_back(seat, tmp_path, "Line 2, column")
            seat.keys("\x0f")
            seat.see("this is the editor, round 1")
            assert (tmp_path / "given-1").read_text() == (tmp_path / "answer-0").read_text()
            seat.keys("enter")
            seat.see("'copies' takes int, not str (many)", "Edit and retry")
            seat.keys("\x0f")
            seat.see("this is the editor, round 2")
            seat.keys("enter")
            seat.see("[Retry]")
            seat.keys("\x0f")
            seat.see("this is the editor, round 3")
            seat.keys("enter")
            seat.see("status 3; nothing was changed")  # and what was written before is still there
            seat.keys("backtab", "tab", "enter")
            until(lambda: ledger(tmp_path, "deliver"))
            assert seat.quit() == 0
    assert ledger(tmp_path, "deliver") == ["a@b.c bob hunter2 2"]
    first = (tmp_path / "given-0").read_text()
    assert json.loads(first) == {"to": "nowhere", "login": {"user": "ann", "password": "***"}}
    assert "hunter2" not in first
    assert (tmp_path / "modes").read_text().split() == ["600", "700"]
    assert not left_behind(tmp_path)


def takes_back(seat: Seat, place: Path, text: str) -> None:
    """Wait until the dashboard has the terminal again and says a text."""
    seat.see(text, "Edit and retry")
    assert not left_behind(place)


def left_behind(place: Path) -> bool:
    """Whether the file that was edited is still there."""
    return Path((place / "path").read_text().strip()).exists()
