"""Payloads: SAQ's fields, compact, with the changing ones last; strict about what is no job, tolerant of the rest."""

from __future__ import annotations

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saq.job import Job, Status

from quarterdeck.broker import codec


class FakeQueue:
    """All that a payload needs to know of its queue."""

    name = "emails"


QUEUE = FakeQueue()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(), each, max_size=3),
    max_leaves=8,
)


def job(**fields):
    made = Job("send", **fields)
    made.queue = QUEUE
    return made


def test_defaults_are_left_out():
    fields = codec.document(job(key="k", status=Status.QUEUED, queued=5))
    assert fields == {"function": "send", "queue": "emails", "key": "k", "queued": 5, "status": "queued"}


def test_what_changes_stands_last_in_its_order():
    fields = codec.document(
        job(key="k", status=Status.ACTIVE, attempts=2, started=7, touched=8, worker_id="w", meta={"a": 1}, timeout=3)
    )
    assert list(fields)[-5:] == ["status", "attempts", "started", "touched", "worker_id"]


def test_a_waiting_job_shows_only_its_earlier_attempts():
    raw = codec.dump(codec.document(job(key="k", status=Status.QUEUED, attempts=2, started=7, worker_id="w")))
    assert raw.endswith(b',"attempts":2,"status":"queued"}')
    assert b"started" not in raw


@given(
    kwargs=st.none() | st.dictionaries(st.text(), JSON, max_size=3),
    meta=st.dictionaries(st.text(), JSON, max_size=2),
    timeout=st.integers(0, 10**6),
    retries=st.integers(0, 50),
    delay=st.floats(0, 1e6),
    status=st.sampled_from(list(Status)),
    result=JSON,
)
def test_every_job_survives_the_round_trip(kwargs, meta, timeout, retries, delay, status, result):
    before = job(
        key="k",
        kwargs=kwargs,
        meta=meta,
        timeout=timeout,
        retries=retries,
        retry_delay=delay,
        status=status,
        result=result,
    )
    after = codec.job_of(codec.load(codec.dump(codec.document(before))), QUEUE)
    for field in dataclasses.fields(Job):
        if status is Status.QUEUED and field.name in {"started", "touched", "worker_id"}:
            continue
        assert getattr(after, field.name) == getattr(before, field.name), field.name


def test_stock_reads_ours_and_we_read_stocks():
    ours = job(key="k", kwargs={"a": [1]}, status=Status.QUEUED)
    fields = json.loads(codec.dump(codec.document(ours)))
    assert Job(**{**fields, "queue": None}).kwargs == {"a": [1]}
    stock = json.dumps({**ours.to_dict(), "status": "queued"})
    assert codec.job_of(codec.load(stock), QUEUE).kwargs == {"a": [1]}


def test_unknown_fields_of_other_versions_are_let_go():
    fields = codec.load(b'{"function":"f","queue":"emails","key":"k","status":"queued","shiny":1}')
    assert "shiny" not in codec.job_of(fields, QUEUE).__dict__


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"queue":"emails","key":"k","status":"queued"}',
        b'{"function":1,"queue":"emails","key":"k","status":"queued"}',
        b'{"function":"f","queue":"emails","key":"k","status":"queued","kwargs":[1]}',
        b'{"function":"f","queue":"emails","key":"k","status":"queued","attempts":"two"}',
    ],
)
def test_what_is_no_job_says_so(raw):
    with pytest.raises(codec.PayloadError):
        codec.load(raw)


def test_another_queues_job_and_an_unknown_status_are_refused():
    with pytest.raises(codec.PayloadError, match="other"):
        codec.job_of(codec.load(b'{"function":"f","queue":"other","key":"k","status":"queued"}'), QUEUE)
    with pytest.raises(codec.PayloadError, match="asleep"):
        codec.job_of(codec.load(b'{"function":"f","queue":"emails","key":"k","status":"asleep"}'), QUEUE)


@pytest.mark.parametrize("beyond", [math.nan, math.inf, -math.inf])
def test_numbers_beyond_json_are_written_as_saq_writes_them(beyond):
    made = job(key="k", kwargs={"rate": beyond, "none": None}, result=[1, {"x": (beyond,)}])
    made.status = Status.COMPLETE
    raw = codec.dump(codec.document(made))
    stock = json.loads(raw)  # what a stock client does
    assert stock["kwargs"]["none"] is None
    for found in (stock["kwargs"]["rate"], stock["result"][1]["x"][0], codec.load(raw)["result"][1]["x"][0]):
        assert found == beyond or (math.isnan(found) and math.isnan(beyond))


def test_a_payload_of_numbers_beyond_json_still_ends_as_scripts_expect():
    made = job(key="k", kwargs={"rate": math.nan})
    made.status = Status.QUEUED
    assert codec.dump(codec.document(made)).endswith(b',"status":"queued"}')


def test_stocks_nan_and_lone_surrogates_are_read_and_written():
    fields = codec.load(b'{"function":"f","queue":"emails","key":"k","status":"complete","result":NaN}')
    assert math.isnan(fields["result"])
    raw = codec.dump({"text": "\ud800", "big": 1 << 100})
    assert json.loads(raw) == {"text": "\ud800", "big": 1 << 100}


@pytest.mark.parametrize("value", [object(), {("a", "b"): 1}, [lambda: None]])
def test_what_json_can_not_hold_is_refused_with_a_cure(value):
    with pytest.raises(codec.ResultError, match=r"JSON.*plain data"):
        codec.dump({"result": value})


def test_a_result_that_contains_itself_is_refused():
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(codec.ResultError):
        codec.dump(circle)


def test_convert_takes_decoded_fields():
    fields = codec.convert({"function": "f", "queue": "emails", "key": "k", "status": Status.ACTIVE})
    assert codec.job_of(fields, QUEUE).status is Status.ACTIVE
    with pytest.raises(codec.PayloadError):
        codec.convert({"function": 5})
