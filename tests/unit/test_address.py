"""A server's URL: read as it was meant, refused when it reads two ways, and its password shown nowhere."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.broker.address import Address, Kind, masked, parse_address
from quarterdeck.broker.client import client_of
from quarterdeck.errors import AddressError

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", Address(Kind.TCP, hosts=(("localhost", 6379),))),
        ("redis://db.example", Address(Kind.TCP, hosts=(("db.example", 6379),))),
        ("valkey://db:7000/3", Address(Kind.TCP, hosts=(("db", 7000),), db=3)),
        ("redis://db:7000?db=4", Address(Kind.TCP, hosts=(("db", 7000),), db=4)),
        ("rediss://[::1]:7/1", Address(Kind.TCP, tls=True, hosts=(("::1", 7),), db=1)),
        ("valkeys://db", Address(Kind.TCP, tls=True, hosts=(("db", 6379),))),
        (
            "redis://bob:p%40ss%2Fw%23rd@db",
            Address(Kind.TCP, hosts=(("db", 6379),), username="bob", password="p@ss/w#rd"),
        ),
        ("redis://:pw@db", Address(Kind.TCP, hosts=(("db", 6379),), password="pw")),
        ("redis://db?password=p%40", Address(Kind.TCP, hosts=(("db", 6379),), password="p@")),
        ("unix:///run/x.sock", Address(Kind.UNIX, path="/run/x.sock")),
        ("unix://u:pw@/run/x@y.sock?db=2", Address(Kind.UNIX, path="/run/x@y.sock", db=2, username="u", password="pw")),
        (
            "redis+sentinel://a,b:1/orders/2",
            Address(Kind.SENTINEL, hosts=(("a", 26379), ("b", 1)), service="orders", db=2),
        ),
        (
            "rediss+cluster://a,b:1?ssl_ca_certs=/ca.pem",
            Address(Kind.CLUSTER, tls=True, hosts=(("a", 6379), ("b", 1)), options=(("ssl_ca_certs", "/ca.pem"),)),
        ),
    ],
)
def test_every_form_is_read(url, expected):
    assert parse_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        f"redis://bob:{SECRET}@ss@db",
        f"redis://bob:{SECRET}/x@db",
        f"redis://bob:{SECRET}#x@db",
        f"redis://bob:{SECRET}?x@db",
        f"redis://bob:p@ss/w#{SECRET}@db",
        f"redis://bob:{SECRET}%zz@db",
        f"redis://db?password={SECRET}@x",
        f"redis://u:p@db?password={SECRET}@x",
        f"unix://bob:{SECRET}/x@/run/x.sock",
        f"unix:///run/x.sock?password={SECRET}@x",
    ],
)
def test_an_unescaped_sign_is_refused_and_the_cure_is_named(url):
    with pytest.raises(AddressError) as caught:
        parse_address(url)
    assert "unescaped" in caught.value.message
    assert "%40" in caught.value.cure
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "scheme"),
        ("http://db", "not known"),
        ("redis+tls://db", "not known"),
        (f"redis://bob:{SECRET}", "HOST:PORT"),
        ("redis://db:0", "HOST:PORT"),
        ("redis://db:70000", "HOST:PORT"),
        ("redis+cluster://a,,b:x", "HOST:PORT"),
        (f"redis://db/{SECRET}", "not a number"),
        ("redis+cluster://a/3", "database 0"),
        ("redis+sentinel://a", "name of the master"),
        ("unix://run/x.sock", "no host"),
        ("unix://", "path"),
        ("redis://db?ssl_ca_cert=/x", "Did you mean 'ssl_ca_certs'?"),
        ("redis://db?zzz=1", "Known:"),
    ],
)
def test_what_cannot_be_read_is_named(url, words):
    with pytest.raises(AddressError) as caught:
        parse_address(url)
    assert words in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception_only(caught.value))


@pytest.mark.parametrize(
    "url",
    [
        f"redis://bob:{SECRET}@db:7/1",
        f"unix://:{SECRET}@/run/x.sock",
        f"redis://db?password={SECRET}",
        f"redis+sentinel://a/m?sentinel_password={SECRET}",
        f"redis://bob:{SECRET}/@db",
        f"redis://bob:{SECRET}",
        f"redis://db/{SECRET}",
        f"{SECRET}",
        f"ftp://bob:{SECRET}@db",
    ],
)
def test_no_display_shows_a_password(url):
    assert SECRET not in masked(url)


@pytest.mark.parametrize("url", [f"redis://bob:{SECRET}@db:7/1", f"redis+sentinel://a/m?sentinel_password={SECRET}"])
def test_no_text_of_an_address_shows_a_password(url):
    address = parse_address(url)
    assert SECRET not in f"{address} {address!r} {address.masked} {address.place}"
    assert "***" in address.masked
    assert SECRET in address.url


words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20)


@given(username=words, password=words, db=st.integers(0, 15), tls=st.booleans())
def test_the_url_of_an_address_reads_back_as_the_address(username, password, db, tls):
    address = Address(Kind.TCP, tls=tls, hosts=(("db", 6379),), db=db, username=username, password=password)
    assert parse_address(address.url) == address


@given(st.text(max_size=60))
def test_masking_and_parsing_never_raise_anything_else(text):
    masked(text)
    for scheme in ("redis://", "unix://", "redis+sentinel://", "redis+cluster://"):
        masked(scheme + text)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h/2?max_connections=100&decode_responses=True&protocol=3&retry_on_timeout=true",
        "redis://h?db=2&encoding=utf-8&socket_keepalive=1&single_connection_client=false",
    ],
)
def test_redis_pys_further_options_lead_to_the_same_server(url):
    assert parse_address(url) == parse_address("redis://h/2")


def test_time_outs_and_names_of_a_url_are_the_clients():
    address = parse_address(
        "redis://h?socket_timeout=2.5&socket_connect_timeout=1&health_check_interval=30&client_name=me"
    )
    client = client_of(address, client_name="ours")
    told = client.connection_pool.connection_kwargs
    names = ("socket_timeout", "socket_connect_timeout", "health_check_interval", "client_name")
    assert [told[name] for name in names] == [2.5, 1.0, 30.0, "me"]


def test_a_time_out_that_is_no_number_is_refused():
    with pytest.raises(AddressError, match="socket_timeout is not a number"):
        parse_address("redis://h?socket_timeout=soon")
