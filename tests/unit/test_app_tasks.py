"""A task is its function; its options and keys are settled before anything is sent."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

import quarterdeck
from quarterdeck import App, TaskOptions, current_job
from quarterdeck.app.lifecycle import call_hook
from quarterdeck.errors import ArgumentError, UnreachableError, UsageError
from quarterdeck.flow.following import job_of
from quarterdeck.worker.plan import plan_of_app
from quarterdeck.worker.service import warn_of_gaps


@pytest.fixture
def app():
    return App("demo", queues=("default", "emails"), retries=2)


class TestCalling:
    async def test_an_async_task_is_its_function(self, app):
        @app.task
        async def double(x: int) -> int:
            """Twice as much."""
            return 2 * x

        assert await double(4) == 8
        assert double.__doc__ == "Twice as much."
        assert double.__name__ == "double"

    def test_a_plain_task_is_its_function(self, app):
        @app.task(retries=5)
        def double(x: int) -> int:
            return 2 * x

        assert double(4) == 8
        assert not double.is_async

    def test_outside_a_job_the_current_job_is_a_stand_in(self, app, caplog):
        @app.task
        def work() -> int:
            job = current_job()
            job.log.warning("working")
            job.progress(0.5)
            return job.attempt

        assert work() == 1
        assert current_job().detached
        assert "working" in caplog.text


class TestDefinition:
    def test_app_defaults_hold_until_a_task_says_otherwise(self, app):
        @app.task
        def a(): ...

        @app.task(retries=7, queue="emails", name="mail.b")
        def b(): ...

        assert (a.defaults.retries, a.queue, a.name) == (2, "default", "a")
        assert (b.defaults.retries, b.queue, b.name) == (7, "emails", "mail.b")
        assert list(app.tasks) == ["a", "mail.b"]

    def test_an_unknown_option_names_the_known_ones(self, app):
        with pytest.raises(UsageError, match=r"has no option retry\..*retries"):
            app.task(retry=1)(lambda: None)

    def test_a_name_is_taken_once(self, app):
        app.task(name="a")(lambda: None)
        with pytest.raises(UsageError, match="has a task a already"):
            app.task(name="a")(lambda: None)

    @pytest.mark.parametrize(
        "options", [{"retries": 0}, {"timeout_s": 0}, {"delay_s": -1}, {"retry_delay_s": -0.1}, {"timeout_s": -3}]
    )
    def test_options_that_mean_nothing_are_refused(self, options):
        with pytest.raises(UsageError):
            TaskOptions(**options)

    def test_a_queue_list_is_a_list(self):
        with pytest.raises(UsageError, match="list of queue names"):
            App("demo", queues="default")

    def test_queues_may_have_weights(self):
        app = App("demo", queues={"a": 3, "b": 1})
        assert (app.queues, app.weights, app.default_queue) == (("a", "b"), {"a": 3, "b": 1}, "a")

    def test_the_spec_is_what_workers_register(self, app):
        @app.task(timeout_s=3, expected_s=0.5)
        async def send(to: str, copies: int = 1) -> None:
            """Send a mail.

            More words.
            """

        spec = send.spec()
        assert (spec.name, spec.queues, spec.timeout_s, spec.expected_s, spec.retries) == (
            "send",
            ("default",),
            3,
            0.5,
            2,
        )
        assert spec.doc.startswith("Send a mail.")
        assert [(each.name, each.type, each.required) for each in spec.parameters] == [
            ("to", "str", True),
            ("copies", "int", False),
        ]


class TestGaps:
    def test_a_queue_that_no_worker_of_the_app_serves_is_warned_of(self, app, caplog):
        app.task(name="lost", queue="nowhere")(lambda: None)
        app.task(name="fine", queue="emails")(lambda: None)
        warn_of_gaps(plan_of_app(app), {"default", "emails"})
        assert [record.getMessage() for record in caplog.records] == [
            "The task lost sends its jobs to the queue nowhere, which demo does not serve: name it in queues=."
        ]

    def test_an_app_without_tasks_is_warned_of(self, caplog):
        warn_of_gaps(plan_of_app(App("bare")), {"default"})
        assert "bare has no tasks: is @app.task missing" in caplog.text


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"retries": "3"}, "f: retries='3' is not a whole number."),
            ({"retries": True}, "retries=True is not a whole number"),
            ({"retries": 2.5}, "retries=2.5 is not a whole number"),
            ({"timeout_s": "x"}, "timeout_s='x' is not a number of seconds or None"),
            ({"ttl_s": "x"}, "ttl_s='x' is not"),
            ({"backoff": "yes"}, "backoff='yes' is not True, False or a number"),
            ({"queue": 3}, "queue=3 is not a queue's name"),
            ({"unique": 5}, "unique=5 is neither a template nor a function"),
            ({"on_lost": "fial"}, "on_lost='fial' is not known. Write retry or fail."),
            ({"executor": "procss"}, "executor='procss' is not known. Write thread or process."),
            ({"timeout": 3}, "f has no option timeout. Did you mean timeout_s?"),
        ],
    )
    def test_an_option_that_is_not_right_is_told_where_it_stands(self, app, options, said):
        with pytest.raises(UsageError) as caught:
            app.task(name="f", **options)(lambda: None)
        assert said in str(caught.value)

    @pytest.mark.parametrize("queues", ["default", (), ("a", ""), ("a", "a"), (1,), {"a": 0}, {"a": "x"}])
    def test_queues_that_are_no_list_of_names(self, queues):
        with pytest.raises(UsageError, match="The app shop"):
            App("shop", queues=queues)

    def test_what_is_no_function(self, app):
        async def numbers():
            yield 1

        task = app.task(lambda: None)
        for thing, said in ((3, "needs a function, not 3"), (numbers, "numbers yields"), (task, "is a task already")):
            with pytest.raises(UsageError, match=said):
                app.task(thing)

    def test_a_schedule_without_an_expression(self, app):
        with pytest.raises(UsageError, match=r"above tidy without an expression\. Write @app\.schedule\("):

            @app.schedule
            def tidy(): ...

    def test_a_policy_that_is_none(self, app):
        with pytest.raises(UsageError, match=r"overlap is 'skp'\. Write skip, queue, allow, cancel\."):
            app.schedule("@daily", overlap="skp")(lambda: None)
        with pytest.raises(UsageError, match="args is a dict of its arguments"):
            app.schedule("@daily", args=[1])(lambda: None)

    async def test_a_server_that_is_away_is_our_own_error(self, app):
        app = App("away", url="redis://127.0.0.1:1")
        task = app.task(name="f")(lambda: None)
        with pytest.raises(UnreachableError, match="can't be reached"):
            await task.enqueue()
        for asked in (app.handle("k").status(), app.handle("k").result(1), app.handle("k").abort()):
            with pytest.raises(UnreachableError, match="can't be reached"):
                await asked
        await app.close()


class TestSteps:
    def test_options_become_saqs_job_fields(self, app):
        @app.task(retries=3, retry_delay_s=0.5, backoff=60, timeout_s=None, ttl_s=30)
        def work(a: int): ...

        job = job_of(work.step(1))
        assert (job.function, job.kwargs) == ("work", {"a": 1})
        assert (job.retries, job.retry_delay, job.retry_backoff, job.timeout, job.ttl) == (3, 0.5, 60, 0, 30)

    def test_whole_seconds_stay_whole(self, app):
        assert job_of(app.task(timeout_s=5.0)(lambda: None).step()).timeout == 5
        assert isinstance(job_of(app.task(name="b")(lambda: None).step()).timeout, int)

    def test_a_unique_key_is_a_template_over_the_arguments_and_their_defaults(self, app):
        @app.task(unique="invoice:{number}:{kind}")
        def bill(number: int, kind: str = "full"): ...

        assert bill.step(7).key == "invoice:7:full"
        assert bill.step(7, kind="part").key == "invoice:7:part"

    def test_a_unique_key_may_be_a_function(self, app):
        @app.task(unique=lambda number: f"n{number}")
        def bill(number: int): ...

        assert bill.step(7).key == "n7"

    def test_a_template_that_asks_for_what_is_not_there_is_told_so(self, app):
        with pytest.raises(UsageError, match=r"'tenant', which is not among its arguments. It takes \(number: int\)"):

            @app.task(unique="{tenant}")
            def bill(number: int): ...

        with pytest.raises(UsageError, match="can't be read"):
            app.task(unique="{number")(lambda number: number)

        @app.task
        def pay(number: int): ...

        with pytest.raises(UsageError, match="'tenant', which is not among its arguments"):
            pay.options(unique="{tenant.name}").step(7)

    def test_a_template_may_reach_into_an_argument(self, app):
        @app.task(unique="{names[0]}:{number:03d}")
        def bill(names: list[str], number: int): ...

        assert bill.step(["ann"], 7).key == "ann:007"

    def test_options_of_one_sending_leave_the_task_alone(self, app):
        @app.task
        def work(a: int): ...

        step = work.options(delay_s=60, key="k", queue="emails", retries=9).step(1)
        assert (step.delay_s, step.key, step.queue, step.job["retries"]) == (60, "k", "emails", 9)
        assert work.step(1).delay_s == 0

    def test_a_step_says_which_argument_takes_the_previous_result(self, app):
        @app.task
        def add(a: int, b: int = 0) -> int:
            return a + b

        assert add.step().takes == "a"
        assert add.step(b=2).takes == "a"
        assert add.step(1).takes == "b"
        assert add.step(1, 2).takes == ""

    async def test_wrong_arguments_are_refused_before_a_server_is_looked_for(self, app):
        @app.task
        def work(a: int): ...

        with pytest.raises(ArgumentError):
            await work.enqueue("x")
        with pytest.raises(ArgumentError):
            await work.enqueue_many([(1,), ("x",)])
        with pytest.raises(ArgumentError, match="a call is a tuple or a dict"):
            await work.enqueue_many(["ab"])

    async def test_without_a_server_the_error_names_the_cure(self, app, monkeypatch, tmp_path):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path))

        @app.task
        def work(): ...

        with pytest.raises(UnreachableError, match="QUARTERDECK_URL"):
            await work.enqueue()


class TestHooks:
    def test_hooks_stay_functions_and_keep_their_order(self, app):
        @app.on_startup
        def one(): ...

        @app.on_startup
        async def two(context): ...

        @app.on_shutdown
        def close_one(): ...

        @app.on_shutdown
        def close_two(): ...

        assert app.startup_hooks == [one, two]
        assert app.shutdown_hooks == [close_two, close_one]

    async def test_a_hook_is_given_as_much_as_it_takes(self):
        seen = []

        def none():
            seen.append(())

        async def one(a):
            await asyncio.sleep(0)
            seen.append((a,))

        def many(*args):
            seen.append(args)

        for hook in (none, one, many):
            await call_hook(hook, 1, 2)
        assert seen == [(), (1,), (1, 2)]


def test_importing_the_package_costs_next_to_nothing():
    code = (
        "import sys, time; before = set(sys.modules); t = time.process_time(); import quarterdeck; "
        "t = time.process_time() - t; new = set(sys.modules) - before; "
        "assert not {'saq', 'redis', 'msgspec', 'asyncio'} & new, new; assert len(new) < 12, new; "
        "assert 'App' in dir(quarterdeck); print(t)"
    )
    took = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert float(took) < 0.1, "a wide bound of CPU time: 3 to 5 ms is usual"


def test_every_exported_name_is_there():
    for name in quarterdeck.__all__:
        assert getattr(quarterdeck, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        quarterdeck.Nonsense  # noqa: B018
