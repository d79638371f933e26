"""The bounds by their names, units and ranges; the documentation and the scripts know the same ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.record.bounds import BOUNDS, RANGES, bound_named, limit_of, new_limit, new_limits
from quarterdeck.record.retention import usual_bounds
from quarterdeck.schedule import Retention
from quarterdeck.text import amount

ROOT = Path(__file__).parents[2]
FAILED_AGE = bound_named("failed_age")


@pytest.mark.parametrize("word", ["failed_age", "failed-age", "failed_age_ms", " Failed_Age "])
def test_a_bound_is_named_as_in_the_hash_or_without_its_unit(word: str) -> None:
    assert bound_named(word).name == "failed_age_ms"


def test_a_slip_in_a_name_is_told_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match=r"no bound 'faild_age'\. Did you mean 'failed_age'"):
        bound_named("faild_age")


def test_a_value_is_an_amount_within_its_range_or_the_usual_one() -> None:
    assert new_limit(FAILED_AGE, "30d") == 30 * 86_400_000
    assert new_limit(FAILED_AGE, "default") is new_limit(FAILED_AGE, " Usual ") is None
    assert new_limit(bound_named("failed_bytes"), "2GB") == 2**31
    assert new_limits({"failed-count": "50k", "log_lines": "default"}) == {
        bound_named("failed_count"): 50_000,
        bound_named("log_lines"): None,
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [("failed_age", "30"), ("failed_age", "1s"), ("failed_age", "40y"), ("failed_count", "0"), ("failed_count", "2GB"),
     ("history_bytes", "10KB"), ("failed_count", "-5"), ("log_lines", "\x1b[2Jlots")],
)  # fmt: skip
def test_a_value_out_of_its_range_is_told_with_the_range_and_the_usual_one(name: str, value: str) -> None:
    bound = bound_named(name)
    with pytest.raises(UsageError, match=f"no value for {name}") as caught:
        new_limit(bound, value)
    least, most = (amount(limit, bound.unit) for limit in RANGES[bound.unit])
    assert f"Write {least} to {most}, or default for {amount(bound.usual, bound.unit)}." in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(("stored", "limit"), [(b"5", 5), (None, 0), (b"", 0), (b"0", 0), (b"nonsense", 0)])
def test_what_is_no_number_in_the_hash_counts_for_nothing(stored: bytes | None, limit: int) -> None:
    assert limit_of(FAILED_AGE, stored) == (limit or FAILED_AGE.usual)


def test_all_usual_values_are_within_their_ranges_and_known_to_those_who_keep_them() -> None:
    for bound in BOUNDS:
        least, most = RANGES[bound.unit]
        assert least <= bound.usual <= most
    assert [bound.usual for bound in BOUNDS[:9]] == usual_bounds()
    ledger = Retention()
    assert [bound.usual for bound in BOUNDS[-3:]] == [ledger.count, ledger.per_schedule, ledger.age_ms]


def test_the_documentation_names_every_bound() -> None:
    table = (ROOT / "docs/redis-keys.md").read_text("utf-8").partition("| Field of `qd:retention:Q`")[2]
    named = re.findall(r"`([a-z_]+)`", table.partition("\n\n")[0])
    assert sorted(named) == sorted(bound.name for bound in BOUNDS)


def test_the_scripts_ask_for_no_other_names() -> None:
    asked = set()
    for path in (ROOT / "queue/quarterdeck").rglob("*.lua"):
        asked |= set(re.findall(r"bound\('(\w+)'|retention, '(\w+)'", path.read_text("utf-8")))
    assert {first or second for first, second in asked} <= {bound.name for bound in BOUNDS}
    assert asked
