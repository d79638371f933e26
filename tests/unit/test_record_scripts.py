"""Every script says what it takes and returns; preludes say that they are preludes."""

from __future__ import annotations

from importlib.resources import files

import pytest


@pytest.mark.parametrize("room", ["record", "broker", "operate"])
def test_every_script_says_what_it_takes(room: str) -> None:
    scripts = 0
    for script in (files(f"quarterdeck.{room}") / "lua").iterdir():
        text = script.read_text("utf-8")
        if not text.startswith("-- Prelude"):
            scripts += 1
            assert "-- KEYS[1]" in text or "-- KEYS[i]" in text, script.name
            assert "-- ARGV" in text, script.name
            assert "-- Returns" in text, script.name
    assert scripts
