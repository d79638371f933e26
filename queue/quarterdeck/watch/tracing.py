"""Tracing with OpenTelemetry: one span for what an app enqueues, one for each attempt, joined across the server.

    from quarterdeck.watch.tracing import trace

    trace(app)      # needs quarterdeck[tracing]; without a configured SDK its spans go nowhere

The context travels in the job's `meta`, in the W3C's fields (`traceparent`, `tracestate`, `baggage`) or what else the
process' propagator writes, so that other clients and workers of the queue may join in. Names and attributes follow
OpenTelemetry's conventions for messaging.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from quarterdeck.errors import UsageError

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider
    from saq.job import Job

    from quarterdeck.app import App, JobContext

SYSTEM = "saq"


def trace(app: App, *, provider: TracerProvider | None = None) -> None:
    """Trace what `app` enqueues and what its workers run, with the global tracer provider unless one is given.

    Call it once, where the app is defined. Jobs that a flow enqueues on the server begin a trace of their own.
    Raises UsageError when OpenTelemetry is not installed.
    """
    try:
        from opentelemetry import propagate
        from opentelemetry.trace import SpanKind, get_tracer
    except ModuleNotFoundError as error:
        raise UsageError(f"Tracing needs {error.name}.", "Install quarterdeck[tracing].") from None
    tracer = get_tracer("quarterdeck", tracer_provider=provider)

    def create(queue: str, job: Job) -> None:
        said = _attributes("create", queue, job.function, job.key)
        with tracer.start_as_current_span(f"create {queue}", kind=SpanKind.PRODUCER, attributes=said):
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
            if carrier:
                job.meta = {**job.meta, **carrier}

    async def process(job: JobContext) -> AsyncIterator[None]:
        said = {**_attributes("process", job.queue, job.function, job.key), "quarterdeck.attempt": job.attempt}
        parent = propagate.extract({name: value for name, value in job.meta.items() if isinstance(value, str)})
        with tracer.start_as_current_span(
            f"process {job.queue}", context=parent, kind=SpanKind.CONSUMER, attributes=said
        ):
            yield

    app.outbox.before.append(create)
    app.middleware(process)


def _attributes(operation: str, queue: str, function: str, key: str) -> dict[str, Any]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.type": operation,
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
        "messaging.message.id": key,
        "quarterdeck.function": function,
    }
