"""A job's fields as callers of SAQ write them."""

from __future__ import annotations

import math
from decimal import Decimal
from enum import IntEnum
from uuid import UUID

import pytest
from saq.job import Job

from quarterdeck.broker import codec
from quarterdeck.broker.enqueuer import due_text
from quarterdeck.broker.fields import LONGEST_S, amended, check, checked, lifetime_s


class Patience(IntEnum):
    """A number that is not one."""

    LONG = 60


@pytest.mark.parametrize(
    ("name", "given", "stored"),
    [
        ("timeout", 5, 5),
        ("timeout", None, None),
        ("timeout", "30", 30),
        ("timeout", Patience.LONG, 60),
        ("timeout", math.inf, math.inf),
        ("heartbeat", None, None),
        ("retries", None, 1),
        ("retries", True, 1),
        ("retry_delay", None, 0.0),
        ("retry_delay", "0.5", 0.5),
        ("retry_backoff", None, True),
        ("retry_backoff", False, False),
        ("retry_backoff", 3.5, 3.5),
        ("ttl", None, 600),
        ("scheduled", None, 0),
        ("scheduled", False, 0),
        ("progress", None, 0.0),
        ("key", 42, "42"),
        ("key", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("worker_id", 7, "7"),
        ("error", None, None),
        ("meta", {"a": 1}, {"a": 1}),
    ],
)
def test_a_field_is_stored_as_what_it_means(name, given, stored):
    found = checked(name, given)
    assert (found, type(found)) == (stored, type(stored))


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("timeout", "soon"),
        ("timeout", [1]),
        ("timeout", math.nan),
        ("ttl", object()),
        ("retry_delay", Decimal("0.5")),
        ("retry_backoff", "x"),
        ("scheduled", "tomorrow"),
        ("scheduled", math.nan),
        ("scheduled", math.inf),
    ],
)
def test_what_a_field_cant_mean_is_refused_by_its_name(name, given):
    with pytest.raises((TypeError, ValueError), match=name):
        checked(name, given)


def test_a_job_that_somebody_made_is_corrected_in_place():
    job = Job("f", key=5, ttl=None, scheduled=None)
    check(job)
    assert (job.key, job.ttl, job.scheduled, job.timeout) == ("5", 600, 0, 10)


@pytest.mark.parametrize(
    ("ttl", "seconds"),
    [
        (600, 600),
        (0, 0),
        (-1, -1),
        (1.5, 2),
        (0.2, 1),
        (True, 1),
        (None, 600),
        ("60", 60),
        ("soon", 600),
        (math.nan, 600),
        (math.inf, 0),
        (LONGEST_S, 0),
        (10**30, 0),
    ],
)
def test_how_long_a_result_is_kept_is_what_the_server_takes(ttl, seconds):
    found = lifetime_s(ttl)
    assert (found, type(found)) == (seconds, int)


@pytest.mark.parametrize(("scheduled", "text"), [(0, "0"), (0.0, "0"), (-5, "0"), (12, "12"), (1.5, "1.5")])
def test_a_job_is_due_now_unless_it_is_due_later(scheduled, text):
    assert due_text(scheduled) == text


def test_a_stored_job_keeps_what_cant_be_corrected():
    assert amended({"timeout": "soon", "kwargs": [], "key": 3}) == {"timeout": "soon", "kwargs": None, "key": "3"}


@pytest.mark.parametrize(
    ("raw", "name", "value"),
    [
        (b'"key":42', "key", "42"),
        (b'"key":"k","ttl":true', "ttl", 1),
        (b'"key":"k","retry_delay":null', "retry_delay", 0.0),
        (b'"key":"k","retry_backoff":null', "retry_backoff", True),
        (b'"key":"k","scheduled":null', "scheduled", 0),
        (b'"key":"k","timeout":"5"', "timeout", 5),
        (b'"key":"k","kwargs":[]', "kwargs", None),
        (b'"key":"k","worker_id":7', "worker_id", "7"),
    ],
)
def test_what_stock_clients_store_and_stock_workers_run_is_read(raw, name, value):
    assert codec.load(b'{"function":"f","queue":"q","status":"queued",' + raw + b"}")[name] == value
