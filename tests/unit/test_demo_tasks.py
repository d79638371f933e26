"""The demo's tasks do real work, and are tested as any task is: called directly, without a server."""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import os
import time

import aiohttp
import pytest

import tasks
from quarterdeck.schedule.spec import spec_of_task
from tasks import backup, cleanup, export, mail, metrics, neighbours, orders, receiver, report, shop, webhook
from tasks.application import app, folder

pytestmark = pytest.mark.usefixtures("place")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
async def around(monkeypatch):
    """The webhook receiver and the mail sink, without their moods."""
    monkeypatch.setattr(receiver, "BUSY_SHARE", 0)
    monkeypatch.setattr(receiver, "SLOW_SHARE", 0)
    monkeypatch.setattr(mail, "GREYLISTED_SHARE", 0)
    await neighbours.open_neighbours()
    yield
    await neighbours.close_neighbours()


def some_orders(count: int) -> None:
    rows = [(f"t{number % 3}", 100, "EUR", time.time()) for number in range(count)]
    with shop.connect() as database:
        database.executemany("INSERT INTO orders (tenant, cents, currency, placed_at) VALUES (?, ?, ?, ?)", rows)


class TestOrders:
    def test_an_order_is_stored(self):
        assert orders.place_order({"tenant_id": "acme", "cents": 108, "currency": "USD"}) == 1
        with shop.connect() as database:
            assert shop.totals(database, 1) == [("acme", 1, 100)]

    @pytest.mark.parametrize(
        ("record", "error"),
        [
            ({"cents": 1, "currency": "EUR"}, KeyError),
            ({"tenant_id": "a", "cents": 1, "currency": "XTS"}, ValueError),
        ],
    )
    def test_a_wrong_one_is_refused_and_leaves_nothing(self, record, error):
        with pytest.raises(error):
            orders.place_order(record)
        with shop.connect() as database:
            assert shop.totals(database, 1) == []

    def test_the_table_does_not_grow_for_ever(self, monkeypatch):
        monkeypatch.setattr(shop, "KEPT_ORDERS", 3)
        some_orders(5)
        with shop.connect() as database:
            assert shop.trim(database) == 2
            assert database.execute("SELECT min(number) FROM orders").fetchone() == (3,)

    def test_a_forecast_takes_its_time(self):
        some_orders(3)
        assert orders.forecast_demand("t1", 0.01) == pytest.approx(100)
        assert orders.forecast_demand("nobody", 0.01) == 0


class TestBackup:
    def test_it_is_written_and_reads_back(self, place):
        some_orders(20)
        told = backup.backup_database()
        path = folder("backups") / told["file"]
        assert told["orders"] == 20 == backup.verify(path)
        assert told["bytes"] == path.stat().st_size
        assert [each.name for each in folder("backups").iterdir()] == [told["file"]], "no scratch is left"

    def test_it_is_consistent_while_somebody_writes(self):
        some_orders(5)
        with shop.connect() as database:
            database.execute("INSERT INTO orders (tenant, cents, currency, placed_at) VALUES ('x', 1, 'EUR', 0)")
            assert backup.backup_database()["orders"] == 5, "what is not committed is not in it"

    @pytest.mark.parametrize("damage", ["cut", "changed", "no gzip"])
    def test_a_damaged_one_is_found_out(self, damage):
        some_orders(200)
        path = folder("backups") / backup.backup_database()["file"]
        if damage == "cut":
            path.write_bytes(path.read_bytes()[:-200])
        elif damage == "changed":
            data = bytearray(gzip.decompress(path.read_bytes()))
            data[4096:4200] = b"\0" * 104
            path.write_bytes(gzip.compress(data))
        else:
            path.write_bytes(b"nothing of the kind")
        with pytest.raises(backup.BackupError):
            backup.verify(path)


class TestCleanup:
    def test_what_is_old_goes_but_the_newest_stays(self):
        directory = folder("exports")
        for number in range(4):
            path = directory / f"{number}"
            path.touch()
            old = time.time() - (10 - number) * 86_400
            os.utime(path, (old, old))
        assert cleanup.remove_expired(directory, days=8.5) == 2
        assert cleanup.remove_expired(directory, days=1) == 1
        assert [each.name for each in directory.iterdir()] == ["3"]

    def test_what_is_too_much_goes(self):
        for number in range(10):
            path = folder("outbox") / f"{number}"
            path.touch()
            os.utime(path, (time.time() - 100 + number,) * 2)
        assert cleanup.remove_expired(folder("outbox"), days=1, keep=4) == 6
        assert sorted(each.name for each in folder("outbox").iterdir()) == ["6", "7", "8", "9"]

    def test_all_folders_are_tended(self):
        assert cleanup.clean_up() == {**dict.fromkeys(cleanup.KEPT_DAYS, 0), "orders": 0}


class TestWebhook:
    async def test_a_delivery_arrives_signed(self, around):
        async with aiohttp.ClientSession() as session:
            assert await webhook.deliver_webhook("order.placed", {"number": 7}, session) == 204
        (line,) = receiver.received_file().read_text().splitlines()
        assert json.loads(line)["data"] == {"number": 7}

    async def test_a_retired_event_is_refused_for_good(self, around):
        async with aiohttp.ClientSession() as session:
            with pytest.raises(webhook.WebhookRefusedError, match=r"HTTP 422: order\.legacy is no longer accepted"):
                await webhook.deliver_webhook("order.legacy", {}, session)

    async def test_a_busy_receiver_may_be_tried_again(self, around, monkeypatch):
        monkeypatch.setattr(receiver, "BUSY_SHARE", 1)
        async with aiohttp.ClientSession() as session:
            with pytest.raises(webhook.WebhookBusyError, match="HTTP 503: busy"):
                await webhook.deliver_webhook("order.placed", {}, session)

    async def test_a_wrong_signature_is_refused(self, around):
        url = f"http://127.0.0.1:{receiver.receiver.port()}/hooks"
        async with aiohttp.ClientSession() as session, session.post(url, data=b"{}") as response:
            assert response.status == 401
        assert not receiver.received_file().exists()

    async def test_a_receiver_that_is_gone(self, around):
        await receiver.receiver.close()
        async with aiohttp.ClientSession() as session:
            with pytest.raises(webhook.WebhookBusyError, match="ClientConnectorError"):
                await webhook.deliver_webhook("order.placed", {}, session)


class TestMail:
    async def test_a_mail_is_kept_by_the_sink(self, around):
        said = await asyncio.to_thread(mail.send_mail.function, "ann@acme.example", "Grüße", "Hello")
        assert "OK" in said
        (path,) = folder("outbox").iterdir()
        assert b"To: ann@acme.example" in path.read_bytes()

    async def test_who_has_left_gets_none(self, around):
        with pytest.raises(mail.MailRefusedError, match="SMTP 550: mailbox unavailable"):
            await asyncio.to_thread(mail.send_mail.function, "nobody@acme.example", "s", "t")

    async def test_a_sink_in_doubt_defers(self, around, monkeypatch):
        monkeypatch.setattr(mail, "GREYLISTED_SHARE", 1)
        with pytest.raises(mail.MailDeferredError, match="SMTP 451: greylisted"):
            await asyncio.to_thread(mail.send_mail.function, "ann@acme.example", "s", "t")


class TestNeighbours:
    async def test_one_a_machine_and_another_takes_over(self, monkeypatch):
        async def start() -> asyncio.Server:
            return await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)

        first, second = neighbours.Neighbour("thing", start), neighbours.Neighbour("thing", start)
        for each in (first, second):
            neighbours._all.remove(each)
        with pytest.raises(ConnectionError, match="thing does not run"):
            first.port()
        assert await first.ensure()
        assert await first.ensure(), "asking twice is legal"
        assert not await second.ensure()
        port = first.port()
        assert second.port() == port
        await first.close()
        assert await second.ensure()
        assert second.port() != port or second.port() > 0
        await second.close()
        await second.close()


class TestReport:
    def test_figures_become_a_page(self, monkeypatch):
        monkeypatch.setattr(report.time, "sleep", lambda _: None)
        some_orders(6)
        orders.place_order({"tenant_id": "<b>x</b>", "cents": 123_456, "currency": "EUR"})
        figures = report.collect_figures(1)
        assert [row["tenant"] for row in figures["tenants"]] == ["<b>x</b>", "t0", "t1", "t2"]
        page = (folder("reports") / report.render_report(figures)).read_text()
        assert "<td>&lt;b&gt;x&lt;/b&gt;</td><td>1</td><td>1,234.56</td>" in page


def test_an_export_is_safe_for_spreadsheets(place):
    row = dict.fromkeys(export.COLUMNS, 0) | {"function": "=cmd()", "queue": "q"}
    export.write_csv(place / "x.csv", [row])
    with (place / "x.csv").open(newline="") as lines:
        (read,) = csv.DictReader(lines)
    assert read["function"] == "'=cmd()"
    assert list(read) == list(export.COLUMNS)


def test_minutes_add_up():
    minute = {b"in": b"3", b"a\tcomplete": b"2", b"a\tus": b"5000", b"a\tb12": b"2", b"depth": b"9", b"a\tfailed": b"x"}
    added = metrics.added_up([minute, minute, {}])
    assert added["all"] == {"in": 6, "complete": 4, "failed": 0, "retried": 0, "aborted": 0}
    assert added["functions"] == {"a": {"complete": 4, "mean_ms": 2.5}}


class TestApp:
    def test_it_is_loaded_by_its_path_and_has_its_schedules(self):
        assert tasks.app is app
        names = {timed.name for timed in app.schedules}
        assert {"nightly_backup", "hourly_health_check", "quarterly_metrics", "demo_traffic"} <= names
        for timed in app.schedules:
            assert spec_of_task(timed, app="demo").description

    def test_every_task_says_what_it_does(self):
        assert all(task.spec().doc for task in app.tasks.values())
        assert {task.queue for task in app.tasks.values()} == set(app.queues)
