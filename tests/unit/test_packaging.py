"""What is installed is what was promised: the wheel's contents, the pins, the two commands, and one line without."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import quarterdeck

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CONSTRAINTS = (ROOT / "constraints.txt").read_text("utf-8")
PINS = dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)$", CONSTRAINTS, re.MULTILINE))
HOOKS = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built by the declared back end without a network."""
    built = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path_factory.mktemp("wheel")), versions=["standard"]))
    return zipfile.ZipFile(built)


def test_the_wheel_holds_the_two_rooms_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"tui", "quarterdeck", f"quarterdeck-{quarterdeck.__version__}.dist-info"}


def test_the_wheel_holds_every_file_of_the_two_rooms(wheel: zipfile.ZipFile) -> None:
    committed = subprocess.run(
        ["git", "ls-files", "tui", "queue/quarterdeck"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    wanted = {name.removeprefix("queue/") for name in committed if (ROOT / name).exists()}
    wanted |= {"quarterdeck/py.typed", "tui/py.typed", "tui/look/deck.tcss", "quarterdeck/broker/lua/turn.lua"}
    assert wanted <= set(wheel.namelist())


def test_the_stylesheet_of_the_demo_goes_along(wheel: zipfile.ZipFile) -> None:
    assert wheel.read("tui/demo.tcss") == (ROOT / "demo.tcss").read_bytes()


def test_the_wheel_installs_one_command(wheel: zipfile.ZipFile) -> None:
    entry = wheel.read(f"quarterdeck-{quarterdeck.__version__}.dist-info/entry_points.txt").decode()
    assert entry.split() == ["[console_scripts]", "quarterdeck", "=", "quarterdeck.cli:main"]


def test_the_version_is_one() -> None:
    assert quarterdeck.__version__ == PROJECT["version"] == importlib.metadata.version("quarterdeck")


def closure(name: str, extras: frozenset[str]) -> set[str]:
    """The names of all that `name[extras]` makes pip install here, itself left out."""
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [(name, extras)]
    while todo:
        name, extras = todo.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        for line in importlib.metadata.requires(name) or ():
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                todo.append((canonicalize_name(need.name), frozenset(need.extras)))
    return found - {"quarterdeck"}


def test_all_that_is_installed_is_pinned_as_installed() -> None:
    pinned = {canonicalize_name(name): version for name, version in PINS.items()}
    installed = {name: importlib.metadata.version(name) for name in closure("quarterdeck", frozenset({"test"}))}
    assert {name: pinned.get(name) for name in installed} == installed


def test_the_constraints_are_pins_and_nothing_of_one_machine() -> None:
    lines = [line for line in CONSTRAINTS.splitlines() if line and not line.startswith("#")]
    assert len(lines) == len(PINS)


def make(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_alone_says_what_can_be_made_and_makes_nothing() -> None:
    told = make()
    assert told.returncode == 0
    assert re.search(r"make run +\S", told.stdout)
    assert re.search(r"make test +\S", told.stdout)


@pytest.mark.parametrize("target", re.findall(r"make (\w+)", make().stdout))
def test_all_that_make_offers_can_be_made(target: str) -> None:
    assert make("--dry-run", target).returncode == 0


def test_ci_runs_what_the_readme_says() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text("utf-8").rstrip().endswith("make test")


@pytest.mark.parametrize("entry", re.findall(r"entry: (.+)", HOOKS))
def test_the_hooks_run_commands_that_the_test_extra_installs(entry: str) -> None:
    command, *words = entry.split()
    scripts = {script.name for script in importlib.metadata.entry_points(group="console_scripts")} | {"ruff"}
    assert command.removeprefix(".venv/bin/") in scripts
    assert all((ROOT / word).exists() for word in words if word.startswith("tests/"))


@pytest.mark.parametrize("words", [[], ["--version"], ["--keys"]])
def test_where_nothing_is_installed_one_line_says_what_to_type(words: list[str]) -> None:
    told = subprocess.run(
        [sys.executable, "-S", "-m", "tui", *words], cwd=ROOT, env={}, capture_output=True, text=True, check=False
    )
    assert told.returncode != 0
    assert told.stdout == ""
    assert told.stderr.count("\n") == 1
    assert told.stderr.endswith("Type: make run\n")
