"""`quarterdeck doctor`: what is well, what will hurt, with its cure, and the exit status that says so."""

from __future__ import annotations

import json
import time

import pytest
import redis

from quarterdeck import cli
from quarterdeck.broker.checkup import Level, _clock, _durability, _limits, _memory
from quarterdeck.cli.surroundings import look_at_settings, look_at_terminal
from quarterdeck.keys import keys_of
from quarterdeck.settings import Settings


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """A directory without settings files, none of the user's, and a data directory of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / ".git").mkdir()


@pytest.fixture
def doctor(capsys):
    """Run the doctor; returns the exit status and the findings by check (the worst of each)."""

    def run(*argv):
        status = cli.main(["doctor", "--json", *argv])
        findings = json.loads(capsys.readouterr().out)
        order = list(Level)
        findings.sort(key=lambda finding: order.index(Level(finding["level"])))
        return status, {finding["check"]: finding for finding in findings}

    return run


def test_a_sound_server_is_found_sound(start_valkey, doctor, queue_name):
    server = start_valkey(appendonly="yes")
    status, found = doctor("--url", server.url, "--queue", queue_name)
    assert status == 0
    assert all(finding["level"] != "trouble" for finding in found.values())
    assert found["version"]["message"].startswith("Valkey")
    assert found["eviction"]["message"] == "noeviction"
    assert found["service"]["message"] == f"no live worker serves {queue_name}"


def test_the_embedded_server_is_started_to_be_looked_at(doctor, tmp_path):
    status, found = doctor()
    assert status == 0
    assert found["embedded"]["message"].startswith("ready after")
    assert str(tmp_path / "data") in found["data"]["message"]
    assert found["durability"]["level"] == "ok"


def test_an_evicting_server_is_trouble(start_valkey, doctor):
    status, found = doctor("--url", start_valkey(maxmemory_policy="volatile-lru").url)
    assert status == 1
    assert found["eviction"]["level"] == "trouble"
    assert "noeviction" in found["eviction"]["cure"]
    assert found["durability"]["level"] == "note"


def test_a_full_server_and_short_time_outs(start_valkey, doctor):
    server = start_valkey(maxmemory="3mb", timeout=5)
    with redis.Redis(unix_socket_path=server.socket) as client, pytest.raises(redis.OutOfMemoryError):
        for number in range(100):
            client.set(f"k{number}", "x" * 100_000)
    status, found = doctor("--url", server.url)
    assert status == 1
    assert found["memory"]["level"] == "trouble"
    assert "idle for 5 s" in found["time-outs"]["message"]


def test_deck_stock_and_broken_queues_are_told_apart(start_valkey, doctor):
    server = start_valkey()
    later_ms = 1000 * (time.time() + 100)
    with redis.Redis(unix_socket_path=server.socket) as client:
        client.zadd(keys_of("ours").lease, {"w": later_ms})
        client.zadd(keys_of("theirs").stats, {"w": later_ms})
        client.zadd(keys_of("nobodys\x1b[2J").incomplete, {"j": 1})
        client.set(keys_of("bad").stats, "a string")
    status, found = doctor("--url", server.url)
    assert status == 0 or found["service"]["level"] == "trouble"
    cli_status, found = doctor("--url", server.url, "--queue", "ours")
    assert cli_status == 0
    assert found["service"]["message"] == "deck workers serve ours"
    _, found = doctor("--url", server.url, "--queue", "theirs")
    assert "stock SAQ workers serve theirs" in found["service"]["message"]
    status, found = doctor("--url", server.url, "--queue", "bad")
    assert status == 1
    assert "wrong type" in found["service"]["message"]
    _, found = doctor("--url", server.url, "--queue", "nobodys\x1b[2J")
    assert "\x1b" not in found["service"]["message"]


def test_a_server_that_is_not_there_is_status_3_and_the_rest_is_still_told(doctor, tmp_path):
    status, found = doctor("--url", f"unix://{tmp_path}/none.sock")
    assert status == 3
    assert "Nothing listens" in found["connection"]["message"]
    assert "settings" in found
    assert "terminal" in found


def test_a_password_is_not_told(start_valkey, doctor):
    server = start_valkey(requirepass="hunter2")
    status, found = doctor("--url", server.url.replace("unix://", "unix://:hunter2@"))
    assert status == 0
    assert "hunter2" not in json.dumps(found)


def test_the_text_is_for_people(valkey, capsys):
    assert cli.main(["doctor", "--url", valkey.url]) == 0
    printed = capsys.readouterr()
    assert "eviction" in printed.out
    assert printed.err == "No trouble found.\n"


def levels(findings):
    return [finding.level.value for finding in findings]


def test_bounds_of_the_clock():
    assert levels(_clock(0.1)) == ["ok"]
    assert levels(_clock(-5)) == ["note"]
    assert levels(_clock(3600)) == ["trouble"]


def test_bounds_of_memory_and_disk():
    assert levels(_memory({})) == []
    assert levels(_memory({"used_memory": 5})) == ["ok"]
    assert levels(_memory({"used_memory": 95, "maxmemory": 100})) == ["trouble"]
    assert levels(_durability({"aof_enabled": 1})) == ["ok"]
    assert levels(_durability({"aof_enabled": 1, "aof_last_write_status": "err"})) == ["trouble"]
    assert levels(_durability({"rdb_last_bgsave_status": "err"})) == ["trouble"]


def test_bounds_of_clients_and_time_outs():
    assert levels(_limits({}, {})) == ["note"]
    assert levels(_limits({"connected_clients": 95}, {"maxclients": "100", "tcp-keepalive": "1"})) == ["trouble", "ok"]
    assert levels(_limits({}, {"timeout": "0", "tcp-keepalive": "0"})) == ["note"]


def test_settings_and_secrets(tmp_path):
    path = tmp_path / "quarterdeck.toml"
    path.write_text("url = 'redis://:hunter2@db'")
    path.chmod(0o644)
    found = list(look_at_settings(Settings(files=(str(path),), style="/no/such.tcss")))
    assert levels(found) == ["ok", "ok", "trouble", "note"]
    assert "hunter2" not in str(found)
    path.chmod(0o600)
    assert levels(look_at_settings(Settings(files=(str(path),)))) == ["ok", "ok"]


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TERM": "dumb"}, "can't be painted on"),
        ({"TERM": "xterm-256color"}, "256 colours"),
        ({"TERM": "xterm", "COLORTERM": "truecolor", "TMUX": "x", "SSH_TTY": "y"}, "24-bit colours, in tmux, ssh"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "no colours"),
    ],
)
def test_terminals(monkeypatch, environ, words):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert words in next(look_at_terminal(environ)).message
