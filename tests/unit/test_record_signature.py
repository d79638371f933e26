"""Failures with one cause get one signature, from the exception and from its text alike."""

from __future__ import annotations

import time
import traceback

import pytest

from quarterdeck.record.signature import MESSAGE_LIMIT, normalise, signature_of, signature_of_text


def _raised(exc: BaseException) -> BaseException:
    try:
        raise exc
    except BaseException as raised:
        return raised


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("user 4711 not found", "user <number> not found"),
        ("order 8f14e45f-ceea-4e1c-9b43-5f1d2c8b7a10 is gone", "order <uuid> is gone"),
        ("at 0x7f3a2b10", "at <hex>"),
        ("digest d41d8cd98f00b204e9800998ecf8427e differs", "digest <hex> differs"),
        ("no such file: '/tmp/a b/c.csv'", "no such file: '…'"),
        ("cannot open /var/lib/app/data.db now", "cannot open <path> now"),
        ("mail to ann@example.org bounced", "mail to <address> bounced"),
        ("can't reach 10.0.0.7:5432", "can't reach <host>:5432"),
        ("can't reach 10.0.0.7:51234", "can't reach <host>"),
        ("smtp:25 refused", "smtp:25 refused"),
        ("[Errno 111] Connect call failed ('127.0.0.1', 5432)", "[Errno 111] Connect call failed (<host>:5432)"),
        ("HTTP 503 from https://api.example.com/v1/charges/ch_12?x=1", "HTTP 503 from https://api.example.com/…"),
        ("due 2026-11-03T02:14:09Z passed", "due <time> passed"),
        ("worker job-17 died after 3.5 s", "worker <id> died after <number> s"),
        ("don't say 'x' or \"y\"", "don't say '…' or '…'"),
        ("first line\nsecond line 7", "first line"),
        ("", ""),
    ],
)
def test_what_varies_becomes_a_placeholder(message: str, expected: str) -> None:
    assert normalise(message) == expected


def test_a_message_is_bounded() -> None:
    assert len(normalise("word " * 10_000)) == MESSAGE_LIMIT


def test_a_password_in_a_message_is_masked() -> None:
    assert "hunter2" not in normalise("login failed, password=hunter2 at redis://bob:hunter2@db:6379/0")


@pytest.mark.parametrize("message", ["'" * 5000, '"\\' * 2500, "a_" * 2500 + "!", "/" * 5000, "f" * 5000, "1." * 2500])
def test_normalising_takes_linear_time(message: str) -> None:
    start = time.thread_time()
    normalise(message)
    assert time.thread_time() - start < 0.5


@pytest.mark.parametrize(
    "exc",
    [
        ValueError("user 12 has no mail"),
        KeyError("tenant_id"),
        TimeoutError(),
        ConnectionError("refused by 10.1.2.3:5432"),
        RuntimeError("first\n  second\nthird"),
        ExceptionGroup("several", [ValueError("a"), KeyError("b")]),
    ],
)
def test_exception_and_its_text_have_one_signature(exc: Exception) -> None:
    raised = _raised(exc)
    text = "".join(traceback.format_exception(raised))
    assert signature_of_text(text, "send_email") == signature_of(raised, "send_email")


def test_a_chained_text_is_the_last_exception() -> None:
    try:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ValueError("outer 5") from error
    except ValueError as error:
        raised = error
    found = signature_of_text("".join(traceback.format_exception(raised)), "f")
    assert found == signature_of(raised, "f")
    assert (found.exception, found.message) == ("ValueError", "outer <number>")


def test_same_cause_other_values_same_id() -> None:
    first = signature_of(_raised(ValueError("user 1 has no mail")), "send_email")
    assert first.id == signature_of(_raised(ValueError("user 23 has no mail")), "send_email").id
    assert len(first.id) == 12
    assert int(first.id, 16) >= 0


def test_other_function_type_or_name_other_id() -> None:
    ids = {
        signature_of(_raised(KeyError("tenant_id")), "f").id,
        signature_of(_raised(KeyError("user_id")), "f").id,
        signature_of(_raised(KeyError("tenant_id")), "g").id,
        signature_of(_raised(LookupError("tenant_id")), "f").id,
    }
    assert len(ids) == 4


def test_the_frame_is_the_innermost_of_the_app() -> None:
    text = """Traceback (most recent call last):
  File "/srv/venv/lib/python3.12/site-packages/saq/worker.py", line 300, in process
    result = await x
  File "/srv/app/tasks/export.py", line 88, in export_csv
    row["tenant_id"]
  File "/usr/lib/python3.12/json/decoder.py", line 5, in decode
    raise
KeyError: 'tenant_id'
"""
    assert signature_of_text(text, "export_csv").frame == "export.py:88 in export_csv"
    moved = text.replace("line 88", "line 90")
    assert signature_of_text(moved, "export_csv").id == signature_of_text(text, "export_csv").id


def test_a_windows_path_is_understood() -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "C:\\app\\tasks\\mail.py", line 3, in send\n    x\n'
        '  File "C:\\Python312\\Lib\\smtplib.py", line 9, in connect\n    y\n'
        "OSError: no\n"
    )
    assert signature_of_text(text, "send").frame == "mail.py:3 in send"


@pytest.mark.parametrize(
    ("text", "exception", "message"),
    [
        ("swept", "", "swept"),
        ("cancelled", "", "cancelled"),
        ("aborted by ann: wrong tenant 4", "", "aborted by ann: wrong tenant <number>"),
        ("ValueError: no 7", "ValueError", "no <number>"),
        ("redis.exceptions.ConnectionError: gone", "ConnectionError", "gone"),
        ("", "", ""),
        ("Traceback (most recent call last):", "", ""),
    ],
)
def test_texts_without_a_traceback(text: str, exception: str, message: str) -> None:
    found = signature_of_text(text, "f")
    assert (found.exception, found.message) == (exception, message)


def test_an_exception_that_cannot_be_printed() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    assert signature_of(_raised(Broken()), "f").exception == "Broken"
