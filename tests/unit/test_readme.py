"""The README says what the code says: its keys, its files, its commands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from quarterdeck.cli.frame import COMMANDS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_keys_are_those_of_the_commands() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "tui", "--keys"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    table = re.search(r"<!-- keys: python -m tui --keys -->\n(.*?)\n<!-- end of keys -->", README, re.DOTALL)
    assert table is not None
    assert table[1].strip() == printed, "run `python -m tui --keys` and put its output between the marks"


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_what_is_linked_is_there(link: str) -> None:
    assert link.startswith("https://") or (ROOT / link).is_file()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"^ {4}quarterdeck (?!-)(\w+)", README, re.MULTILINE))))
def test_commands_that_are_shown_exist(command: str) -> None:
    assert command in COMMANDS


@pytest.mark.parametrize("target", ["run", "test"])
def test_the_two_commands_are_make_targets(target: str) -> None:
    assert f"make {target} " in README
    assert re.search(rf"^{target}:.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_the_picture_is_the_one_that_the_app_paints() -> None:
    pictures = ROOT / "tests/ui/__snapshots__/test_screen_pictures"
    painted = (pictures / "test_screen[overview-120x40].svg").read_bytes()
    assert (ROOT / "docs/overview.svg").read_bytes() == painted, "run `make pictures`"


def test_the_map_of_the_rooms_shows_every_room() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rooms = [path for root in ("tui", "queue/quarterdeck") for path in (ROOT / root).iterdir() if path.is_dir()]
    missing = [room.name for room in rooms if room.name != "__pycache__" and f"  {room.name}/" not in page]
    assert missing == []


def test_the_figures_are_those_of_the_page_of_figures() -> None:
    table = re.search(r"<!-- bench: docs/performance.md -->\n(.*?)\n<!-- end of bench -->", README, re.DOTALL)
    assert table is not None
    lines = [line for line in table[1].splitlines() if line]
    assert len(lines) > 20
    page = (ROOT / "docs/performance.md").read_text("utf-8").splitlines()
    assert [line for line in lines if line not in page] == []
