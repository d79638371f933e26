"""Ticks around now: jitter, long outages, ends of calendars; and that Lua and Python name the same keys."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from quarterdeck.keys import QueueKeys
from quarterdeck.schedule.definition import (
    BrokenError,
    Change,
    Definition,
    Edits,
    digest_of,
    encode,
    key_base,
    payload_parts,
    read,
    with_edits,
)
from quarterdeck.schedule.expression import epoch_ms
from quarterdeck.schedule.ledger import row_of, run_id, settlement
from quarterdeck.schedule.scripts import all_scripts
from quarterdeck.schedule.spec import ScheduleError, ScheduleSpec, converted
from quarterdeck.schedule.ticks import MOST, NEVER_MS, due_of, next_tick, ticks_from

NOON = epoch_ms(datetime(2026, 6, 1, 12, tzinfo=UTC))
MINUTE = 60_000
DAY = 24 * 60 * MINUTE


def defined(expression: str = "* * * * *", **values: object) -> Definition:
    spec = converted({"name": "s", "expression": expression, "function": "work", **values})
    return Definition("q", spec, Edits(), "digest")


def test_the_ticks_go_one_past_the_asked_time() -> None:
    found = ticks_from(defined(), NOON, NOON + 2 * MINUTE + 1)
    assert found.flat[::2] == (NOON, NOON + MINUTE, NOON + 2 * MINUTE, NOON + 3 * MINUTE)
    assert found.flat[1::2] == found.flat[::2]
    assert found.earlier == ()


def test_there_are_at_least_two() -> None:
    found = ticks_from(defined(), NOON, NOON - DAY)
    assert found.flat[::2] == (NOON, NOON + MINUTE)


def test_many_missed_ticks_are_told_as_one() -> None:
    found = ticks_from(defined(), NOON, NOON + 1000 * MINUTE)
    assert len(found.flat) == 2 * (MOST + 1)
    assert found.earlier == (NOON, "no scheduler ran: this and 800 ticks after it")
    assert found.flat[-2] == NOON + 1001 * MINUTE


@pytest.mark.parametrize(
    "expression", ["* * * * * *", "* 3 * * * *", "* * 3 1 1 *", "* * * * 1 *", "* * * 1 1 *", "* * 9-17 * * 1-5"]
)
def test_years_of_seconds_are_not_walked(expression: str) -> None:
    definition = defined(expression)
    first = next_tick(definition, NOON)
    until = NOON + 3 * 366 * DAY
    found = ticks_from(definition, first, until)
    ticks = found.flat[::2]
    assert ticks[-2] <= until < ticks[-1]
    assert list(ticks) == sorted(set(ticks))
    assert ticks[-1] == next_tick(definition, ticks[-2])
    assert found.earlier
    assert found.earlier[0] == first
    assert "all ticks before" in found.earlier[1]


@pytest.mark.parametrize("days", [31, 60, 300, 1000])
def test_the_newest_ticks_are_found_where_a_crowd_of_them_has_long_passed(days: int) -> None:
    definition = defined("* * * * 6 *")
    until = NOON + days * DAY
    ticks = ticks_from(definition, NOON, until).flat[::2]
    year = 2026 if until < epoch_ms(datetime(2027, 6, 1, tzinfo=UTC)) else 2028
    assert ticks[-2] == epoch_ms(datetime(year, 6, 30, 23, 59, 59, tzinfo=UTC))
    assert ticks[-1] == epoch_ms(datetime(year + 1, 6, 1, tzinfo=UTC))


def test_an_expression_with_a_year_comes_to_its_end() -> None:
    definition = defined("0 0 1 1 * 0 2027", notation="saq")
    tick = next_tick(definition, NOON)
    assert tick == epoch_ms(datetime(2027, 1, 1, tzinfo=UTC))
    assert next_tick(definition, tick) == NEVER_MS
    assert ticks_from(definition, tick, tick + DAY).flat == (tick, tick, NEVER_MS, NEVER_MS)


def test_jitter_is_decided_by_name_and_tick() -> None:
    one = defined(jitter_s=30)
    dues = [due_of(one, NOON + at * MINUTE, NOON + (at + 1) * MINUTE) - NOON - at * MINUTE for at in range(200)]
    assert dues == [
        due_of(defined(jitter_s=30), NOON + at * MINUTE, NOON + (at + 1) * MINUTE) - NOON - at * MINUTE
        for at in range(200)
    ]
    assert min(dues) >= 0
    assert max(dues) <= 30_000
    assert len(set(dues)) > 150
    other = Definition(
        "q", converted({"name": "t", "expression": "* * * * *", "function": "f", "jitter_s": 30}), Edits(), ""
    )
    assert due_of(other, NOON, NOON + MINUTE) != due_of(one, NOON, NOON + MINUTE)


def test_jitter_stays_before_the_next_tick() -> None:
    long = defined(jitter_s=3600)
    assert all(due_of(long, NOON + at, NOON + at + 1000) <= NOON + at + 999 for at in range(0, 100_000, 1000))


def test_a_payload_is_saqs_and_its_gaps_are_where_the_scripts_fill_them() -> None:
    import msgspec

    spec = converted(
        {"name": 'a "b"', "expression": "@daily", "function": "f", "arguments": {"x": [1]}, "options": {"retries": 3}}
    )
    parts = payload_parts(spec, "{q}:x")
    text = f"{parts[0]}123{parts[1]}123{parts[2]}456{parts[3]}"
    assert msgspec.json.decode(text) == {
        "function": "f",
        "kwargs": {"x": [1]},
        "queue": "{q}:x",
        "key": '{q}cron:a "b":123',
        "retries": 3,
        "meta": {"schedule": 'a "b"', "tick": 123},
        "queued": 456,
        "status": "queued",
    }
    manual = "1".join(payload_parts(spec, "q", manual=True, arguments={}))
    assert msgspec.json.decode(manual)["meta"] == {"schedule": 'a "b"', "manual": True, "tick": 1}
    assert "kwargs" not in msgspec.json.decode(manual)


def test_keys_carry_the_queues_hash_tag() -> None:
    assert key_base("s", "plain") == "cron:s:"
    assert key_base("s", "{orders}") == "{orders}cron:s:"
    assert key_base("s", "a{b}c") == "{b}cron:s:"


def test_edits_lie_over_the_code_and_only_where_they_may() -> None:
    code = ScheduleSpec(name="s", expression="0 2 * * * 30", notation="saq", function="f")
    edits = Edits(fields={"tz": "Asia/Tehran", "name": "t", "origin": "runtime"})
    spec = with_edits(code, edits)
    assert (spec.tz, spec.name, spec.origin.value, spec.notation) == ("Asia/Tehran", "s", "code", "saq")
    spec = with_edits(code, Edits(fields={"expression": "30 0 2 * * *"}))
    assert (spec.notation, spec.read().text) == ("cron", "30 0 2 * * *")


def test_the_changes_of_operators_are_bounded() -> None:
    edits = Edits()
    for at in range(50):
        edits = edits.with_change(Change(who="ann", at_ms=at, fields={"description": str(at)}))
    assert len(edits.changes) == 20
    assert edits.changes[-1].at_ms == 49
    assert edits.fields == {"description": "49"}


def test_a_stored_definition_is_read_whole_or_called_broken() -> None:
    spec = ScheduleSpec(name="s", expression="@daily", function="f")
    assert read("q", "s", encode(spec), None).spec == spec
    for wrong in (
        b"",
        b"{}",
        b'{"name":"s"}',
        encode(spec).replace(b"@daily", b"@often"),
        encode(spec) + b"x",
        b"\xff",
    ):
        with pytest.raises(BrokenError):
            read("q", "s", wrong, None)
    with pytest.raises(BrokenError, match="record is for"):
        read("q", "t", encode(spec), None)
    with pytest.raises(BrokenError):
        read("q", "s", encode(spec), b"nonsense")


def test_the_same_spec_has_the_same_digest() -> None:
    one = ScheduleSpec(name="s", expression="@daily", function="f", arguments={"a": 1, "b": 2})
    two = ScheduleSpec(name="s", expression="@daily", function="f", arguments={"b": 2, "a": 1})
    assert digest_of(encode(one), None) == digest_of(encode(two), None)
    assert digest_of(encode(one), None) != digest_of(encode(one), b"{}")
    assert digest_of(None, b"{}") == ""


def test_values_of_the_wrong_kind_are_refused_in_words() -> None:
    for values in ({"overlap": "later"}, {"arguments": [1]}, {"jitter_s": "much"}, {"catch_up": "some"}):
        with pytest.raises(ScheduleError, match="can't be defined"):
            converted({"name": "s", "expression": "@daily", "function": "f", **values})


def test_a_run_is_known_by_its_jobs_meta() -> None:
    assert run_id({"schedule": "a/b", "tick": 5}) == "5/a/b"
    assert run_id({"schedule": "a", "tick": 5, "manual": True}) == "m5/a"
    assert run_id({"schedule": "a"}) is None
    assert run_id("nonsense") is None


def test_an_end_is_told_in_one_bounded_line() -> None:
    step = settlement({"schedule": "s", "tick": 5}, "failed", 10, 30, error="Traceback…\n  x\nKeyError: 'a\tb'\n")
    assert step == ("settle", "5/s", "FAILED", "10", "30", "20", "KeyError: 'a b'")
    step = settlement({"schedule": "s", "tick": 5}, "complete", 10, 30, result="x" * 5000)
    assert step is not None
    assert len(step[-1]) == 1000
    step = settlement({"schedule": "s", "tick": 5}, "complete", 0, 30, result=object())
    assert step is not None
    assert step[2:6] == ("COMPLETED", "0", "30", "0")
    assert settlement({"schedule": "s", "tick": 5}, "complete", 1, 2)[-1] == ""  # type: ignore[index]


def test_a_run_that_was_edited_by_hand_is_no_row() -> None:
    assert row_of("q", "5/s", b"nonsense", None) is None
    assert row_of("q", "5/s", None, None) is None
    row = row_of("q", "5/s", b"s\tx\tran\t\ty\tRUNNING\tkey\t7", b"broken")
    assert row is not None
    assert (row.tick_ms, row.late_ms, row.status) == (0, 0, "RUNNING")


def test_lua_and_python_name_the_same_keys() -> None:
    lua = (files("quarterdeck.schedule") / "lua" / "names.lua").read_text("utf-8")
    keys = QueueKeys("a:b")
    told = dict(re.findall(r"^    (\w+) = (.*),$", lua, re.MULTILINE))

    def named(source: str) -> str:
        return source.replace("' .. #q .. '", "3").replace("' .. q .. '", "a:b").replace("' .. q", "a:b").strip("'")

    ours = {
        "queued": keys.queued,
        "incomplete": keys.incomplete,
        "schedules": keys.schedules,
        "edits": keys.schedule_edits,
        "states": keys.schedule_states,
        "due": keys.schedule_due,
        "runs": keys.schedule_runs,
        "open": keys.schedule_open,
        "waiting": keys.schedule_waiting,
        "cancels": keys.schedule_cancels,
        "broken": keys.schedule_broken,
        "ledger": keys.ledger,
        "prefix": keys.job(""),
        "history": keys.schedule_history(""),
        "missed": keys.schedule_missed(""),
        "minute": keys.minute(1)[:-1],
    }
    assert {name: named(source) for name, source in told.items() if name != "queue"} == ours


def test_every_script_says_what_it_takes() -> None:
    for script in all_scripts():
        assert "KEYS[1]" in script.source
        assert "Returns" in script.source


def test_half_a_character_is_refused_when_a_schedule_is_defined() -> None:
    for values in ({"arguments": {"x": "\ud800"}}, {"description": "\udcff"}, {"function": "\ud800"}):
        with pytest.raises(ScheduleError, match="half a character"):
            defined(**values)
