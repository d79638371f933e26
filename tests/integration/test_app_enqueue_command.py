"""`quarterdeck enqueue`: checked against what live workers say, then sent, with the author's own settings."""

from __future__ import annotations

import asyncio
import json

import pytest

from quarterdeck import App
from quarterdeck.cli import main
from quarterdeck.cli.enqueue import read_arguments
from quarterdeck.errors import UsageError
from quarterdeck.worker.service import Service, ServiceOptions


@pytest.fixture
async def deck(start_valkey, queue_name):
    """A worker with one task on a server of its own; gives the server's URL and the app."""
    app = App("commanded", queues=(queue_name, f"{queue_name}-two"), url=start_valkey().url)

    @app.task(queue=f"{queue_name}-two", timeout_s=77, retries=5)
    async def send(to: str, copies: int = 1) -> str:
        return to * copies

    service = Service(app, ServiceOptions(grace_s=5))
    running = asyncio.create_task(service.run())
    assert await (await send.enqueue("up")).result(60) == "up"
    yield app
    service.worker.event.set()
    assert await asyncio.wait_for(running, 60) == 0


async def command(app: App, capsys, *words: str) -> tuple[int, str, str]:
    status = await asyncio.to_thread(main, ["enqueue", *words, "--url", app.outbox.url])
    told = capsys.readouterr()
    return status, told.out, told.err


async def test_the_job_runs_where_its_author_meant_it_to(deck, capsys, queue_name):
    status, out, _ = await command(deck, capsys, "send", "to=ann", "copies=2", "--json")
    assert status == 0
    handle = deck.handle(json.loads(out)["key"], queue=f"{queue_name}-two")
    assert await handle.result(60) == "annann"
    job = await handle.job()
    assert (job.timeout, job.retries) == (77, 5)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("send",), "to"),
        (("send", "to=ann", "copies=many"), "takes int"),
        (("send", "too=ann"), "too"),
        (("sned", "to=ann"), "send"),
        (("send", "ann"), "NAME=VALUE"),
    ],
)
async def test_what_does_not_fit_is_refused_before_it_is_sent(deck, capsys, words, says, queue_name):
    status, out, told = await command(deck, capsys, *words, "--queue", f"{queue_name}-two")
    assert (status, out) == (2, "")
    assert says in told
    assert "Traceback" not in told


async def test_a_key_that_waits_is_refused(deck, capsys):
    words = ("send", "to=ann", "--key", "k", "--delay", "60")
    assert (await command(deck, capsys, *words))[0] == 0
    status, _, told = await command(deck, capsys, *words)
    assert status == 2
    assert "queued or running already" in told


def test_arguments_are_json_where_they_read_as_json():
    assert read_arguments(["a=1", "b=x=y", 'c=["d"]', "e=", "f=null"], '{"a": 0, "z": true}') == {
        "a": 1,
        "b": "x=y",
        "c": ["d"],
        "e": "",
        "f": None,
        "z": True,
    }
    for pairs, document in ((["a"], None), (["1a=2"], None), ([], "{"), ([], "[]")):
        with pytest.raises(UsageError):
            read_arguments(pairs, document)
