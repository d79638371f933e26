"""Every example of docs/tasks.md runs: definitions first, then what awaits, with a worker beside it."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import shlex
import sys
import types
from pathlib import Path

import pytest

from quarterdeck import TaskOptions
from quarterdeck.cli import frame
from quarterdeck.worker.service import Service, ServiceOptions

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tasks.md"
TEXT = PAGE.read_text("utf-8")
BLOCKS = [
    (TEXT[: found.start()].count("\n") + 2, found[1], found[2])
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
]


def compiled(line: int, code: str) -> tuple[types.CodeType, bool]:
    """An example's code at its place in the page, and whether it awaits."""
    tree = ast.parse("\n" * (line - 1) + code, str(PAGE))
    code_object = compile(tree, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return code_object, bool(code_object.co_flags & inspect.CO_COROUTINE)


async def test_the_examples_run(valkey, queue_name, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_URL", valkey.url)
    module = types.ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", module)
    mine = f'"{queue_name}", "emails"'
    examples = [
        compiled(line, code.replace('"default", "emails"', mine)) for line, kind, code in BLOCKS if kind == "python"
    ]
    for code, awaits in examples:
        if not awaits:
            exec(code, vars(module))
    service = Service(module.app, ServiceOptions(url=valkey.url, grace_s=5))
    running = asyncio.create_task(service.run())
    assert sum(awaits for _, awaits in examples) >= 5
    for code, awaits in examples:
        if awaits:
            async with asyncio.timeout(60):
                await eval(code, vars(module))
    service.worker.event.set()
    assert await asyncio.wait_for(running, 60) == 0
    await module.app.close()


@pytest.mark.parametrize("line", [line for _, kind, code in BLOCKS if kind == "sh" for line in code.splitlines()])
def test_the_commands_are_understood(line, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(line)
    assert program == "quarterdeck"
    at = frame.subcommand_at(words)
    assert at is not None
    frame.parse_command(words, at)


def test_every_option_is_in_the_table():
    documented = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", TEXT, re.MULTILINE))))
    assert set(TaskOptions.__struct_fields__) <= documented
