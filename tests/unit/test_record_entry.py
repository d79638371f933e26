"""The records survive a round trip, and damage to them is seen and not raised."""

from __future__ import annotations

import pytest

from quarterdeck.record.entry import (
    ARGUMENTS_LIMIT,
    ERROR_LIMIT,
    FailedJob,
    HistoryEntry,
    arguments_text,
    decode_failed,
    decode_history,
    decode_signature,
    encode_failed,
    encode_history,
    error_line,
    signature_row,
)
from quarterdeck.record.signature import signature_of_text

ENTRY = HistoryEntry(
    key="k1",
    function="send_email",
    status="failed",
    attempt=2,
    queued_ms=1,
    started_ms=2,
    finished_ms=3,
    duration_us=1_000,
    worker="w1",
    signature="0123456789ab",
)


def test_history_round_trip() -> None:
    assert decode_history(encode_history(ENTRY)) == ENTRY
    assert decode_history(encode_history(ENTRY).encode()) == ENTRY


def test_tabs_and_line_ends_in_names_do_no_harm() -> None:
    hostile = HistoryEntry(key="a\tb\nc", function="f\r\n", status="complete")
    decoded = decode_history(encode_history(hostile))
    assert decoded is not None
    assert (decoded.key, decoded.function) == ("a b c", "f  ")


@pytest.mark.parametrize(
    "value", ["", "a\tb", b"\xff\xfe", "k\tf\ts\tx\t1\t1\t1\t1\tw\ts", "k\tf\ts\tinf\t1\t1\t1\t1\tw\ts"]
)
def test_damaged_history_is_none(value: bytes | str) -> None:
    assert decode_history(value) is None


def test_more_fields_than_known_are_read() -> None:
    assert decode_history(encode_history(ENTRY) + "\tnew") == ENTRY


def test_failed_row_round_trip() -> None:
    row = FailedJob(function="f", signature="s", at_ms=5, error="KeyError: 'x'", poison=True)
    assert decode_failed(encode_failed(row)) == row
    assert b"worker" not in encode_failed(row)


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"function": 5}', b"\xff", b"[" * 5_000])
def test_damaged_rows_are_none(value: bytes | None) -> None:
    assert decode_failed(value) is None
    assert decode_signature(value) is None


def test_signature_row() -> None:
    row = decode_signature(signature_row(signature_of_text("ValueError: 5", "f"), "f", 99))
    assert row is not None
    assert (row.function, row.exception, row.message, row.first_ms) == ("f", "ValueError", "<number>", 99)


def test_the_error_line_is_the_exceptions() -> None:
    text = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    x\nValueError: no\n  more\nend\n'
    assert error_line(text) == "ValueError: no"
    assert error_line("swept") == "swept"
    assert error_line(None) == error_line("  \n ") == ""
    assert len(error_line("x" * 9_000)) == ERROR_LIMIT


def test_arguments_are_masked_and_bounded() -> None:
    text = arguments_text({"to": "ann", "password": "hunter2"})
    assert text == '{"to":"ann","password":"***"}'
    assert len(arguments_text({"a": "x" * 10_000})) == ARGUMENTS_LIMIT
    assert arguments_text(None) == arguments_text({}) == ""
    assert "object" in arguments_text({"a": object()})
