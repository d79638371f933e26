"""Edited arguments: what was left masked keeps its secret."""

from __future__ import annotations

import msgspec
import pytest

from quarterdeck.errors import UsageError
from quarterdeck.operate.payload import fresh
from quarterdeck.operate.unmasking import unmasked


def test_a_secret_that_was_left_as_it_is_shown_keeps_its_value() -> None:
    stored = {"to": "a@b.c", "password": "hunter2", "deep": {"token": "t", "n": 1}}
    edited = {"to": "x@y.z", "password": "***", "deep": {"token": "***", "n": 1}}
    assert unmasked(edited, stored) == {"to": "x@y.z", "password": "hunter2", "deep": {"token": "t", "n": 1}}


def test_a_secret_that_was_typed_anew_is_taken_as_typed() -> None:
    assert unmasked({"password": "new"}, {"password": "old"}) == {"password": "new"}


def test_arguments_that_were_taken_out_stay_out() -> None:
    assert unmasked({"a": 1}, {"a": 1, "b": 2}) == {"a": 1}


def test_a_job_without_readable_arguments_takes_what_was_typed() -> None:
    assert unmasked({"a": 1}, None) == {"a": 1}


def test_the_payload_that_is_stored_holds_the_secret() -> None:
    raw = fresh({"kwargs": {"password": "hunter2"}, "function": "f"}, queued_ms=1, arguments={"password": "***"})
    assert msgspec.json.decode(raw)["kwargs"] == {"password": "hunter2"}


def test_a_secret_keeps_its_value_while_what_stands_beside_it_is_edited() -> None:
    stored = {"smtp": {"host": "a", "password": "hunter2", "deep": [{"token": "t1", "n": 1}]}}
    edited = {"smtp": {"host": "b", "password": "***", "deep": [{"token": "***", "n": 2}]}}
    assert unmasked(edited, stored) == {"smtp": {"host": "b", "password": "hunter2", "deep": [{"token": "t1", "n": 2}]}}


def test_the_items_of_a_list_are_told_by_what_they_show() -> None:
    stored = {"headers": [["X-Auth-Token", "one"], ["Cookie", "two"], ["Accept", "json"]]}
    shown = [["X-Auth-Token", "***"], ["Cookie", "***"], ["Accept", "json"]]
    for edited, kept in (
        (shown[1:], stored["headers"][1:]),
        (shown[::-1], stored["headers"][::-1]),
        ([["New", "x"], *shown], [["New", "x"], *stored["headers"]]),
    ):
        assert unmasked({"headers": edited}, stored) == {"headers": kept}


@pytest.mark.parametrize(
    ("edited", "place"),
    [
        ({"url": "redis://bob:***@elsewhere/0"}, "url"),
        ({"url": "redis://bob:***@host/0", "other": "***"}, "other"),
        ({"renamed": {"password": "***"}}, "renamed.password"),
        ({"many": [{"token": "***"}]}, r"many\[0\].token"),  # which of the two?
        ({"told": [{"token": "***", "n": 3}, {"token": "***", "n": 1}]}, r"told\[0\].token"),  # moved and changed
    ],
)
def test_a_mask_that_stands_for_nothing_is_refused_with_its_place(edited: dict[str, object], place: str) -> None:
    stored = {
        "url": "redis://bob:hunter2@host/0",
        "many": [{"token": "a"}, {"token": "b"}],
        "told": [{"token": "a", "n": 1}, {"token": "b", "n": 2}],
    }
    with pytest.raises(UsageError, match=f"'{place}' holds the mask"):
        unmasked(edited, stored)


def test_asterisks_that_were_stored_as_such_are_no_mask() -> None:
    assert unmasked({"note": "*** well done!"}, {"note": "*** well done"}) == {"note": "*** well done!"}


def test_a_number_in_a_secrets_place_comes_back_as_a_number() -> None:
    assert unmasked({"pin": "***", "n": True}, {"pin": 4711, "n": 1}) == {"pin": 4711, "n": True}


def test_a_mask_typed_where_nothing_can_be_read_is_refused() -> None:
    with pytest.raises(UsageError, match="in full"):
        unmasked({"password": "***"}, None)
