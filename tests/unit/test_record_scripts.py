"""The record's scripts name keys as keys.py does."""

from __future__ import annotations

import re
from importlib.resources import files

from quarterdeck.keys import QueueKeys


def test_the_names_in_lua_are_those_of_keys_py() -> None:
    source = (files("quarterdeck.record") / "lua" / "index.lua").read_text()
    body = source[source.index("return {") : source.index("\n  }\n")]
    found = dict(re.findall(r"(\w+) = (.+),", body))
    keys = QueueKeys("Q")
    special = {
        "prefix": keys.job(""),
        "minute": keys.minute(0)[:-1],
        "hour": keys.hour(0)[:-1],
        "by_signature": keys.failed_of_signature(""),
        "by_function": keys.failed_of_function(""),
        "folded": "qd:folded:Q",
    }
    assert found
    for name, expression in found.items():
        parts = [part.strip() for part in expression.split("..")]
        text = "".join("Q" if part == "q" else "1" if part == "#q" else part.strip("'") for part in parts)
        assert text == special.get(name) or text == getattr(keys, name, None), name


def test_every_script_says_what_it_takes() -> None:
    for room in ("record", "inspect"):
        for script in (files(f"quarterdeck.{room}") / "lua").iterdir():
            if script.name not in {"index.lua", "reads.lua", "windows.lua"}:
                text = script.read_text()
                assert "-- KEYS[1]" in text, script.name
                assert "-- ARGV" in text, script.name
                assert "-- Returns" in text, script.name
