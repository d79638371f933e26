"""Spans of an app: what enqueues and what runs are one trace, across the server and across attempts."""

from __future__ import annotations

import sys

import pytest
from at_work import serving
from opentelemetry import trace as api
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from quarterdeck import App
from quarterdeck.errors import JobFailedError, UsageError
from quarterdeck.watch.tracing import trace


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


@pytest.fixture
async def app(valkey, queue_name, provider):
    app = App("traced", queues=(queue_name,), url=valkey.url)
    trace(app, provider=provider)
    yield app
    await app.close()


def of_kind(exporter, kind):
    return [span for span in exporter.get_finished_spans() if span.kind is kind]


async def test_a_job_is_one_trace_from_the_caller_to_its_own_spans(app, exporter, provider, queue_name):
    tracer = provider.get_tracer("test")

    @app.task
    async def work() -> str:
        with tracer.start_as_current_span("inside"):
            return "done"

    async with serving(app):
        with tracer.start_as_current_span("request"):
            handle = await work.enqueue()
        assert await handle.result(60) == "done"
    (created,), (processed,) = of_kind(exporter, SpanKind.PRODUCER), of_kind(exporter, SpanKind.CONSUMER)
    inner = {span.name: span for span in of_kind(exporter, SpanKind.INTERNAL)}
    assert (created.name, processed.name) == (f"create {queue_name}", f"process {queue_name}")
    assert created.parent.span_id == inner["request"].context.span_id
    assert processed.parent.span_id == created.context.span_id
    assert inner["inside"].parent.span_id == processed.context.span_id
    assert len({span.context.trace_id for span in exporter.get_finished_spans()}) == 1
    assert processed.attributes["messaging.message.id"] == handle.key
    assert processed.attributes["quarterdeck.function"] == "work"
    assert processed.status.status_code is StatusCode.UNSET
    assert (await handle.job()).meta["traceparent"].split("-")[1] == f"{created.context.trace_id:032x}"


async def test_each_attempt_is_a_span_and_a_failed_one_says_why(app, exporter):
    @app.task(retries=2)
    async def broken() -> None:
        raise KeyError("tenant")

    async with serving(app):
        with pytest.raises(JobFailedError):
            await (await broken.enqueue()).result(60)
    first, second = of_kind(exporter, SpanKind.CONSUMER)
    assert [span.attributes["quarterdeck.attempt"] for span in (first, second)] == [1, 2]
    assert first.parent.span_id == second.parent.span_id
    assert first.status.status_code is StatusCode.ERROR
    assert first.events[0].attributes["exception.type"] == "KeyError"


async def test_many_jobs_have_a_span_each_and_a_foreign_meta_is_left_alone(app, exporter):
    @app.task
    async def work(number: int) -> int:
        return number

    async with serving(app):
        handles = await work.enqueue_many([(number,) for number in range(5)])
        assert [await handle.result(60) for handle in handles] == list(range(5))
        stranger = await app.queue().enqueue("work", number=7, meta={"tenant": 3, "traceparent": "nonsense"})
        assert await app.handle(stranger.key).result(60) == 7
    assert len(of_kind(exporter, SpanKind.PRODUCER)) == 5
    processed = of_kind(exporter, SpanKind.CONSUMER)
    assert len(processed) == 6
    assert [span for span in processed if span.parent is None], "what can't be read begins a trace of its own"


async def test_without_a_configured_sdk_nothing_is_added_to_jobs(valkey, queue_name):
    assert not isinstance(api.get_tracer_provider(), TracerProvider)
    app = App("quiet", queues=(queue_name,), url=valkey.url)
    trace(app)
    task = app.task(name="f")(lambda: None)
    handle = await task.enqueue()
    assert (await handle.job()).meta == {}
    await app.close()


def test_without_opentelemetry_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(UsageError, match=r"Install quarterdeck\[tracing\]"):
        trace(App("bare"))
