"""The filter's grammar: what it means, and what it says when it can't be read."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from quarterdeck.errors import UsageError
from quarterdeck.inspect.filter import FilterError, parse_filter
from quarterdeck.model import JobRow, JobState, LogRow

NOW_MS = 10_000_000
JOB = JobRow(
    id="emails/k1",
    queue="emails",
    key="order:17",
    function="send_email",
    state=JobState.FAILED,
    attempts=3,
    queued_ms=NOW_MS - 900_000,
    finished_ms=NOW_MS - 600_000,
    arguments='{"tenant":7,"to":"ann@example.org","flag":true}',
    error="ConnectionError: smtp:25 refused",
    signature="abc123abc123",
    worker="web-1:4123",
    duration_ms=1500,
    payload_bytes=20_000,
)


def _holds(text: str, row: Any = JOB) -> bool:
    return parse_filter(text).matches(row, now_ms=NOW_MS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "send",
        "SMTP",
        "fn:send_email",
        "fn:EMAIL",
        "fn:=send_email",
        "q:emails",
        "key:order",
        "key:order:17",
        'key:"order:17"',
        "arg:ann@",
        "arg:tenant=7",
        "arg:to=ann@example.org",
        "arg:flag=true",
        "err:refused",
        'err:"smtp:25 refused"',
        "sig:abc123",
        "worker:web-1",
        "state:failed",
        "age>5m",
        "age>=10m",
        "age=10m",
        "age<1h",
        "age<0.5d",
        "attempts>2",
        "attempts:3",
        "took>1s",
        "took<2000ms",
        "bytes>10kb",
        "fn:send_email err:refused",
        "fn:nope OR err:refused",
        "NOT fn:nope",
        "not fn:nope",
        "-fn:nope",
        "fn:nope OR (q:emails AND attempts>2)",
        "NOT (fn:nope OR q:slow)",
        "fn:nope AND fn:nope OR fn:send",
        r"~smtp:\d+",
        "fn:~^send",
        'err:~"25 ref"',
        '~"^connection.*refused$"',
        "https://x OR send",
    ],
)
def test_it_fits(text: str) -> None:
    assert _holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "nope",
        "fn:=send",
        "q:=email",
        "arg:tenant=70",
        "arg:tenant=",
        "arg:to=ann",
        "age>15m",
        "attempts>3",
        "took>2s",
        "bytes<1kb",
        "fn:send AND err:nope",
        "fn:nope OR err:nope",
        "NOT fn:send",
        "fn:send AND (fn:nope OR err:nope)",
        "~^smtp$",
        "count>1",
        "https://x",
    ],
)
def test_it_does_not_fit(text: str) -> None:
    assert not _holds(text)


@pytest.mark.parametrize(
    ("text", "position", "says"),
    [
        ("fm:x", 0, "Did you mean 'fn'"),
        ("a foo:1", 2, "there is no 'foo'"),
        ("(a", 0, "not closed"),
        ("a)", 1, "one too many"),
        ("a OR", 4, "condition is missing"),
        ("AND", 0, "condition is missing"),
        ("()", 1, "condition is missing"),
        ("NOT", 3, "condition is missing"),
        ("age>x", 0, "age>5m"),
        ("age>5y", 0, "age>5m"),
        ("attempts>", 0, "attempts>2"),
        ("attempts>2m", 0, "attempts>2"),
        ("fn>3", 0, "is a text"),
        ("fn:", 0, "names nothing"),
        ("~", 0, "expression is missing"),
        ("~[", 0, "no regular expression"),
        ('a "b', 2, "not closed"),
        ("x" * 1001, 1000, "1,001 characters"),
        ("(" * 60 + "a" + ")" * 60, 50, "nested too deeply"),
        ("NOT " * 60 + "a", 200, "nested too deeply"),
    ],
)
def test_an_error_names_the_place_and_the_cure(text: str, position: int, says: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse_filter(text)
    assert raised.value.position == position
    assert says in str(raised.value)
    assert raised.value.cure
    assert raised.value.exit_status == 2


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", r"(\w+\s?)+!$"])
def test_an_expression_can_not_hang(pattern: str) -> None:
    row = JobRow(id="x", queue="q", key="k", function="f", state=JobState.FAILED, error="a" * 4000 + "!b")
    parsed = parse_filter(f'~"{pattern}"')
    started = time.perf_counter()
    with contextlib.suppress(UsageError):  # it may also give up, and say so
        for _ in range(200):
            parsed.matches(row, now_ms=0)
    assert time.perf_counter() - started < 30  # years, if it could


def test_an_empty_filter_is_false() -> None:
    assert not parse_filter("")
    assert parse_filter("x")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("fn:=send", "send"),
        ("fn:=send err:x", "send"),
        ("fn:send", None),
        ("fn:=a OR fn:=b", None),
        ("NOT fn:=a", None),
        ("(x (fn:=a))", "a"),
    ],
)
def test_what_every_match_has_is_known(text: str, value: str | None) -> None:
    assert parse_filter(text).required("fn") == value


def test_log_lines_can_be_filtered() -> None:
    line = LogRow(id="1-0", at_ms=NOW_MS - 5_000, level="ERROR", text="smtp refused", key="k1", function="send_email")
    assert _holds("smtp", line)
    assert _holds("state:error level:=error", line)
    assert _holds("text:refused fn:send age<1m", line)
    assert not _holds("attempts>0", line)


def test_hostile_texts_are_only_texts() -> None:
    for text in ("\x1b[2J", "[red]", "\x00", "ünïcode", "日本", "'", "\\", "%s{}"):
        parse_filter(text).matches(JOB, now_ms=NOW_MS)
