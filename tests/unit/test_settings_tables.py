"""A settings file with a mistake in it: the file, the key and the nearest right one are named."""

from __future__ import annotations

import tomllib

import pytest

from quarterdeck.errors import SettingsError
from quarterdeck.settings import ROLES, nearest
from quarterdeck.settings.tables import checked

WHOLE = """
default = "prod"
app = "myapp:app"
confirm_above = 50
ascii = true

[keys]
retry = "R"

[env.prod]
url_from = "PROD_URL"
queues = ["default", "emails"]
protected = true
role = "operate"
style = "prod.tcss"
refresh_s = 2

[env.dev]
url = "redis://localhost"
read_only = false

[serve]
port = 9000
"""


def check(text):
    return checked(tomllib.loads(text), "quarterdeck.toml")


def test_a_whole_file_is_read():
    table = check(WHOLE)
    assert table.default == "prod"
    assert table.keys == {"retry": "R"}
    assert table.env["prod"].queues == ("default", "emails")
    assert table.env["prod"].role == "operate"
    assert table.env["prod"].refresh_s == 2.0
    assert table.env["dev"].protected is None
    assert (table.serve.port, table.serve.host) == (9000, None)


def test_an_empty_file_says_nothing():
    assert check("").env == {}
    assert check("").url is None


@pytest.mark.parametrize(
    ("text", "key", "cure"),
    [
        ("red_only = true", "'red_only'", "Did you mean 'read_only'?"),
        ("[env.prod]\nprotect = true", "'env.prod.protect'", "Did you mean 'protected'?"),
        ("[env.prod]\nkeys = {}", "'env.prod.keys'", "queues"),
        ("[key]\nretry = 'R'", "'key'", "Did you mean 'keys'?"),
        ("[serve]\nprt = 1", "'serve.prt'", "Did you mean 'port'?"),
        ("[watch]\nwebhook = []", "'watch.webhook'", "Did you mean 'webhooks'?"),
        ("xyzzy = 1", "'xyzzy'", "Known: app, ascii"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_right_one(text, key, cure):
    with pytest.raises(SettingsError) as caught:
        check(text)
    assert caught.value.message.startswith("quarterdeck.toml: ")
    assert key in caught.value.message
    assert cure in caught.value.cure
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("read_only = 'yes'", "'read_only'", "expected true or false, got text"),
        ("confirm_above = 'many'", "'confirm_above'", "a number"),
        ("confirm_above = -1", "'confirm_above'", ">= 0"),
        ("refresh_s = 0", "'refresh_s'", "> 0"),
        ("url = 5", "'url'", "text"),
        ("queues = 'default'", "'queues'", "a list"),
        ("[keys]\nretry = 5", "'keys.retry'", "text"),
        ("env = 5", "'env'", "a table"),
        ("[serve]\nport = 99999", "'serve.port'", "<= 65535"),
        ("[watch]\nwebhooks = 'http://x'", "'watch.webhooks'", "a list"),
        ("[env]\nprod = 5", "'env.prod'", "a table"),
        ("[env.a]\n[env.prod]\nurl = 5", "'env.prod.url'", "text"),
        ("[env.prod]\nqueues = ['a', 5]", "'env.prod.queues[1]'", "text"),
    ],
)
def test_a_wrong_type_is_named_in_the_words_of_the_file(text, key, words):
    with pytest.raises(SettingsError) as caught:
        check(text)
    assert key in caught.value.message
    assert words in caught.value.message
    assert "`" not in caught.value.message


def test_two_ways_to_name_a_url_are_refused():
    with pytest.raises(SettingsError, match=r"'env\.prod' has both url and url_from"):
        check("[env.prod]\nurl = 'redis://x'\nurl_from = 'X'")


def test_a_wrong_role_is_named_with_the_right_ones():
    with pytest.raises(SettingsError) as caught:
        check("[env.prod]\nrole = 'root'")
    assert "'env.prod.role'" in caught.value.message
    assert all(role in caught.value.cure for role in ROLES)


def test_the_nearest_word():
    assert nearest("statsu", ["status", "jobs"]) == "Did you mean 'status'?"
    assert nearest("zzz", ["b", "a"]) == "Known: a, b."
