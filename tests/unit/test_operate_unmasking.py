"""Edited arguments: what was left masked keeps its secret."""

from __future__ import annotations

import msgspec

from quarterdeck.operate.payload import fresh, unmasked


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
