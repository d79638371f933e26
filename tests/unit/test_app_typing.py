"""mypy, strict, understands the decorators: what it reveals is what it should, what is wrong is found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = """
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from quarterdeck import App, current_job, depends

app = App("typed")


@asynccontextmanager
async def mailer() -> AsyncIterator[str]:
    yield "mailer"


@app.task
async def double(x: int) -> int:
    return 2 * x


@app.task(retries=3)
def shout(text: str, *, times: int = 1) -> str:
    return text.upper() * times


@app.schedule("0 2 * * *", args={"x": 1})
@app.task(queue="reports")
async def nightly(x: int) -> list[str]:
    return [str(x)]


@app.task
async def send(to: str, smtp: str = depends(mailer)) -> None:
    current_job().progress(0.5)


async def use() -> None:
    reveal_type(await double(1))  # int
    reveal_type(shout("a", times=2))  # str
    reveal_type(await (await double.enqueue(1)).result())  # int
    reveal_type(await (await shout.enqueue("a")).result(timeout_s=1))  # str
    reveal_type(await (await nightly.enqueue(3)).result())  # list[str]
    reveal_type(await (await double.options(delay_s=5).enqueue(1)).result())  # int
    reveal_type([await each.result() for each in await shout.enqueue_many([("a",)])])  # list[str]
    await send("ann")
    await double.enqueue("one")  # error
    await shout.enqueue(txt="a")  # error
    await double.options(delay_s=5).enqueue()  # error
"""


@pytest.fixture(scope="module")
def verdict(tmp_path_factory):
    path = tmp_path_factory.mktemp("typing") / "typed_app.py"
    path.write_text(CODE)
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    found: dict[int, str] = {}
    for line in done.stdout.splitlines():
        if match := re.search(r"typed_app\.py:(\d+): (error|note): (.*)", line):
            found.setdefault(int(match[1]), f"{match[2]}: {match[3]}")
    return found


def test_types_are_what_the_comments_say(verdict):
    lines = CODE.splitlines()
    for number, line in enumerate(lines, 1):
        expected = line.partition("  # ")[2]
        if expected == "error":
            assert verdict.pop(number, "").startswith("error: "), line
        elif expected:
            assert re.sub(r"builtins\.", "", verdict.pop(number, "")) == f'note: Revealed type is "{expected}"', line
    assert not verdict, "nothing else is found"
