"""The HTTP application. Reading needs no token on the loopback address; acting always needs one.

`GET /healthz` · `GET /metrics` · `GET /api/v1/snapshot?screen=…&queue=…&filter=…&offset=…&limit=…` ·
`POST /api/v1/enqueue` · `POST /api/v1/act` · `POST /api/v1/undo` · `POST /api/v1/queues/{queue}/{pause|resume}` ·
`POST /api/v1/schedules/{queue}/{name}/{pause|resume|run|skip}`
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import msgspec
from aiohttp import web

from quarterdeck.errors import ExitStatus, QuarterdeckError, UnreachableError, UsageError
from quarterdeck.model import Operator, Outcome, Screen, Source, View
from quarterdeck.serve.bodies import ActBody, EnqueueBody, PauseBody, RunBody, UndoBody
from quarterdeck.settings import nearest
from quarterdeck.watch.metrics import CONTENT_TYPE, exposition

SOURCE: Final = web.AppKey("source", Source)
OPERATOR: Final = web.AppKey("operator", Operator)
TOKEN: Final = web.AppKey("token", str)
OPEN_READS: Final = web.AppKey("open_reads", bool)

MOST_ROWS: Final = 1_000
Body = TypeVar("Body", bound=msgspec.Struct)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(
    source: Source, operator: Operator | None, *, token: str = "", open_reads: bool = True
) -> web.Application:
    """The application. Without an operator, or without a token, nothing can be done, only read.

    `open_reads` lets anyone read; else reading needs the token too.
    """
    app = web.Application(middlewares=[_errors, _authorised], client_max_size=1024**2)
    app[SOURCE] = source
    app[TOKEN] = token
    app[OPEN_READS] = open_reads
    app.router.add_get("/healthz", _health)
    app.router.add_get("/metrics", _metrics)
    app.router.add_get("/api/v1/snapshot", _snapshot)
    if operator is not None and token:
        app[OPERATOR] = operator
        app.router.add_post("/api/v1/enqueue", _enqueue)
        app.router.add_post("/api/v1/act", _act)
        app.router.add_post("/api/v1/undo", _undo)
        app.router.add_post("/api/v1/queues/{queue}/{verb:pause|resume}", _queue)
        app.router.add_post("/api/v1/schedules/{queue}/{name}/{verb:pause|resume|run|skip}", _schedule)
    return app


@web.middleware
async def _errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except UnreachableError as error:
        return _json({"error": error.message, "cure": error.cure}, status=503)
    except QuarterdeckError as error:
        return _json(
            {"error": error.message, "cure": error.cure}, status=400 if error.exit_status is ExitStatus.USAGE else 409
        )
    except msgspec.ValidationError as error:
        return _json({"error": f"The body can't be read: {error}.", "cure": ""}, status=400)
    except msgspec.DecodeError as error:
        return _json({"error": f"The body is not JSON: {error}.", "cure": ""}, status=400)
    except web.HTTPException as error:
        return _json({"error": f"{error.reason}: {request.method} {request.path}.", "cure": ""}, status=error.status)


@web.middleware
async def _authorised(request: web.Request, handler: Handler) -> web.StreamResponse:
    app = request.app
    free = request.path == "/healthz" or (request.method == "GET" and app[OPEN_READS])
    if not free and not _has_token(request):
        return _json({"error": "This needs a token.", "cure": "Send Authorization: Bearer TOKEN."}, status=401)
    return await handler(request)


def _has_token(request: web.Request) -> bool:
    token = request.app[TOKEN]
    given = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _json(value: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


async def _health(request: web.Request) -> web.Response:
    snapshot = await request.app[SOURCE].snapshot(View(limit=0))
    return _json(
        {"verdict": snapshot.verdict.level, "headline": snapshot.verdict.headline, "taken_ms": snapshot.taken_ms}
    )


async def _metrics(request: web.Request) -> web.Response:
    snapshot = await request.app[SOURCE].snapshot(View(screen=Screen.METRICS))
    return web.Response(body=exposition(snapshot), headers={"Content-Type": CONTENT_TYPE})


async def _snapshot(request: web.Request) -> web.Response:
    unknown = [name for name in request.query if name not in View.__struct_fields__]
    if unknown:
        raise UsageError(f"The query can't hold '{unknown[0]}'.", nearest(unknown[0], View.__struct_fields__))
    try:
        view = msgspec.convert(dict(request.query), View, strict=False)
    except msgspec.ValidationError as error:
        raise UsageError(f"The query can't be read: {error}.") from error
    limited = msgspec.structs.replace(view, limit=min(max(view.limit, 0), MOST_ROWS))
    return _json(await request.app[SOURCE].snapshot(limited))


async def _body(request: web.Request, shape: type[Body]) -> Body:
    return msgspec.json.decode(await request.read() or b"{}", type=shape)


def _outcome(outcome: Outcome) -> web.Response:
    return _json(outcome, status=409 if outcome.trouble and not outcome.done else 200)


async def _enqueue(request: web.Request) -> web.Response:
    body = await _body(request, EnqueueBody)
    outcome = await request.app[OPERATOR].enqueue(
        body.queue, body.function, body.arguments, key=body.key, delay_s=body.delay_s
    )
    return _outcome(outcome)


async def _act(request: web.Request) -> web.Response:
    body = await _body(request, ActBody)
    if body.dry_run:
        return _json(await request.app[OPERATOR].preview(body.verb, body.selection))
    return _outcome(await request.app[OPERATOR].act(body.verb, body.selection, reason=body.reason, pace=body.pace))


async def _undo(request: web.Request) -> web.Response:
    body = await _body(request, UndoBody)
    return _outcome(await request.app[OPERATOR].undo(body.act))


async def _queue(request: web.Request) -> web.Response:
    operator, queue = request.app[OPERATOR], request.match_info["queue"]
    if request.match_info["verb"] == "resume":
        return _outcome(await operator.resume_queue(queue))
    body = await _body(request, PauseBody)
    known = {stat.name for stat in (await request.app[SOURCE].snapshot(View(screen=Screen.QUEUES, limit=0))).queues}
    if queue not in known:  # a slip would leave running what was meant
        raise UsageError(f"There is no queue '{queue}'.", nearest(queue, known))
    return _outcome(await operator.pause_queue(queue, for_s=body.for_s, reason=body.reason))


async def _schedule(request: web.Request) -> web.Response:
    operator = request.app[OPERATOR]
    queue, name, verb = (request.match_info[part] for part in ("queue", "name", "verb"))
    if verb == "resume":
        return _outcome(await operator.resume_schedule(queue, name))
    if verb == "skip":
        return _outcome(await operator.skip_next(queue, name))
    if verb == "run":
        run = await _body(request, RunBody)
        return _outcome(await operator.run_schedule(queue, name, arguments=run.arguments))
    pause = await _body(request, PauseBody)
    return _outcome(await operator.pause_schedule(queue, name, for_s=pause.for_s, reason=pause.reason))
