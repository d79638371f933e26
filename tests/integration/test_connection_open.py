"""Opening a connection on real servers: what is there is told, and every login and TLS failure has its sentence."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess

import pytest
from free_ports import next_free_port
from redis.asyncio import Redis

from quarterdeck.broker.address import parse_address
from quarterdeck.broker.connection import facts_of, open_connection
from quarterdeck.errors import UnreachableError


@pytest.fixture
def free_port():
    """A TCP port that nobody listens on, nor on the cluster bus 10,000 above."""
    return next_free_port()


async def refused(url, **options):
    with pytest.raises(UnreachableError) as caught:
        await open_connection(url, client_name="test", **options)
    assert caught.value.exit_status == 3
    assert caught.value.cure
    return str(caught.value)


async def test_a_unix_socket_is_opened_and_described(valkey):
    async with await open_connection(valkey.url, client_name="a test") as connection:
        assert await connection.client.ping()
        assert connection.server.pid == valkey.pid
        assert connection.server.name.startswith("Valkey ")
        assert connection.server.version >= (7, 2)
        assert connection.server.policy == "noeviction"
        assert connection.warnings == ()
        assert connection.display == valkey.url
        assert await connection.client.client_getname() == "a_test"


async def test_the_database_of_the_url_is_used(start_valkey, free_port):
    start_valkey(port=free_port)
    async with await open_connection(f"redis://127.0.0.1:{free_port}/3", client_name="test") as three:
        await three.client.set("k", 3)
    async with await open_connection(f"redis://127.0.0.1:{free_port}", client_name="test") as zero:
        assert await zero.client.get("k") is None
    assert "no database 99" in await refused(f"redis://127.0.0.1:{free_port}/99")


async def test_closing_twice_is_legal(valkey):
    connection = await open_connection(valkey.url, client_name="test")
    await connection.close()
    await connection.close()


async def test_nothing_listens(tmp_path, free_port):
    assert "Nothing listens at 127.0.0.1" in await refused(f"redis://127.0.0.1:{free_port}")
    assert f"Nothing listens at {tmp_path}/x" in await refused(f"unix://{tmp_path}/x")
    assert "Nothing listens" in await refused(f"redis+cluster://127.0.0.1:{free_port}")
    assert "None of the Sentinels" in await refused(f"redis+sentinel://127.0.0.1:{free_port}/m")
    assert "host of nosuch.invalid:6379 is not known" in await refused("redis://nosuch.invalid")


async def test_logins(start_valkey):
    server = start_valkey(requirepass="right", user="ann on >secret ~* &* +@all -info")
    url = server.url.replace("unix://", "unix://{}@")
    assert "needs a password" in await refused(server.url)
    wrong = await refused(url.format(":hunter2"))
    assert "refused the user name or password" in wrong
    assert "hunter2" not in wrong
    async with await open_connection(url.format(":right"), client_name="test") as connection:
        assert await connection.client.ping()
    async with await open_connection(url.format("ann:secret"), client_name="test") as connection:
        assert "INFO" in connection.warnings[0]
        assert await connection.client.ping()


async def test_a_user_without_rights(start_valkey):
    server = start_valkey(user="bob on >pw -@all")
    assert "user 'bob' may not run client|setname" in await refused(server.url.replace("unix://", "unix://bob:pw@"))


async def test_an_evicting_server_is_warned_of_and_refused_when_embedded(start_valkey):
    server = start_valkey(maxmemory_policy="allkeys-lru")
    async with await open_connection(server.url, client_name="test") as connection:
        assert connection.warnings[0].startswith("DANGER")
        assert "allkeys-lru" in connection.warnings[0]
    assert "evict" in await refused(server.url, embedded=True)


async def test_a_server_that_stops_answering_is_given_up(start_valkey):
    server = start_valkey()
    server.freeze()
    assert "did not answer within 0.3 s" in await refused(server.url, timeout_s=0.3)
    server.thaw()


async def test_a_replica_is_warned_of(start_valkey, free_port):
    start_valkey(port=free_port)
    replica = start_valkey(replicaof=f"127.0.0.1 {free_port}")
    async with await open_connection(replica.url, client_name="test") as connection:
        assert any("read-only replica" in warning for warning in connection.warnings)


async def test_a_restarted_server_is_found_again(start_valkey):
    server = start_valkey(appendonly="yes", appendfsync="always")
    async with await open_connection(server.url, client_name="test") as connection:
        await connection.client.set("k", "v")
        server.kill()
        server.start()
        assert await connection.client.get("k") == b"v"


async def test_sentinels_name_the_master(start_valkey, free_port):
    master = start_valkey(port=free_port)
    sentinel_port = next_free_port()
    config = master.directory / "sentinel.conf"
    config.write_text(f"port {sentinel_port}\nsentinel monitor orders 127.0.0.1 {free_port} 1\n")
    sentinel = subprocess.Popen(
        [f"/proc/{master.pid}/exe", str(config), "--sentinel"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert sentinel.stdout is not None
        await asyncio.to_thread(lambda: next(line for line in sentinel.stdout if "+monitor" in line))
        place = f"127.0.0.1:{sentinel_port}"
        async with await open_connection(f"redis+sentinel://{place}/orders/2", client_name="test") as connection:
            await connection.client.set("k", 1)
            assert connection.server.pid == master.pid
        assert "reachable master 'nope'" in await refused(f"redis+sentinel://{place}/nope")
        assert "is a Sentinel" in await refused(f"redis://{place}")
    finally:
        sentinel.kill()
        sentinel.wait()
        sentinel.stdout.close()
    assert "not a Sentinel" in await refused(f"redis+sentinel://127.0.0.1:{free_port}/orders")


@pytest.mark.slow
async def test_a_cluster_is_opened_through_any_node(start_valkey, free_port):
    server = start_valkey(port=free_port, cluster_enabled="yes")
    async with Redis.from_url(server.url) as client:
        await client.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        async with asyncio.timeout(60):
            while b"cluster_state:ok" not in (await client.execute_command("CLUSTER", "INFO")):
                await asyncio.sleep(0.05)
    async with await open_connection(f"redis+cluster://127.0.0.1:{free_port}", client_name="test") as connection:
        await connection.client.set("{a}k", 1)
        assert connection.server.mode == "cluster"
        assert "hash tag" in connection.warnings[0]
    async with await open_connection(f"redis://127.0.0.1:{free_port}", client_name="test") as connection:
        assert "redis+cluster://" in connection.warnings[0]


async def test_a_single_server_is_no_cluster(start_valkey, free_port):
    start_valkey(port=free_port)
    assert "is not a cluster" in await refused(f"redis+cluster://127.0.0.1:{free_port}")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself; the wheel's server has no TLS, so a proxy here speaks it."""
    openssl = shutil.which("openssl")
    assert openssl, "the tests of TLS need the openssl command"
    folder = tmp_path_factory.mktemp("tls")
    paths = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-out", str(paths[0]), "-keyout", str(paths[1])]
    subprocess.run([openssl, "req", "-x509", *key, *files, *subject], check=True, capture_output=True)
    return paths


@pytest.fixture
async def tls_port(valkey, certificate):
    """A port that speaks TLS and passes everything on to the session's server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    tasks = set()

    async def pump(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader, writer):
        inner_reader, inner_writer = await asyncio.open_unix_connection(valkey.socket)
        for pair in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(pump(*pair))
            tasks.add(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_tls_is_spoken_and_its_failures_are_named(tls_port, certificate, start_valkey, free_port):
    url = f"rediss://127.0.0.1:{tls_port}"
    async with await open_connection(f"{url}?ssl_ca_certs={certificate[0]}", client_name="test") as connection:
        assert await connection.client.ping()
    async with await open_connection(f"{url}?ssl_cert_reqs=none", client_name="test") as connection:
        assert await connection.client.ping()
    assert "not trusted" in await refused(url)
    assert "speaks TLS" in await refused(f"redis://127.0.0.1:{tls_port}", timeout_s=30)
    start_valkey(port=free_port)
    assert "does not speak TLS" in await refused(f"rediss://127.0.0.1:{free_port}", timeout_s=2)


def test_facts_are_read_tolerantly():
    assert facts_of({"redis_version": "6.0.16"}).version == (6, 0, 16)
    assert facts_of({}).name == "Redis ?"


def test_the_place_names_all_hosts():
    assert parse_address("redis+cluster://a:1,b:2").place == "a:1, b:2"
