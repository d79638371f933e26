"""Key names: all made in one place, all told in one page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quarterdeck import keys
from quarterdeck.keys import QueueKeys

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "redis-keys.md").read_text()
# Suffixes and a family that one line of the page tells together, as `qd:failed-sig:…`, `qd:failed-fn:…`.
SHARED = re.findall(r"`(qd:[^`]*|saq:[^`]*)`", PAGE)


def every_key() -> dict[str, str]:
    """Each key that the module can make, by the name it is made under."""
    made = QueueKeys("Q")
    found = {name: value for name, value in vars(made).items() if isinstance(value, str) and name != "queue"}
    free = {"job": "KEY", "abort": "KEY", "worker_info": "W", "minute": 1, "hour": 1, "control": "W", "log": "KEY"}
    free |= {"failed_of_signature": "SIG", "failed_of_function": "F", "schedule_history": "NAME"}
    free |= {"schedule_missed": "NAME", "bulk": "ID", "group": "GROUP"}
    found |= {name: getattr(made, name)(value) for name, value in free.items()}
    methods = {name for name, value in vars(QueueKeys).items() if callable(value) and not name.startswith("_")}
    assert methods - {"job_key"} == set(free), "a new kind of key: give this test an example of it"
    found |= {"AUDIT": keys.AUDIT, "OPERATORS": keys.OPERATORS, "QUEUES": keys.QUEUES, "TRAFFIC": keys.TRAFFIC}
    return found | {"breaker": keys.breaker("N"), "once": keys.once("N"), "undo": keys.undo("ACT")}


def kind_of(key: str) -> str:
    """What tells a key's kind: `qd:lease`, or for SAQ's keys what stands around the queue's name."""
    first, second, *rest = key.split(":")
    if first == "qd":
        return f"qd:{second}"
    return f"saq:{second}" if second != "Q" else f"saq:Q:{rest[0]}"


@pytest.mark.parametrize("name", sorted(every_key()))
def test_the_page_tells_what_each_key_holds(name: str) -> None:
    kind = kind_of(every_key()[name])
    assert any(kind_of(key) == kind for key in SHARED if key.count(":") > 1 or kind == key), kind


def test_the_page_tells_each_key_once() -> None:
    firsts = [line.split("|")[1].strip() for line in PAGE.splitlines() if line.startswith("| `")]
    assert sorted(firsts) == sorted(set(firsts))


def test_the_page_tells_of_no_key_that_nobody_makes() -> None:
    made = {kind_of(key) for key in every_key().values()}
    told = {kind_of(key) for key in SHARED if key.count(":") > 1 and not key.startswith("saq:abort")}
    assert told <= made


def test_no_other_module_spells_a_key_name() -> None:
    elsewhere = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for room in ("queue", "tui", "tasks")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "keys.py" and "benching" not in path.parts
        for line in path.read_text().splitlines()
        if re.search(r"""f?["']qd:[a-z]""", line)
    ]
    assert elsewhere == []
