"""Nothing that a command prints or that the audit keeps holds a secret or a byte that a terminal would act on."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from typing import Any

import pytest
from redis import Redis

from quarterdeck import keys
from quarterdeck.cli import main
from quarterdeck.cli.narration import CleanFormatter
from quarterdeck.errors import UsageError
from quarterdeck.keys import keys_of
from quarterdeck.operate.command import CommandEcho

HOSTILE = "x\x1b[2J\x1b]0;pwn\x07\x9b31m\u202e\x7fy"
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SECRETS = ("t0ps3cret", "k3yt0all")


@pytest.fixture
def seeded(valkey: Any, queue_name: str) -> str:
    """A queue with a waiting and a finished job whose names, arguments and results are hostile and secret."""
    with Redis.from_url(valkey.url) as client:
        names = keys_of(queue_name)
        now = time.time_ns() // 1_000_000
        secret = {"password": SECRETS[0], "nested": [{"api_token": SECRETS[1]}], "text": HOSTILE}
        for key, status in ((f"a{HOSTILE}", "queued"), ("done", "complete")):
            job = {"function": f"fn{HOSTILE}", "queue": queue_name, "key": key, "queued": now, "kwargs": secret}
            ended = {"completed": now, "started": now, "attempts": 1, "result": secret} if status == "complete" else {}
            client.set(names.job(key), json.dumps(job | ended | {"status": status}))
            if status == "queued":
                client.rpush(names.queued, names.job(key))
                client.zadd(names.incomplete, {names.job(key): 0})
        client.sadd(keys.QUEUES, queue_name)
    return queue_name


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("jobs",),
        ("jobs", f"a{HOSTILE}"),
        ("jobs", "done"),
        ("why", f"a{HOSTILE}"),
        ("failures",),
        ("logs",),
        ("queues",),
        ("workers",),
        ("schedules", "list"),
        ("schedules", "ledger"),
        ("note", f"see {HOSTILE} password={SECRETS[0]}"),
        ("quarantine", "add", "--function", f"fn{HOSTILE}", "--reason", f"token={SECRETS[1]}"),
        ("quarantine", "list"),
        ("delete", f"a{HOSTILE}"),
        ("bulk", "list"),
    ],
    ids=lambda words: f"{words[0]}-{len(words)}-{words[-1][:4]}",
)
def test_a_command_prints_neither_secrets_nor_control_characters(
    words: tuple[str, ...], as_json: bool, seeded: str, valkey: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main([words[0], "--url", valkey.url, "--queue", seeded, *words[1:], *["--json"] * as_json])
    printed = capsys.readouterr()
    for text in (printed.out, printed.err):
        assert not ACTING.search(text)
        assert not any(secret in text for secret in SECRETS)
    if as_json:
        for line in printed.out.splitlines():
            json.loads(line)


def test_neither_does_the_audit_keep_them(seeded: str, valkey: Any, capsys: pytest.CaptureFixture[str]) -> None:
    flags = ("--url", valkey.url, "--queue", seeded)
    with Redis.from_url(valkey.url) as client:
        taken = [{"name": name, "type": "str"} for name in ("password", "api_token")]
        beat = {"name": "w", "state": "running", "functions": [{"name": "send", "parameters": taken}]}
        client.hset(keys_of(seeded).workers, "w", json.dumps(beat))
        client.zadd(keys_of(seeded).lease, {"w": time.time() * 1000 + 60_000})
        assert main(["enqueue", *flags, "send", f"password={SECRETS[0]}", f"api_token={SECRETS[1]}", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["command"].endswith(f"send 'password=\"***\"' 'api_token=\"***\"' --queue {seeded}")
        assert SECRETS[0] in str(client.get(keys_of(seeded).job(told["key"])))
        acts = str([fields for _, fields in client.xrevrange(keys.AUDIT, count=5)])
    assert "***" in acts
    assert not any(secret in acts for secret in SECRETS)


def test_an_undone_enqueue_leaves_a_job_that_has_failed_since_where_it_is(
    seeded: str, valkey: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    names = keys_of(seeded)
    flags = ("--url", valkey.url, "--queue", seeded)
    with Redis.from_url(valkey.url) as client:
        client.zadd(names.stats, {names.worker_info("stock"): int(time.time() * 1000) + 60_000})
        assert main(["enqueue", *flags, "send", "--key", "k9", "--json"]) == 0
        undo = json.loads(capsys.readouterr().out)["undo"]
        client.lrem(names.queued, 0, names.job("k9"))
        client.zrem(names.incomplete, names.job("k9"))
        client.zadd(names.failed, {"k9": 1_700_000_000_000})
        assert main(["undo", *flags, undo]) == 1
        assert "1 had started" in capsys.readouterr().out
        assert client.zscore(names.failed, "k9")
        assert client.exists(names.job("k9"))


def test_the_echo_of_an_act_masks_arguments_filters_and_reasons() -> None:
    echo = CommandEcho("--env prod")
    line = echo.of_enqueue("q", "send", {"to": "ann", "auth": {"pwd": "x"}, "pw": "hunter2"})
    assert line == "quarterdeck --env prod enqueue send 'to=\"ann\"' 'auth=\"***\"' 'pw=\"***\"' --queue q"
    assert "hunter2" not in echo.line("note", "password=hunter2", reason="token: hunter2")


def test_a_worker_tells_its_log_as_text() -> None:
    formatter = CleanFormatter("%(levelname)s %(message)s")
    try:
        raise UsageError(f"refused {HOSTILE}", "password=hunter2")
    except UsageError:
        record = logging.LogRecord("job", logging.ERROR, __file__, 1, "%s\nnext", (HOSTILE,), sys.exc_info())
    told = formatter.format(record)
    assert told.splitlines()[0].startswith("ERROR x␛[2J")
    assert told.splitlines()[1] == "next"
    assert not ACTING.search(told)
    assert "hunter2" not in told


def test_a_schedules_secrets_are_masked_and_kept_when_it_is_edited(
    seeded: str, valkey: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--url", valkey.url, "--queue", seeded)
    secret = f"password={SECRETS[0]}"
    assert main(["schedules", "add", "nightly", "0 3 * * *", "send", *flags, "--arg", "to=a", "--arg", secret]) == 0
    edit = ("schedules", "edit", "nightly", *flags, "--arg", "to=b", "--arg", "password=***", "--reason", secret)
    assert main(list(edit)) == 0
    for words in (("list",), ("show", "nightly"), ("ledger",)):
        for as_json in ([], ["--json"]):
            assert main(["schedules", *words, *flags, *as_json]) == 0
    printed = capsys.readouterr()
    assert SECRETS[0] not in printed.out + printed.err
    assert "***" in printed.out
    with Redis.from_url(valkey.url) as client:
        edits = json.loads(client.hget(keys_of(seeded).schedule_edits, "nightly"))  # type: ignore[arg-type]
        assert edits["fields"]["arguments"] == {"to": "b", "password": SECRETS[0]}
        assert SECRETS[0] not in str([fields for _, fields in client.xrevrange(keys.AUDIT, count=5)])
