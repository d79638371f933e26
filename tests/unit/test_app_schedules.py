"""What `@app.schedule` leaves behind, and what it refuses when the module is imported."""

from __future__ import annotations

import pytest

from quarterdeck import App
from quarterdeck.errors import ArgumentError, UsageError
from quarterdeck.schedule.spec import spec_of_task


@pytest.fixture
def app():
    return App("timed", queues=("default", "reports"))


def test_above_a_task_it_is_a_schedule_of_that_task(app):
    @app.schedule("0 2 * * *", tz="Europe/Berlin", args={"tenant": "a"}, overlap="allow", catch_up="all:7", jitter_s=5)
    @app.task(queue="reports", retries=3, timeout_s=None, expected_s=9)
    async def nightly(tenant: str) -> None:
        """Tidy up at night.

        And more.
        """

    (timed,) = app.schedules
    spec = spec_of_task(timed, app="timed")
    assert app.tasks["nightly"] is nightly is timed.task
    assert (spec.name, spec.function, spec.expression, spec.tz) == ("nightly", "nightly", "0 2 * * *", "Europe/Berlin")
    assert (spec.arguments, spec.overlap, spec.catch_up, spec.catch_up_max) == ({"tenant": "a"}, "allow", "all", 7)
    assert (spec.jitter_s, spec.expected_s, spec.description) == (5, 9, "Tidy up at night.")
    assert (spec.options["retries"], spec.options["timeout"]) == (3, 0)
    assert timed.options.queue == "reports"


def test_alone_it_makes_the_task_too(app):
    @app.schedule("@daily", retries=4)
    def tidy() -> int:
        return 1

    assert tidy() == 1
    assert app.tasks["tidy"].defaults.retries == 4


def test_several_above_one_function_are_numbered_unless_they_have_names(app):
    @app.schedule("@daily", args={"n": 1})
    @app.schedule("@hourly", args={"n": 2})
    @app.schedule("*/5 * * * *", name="often", args={"n": 3})
    @app.task
    def work(n: int) -> None: ...

    assert [(each.name, each.arguments["n"]) for each in app.schedules] == [("often", 3), ("work", 2), ("work-2", 1)]


def test_options_of_one_schedule_leave_the_task_alone(app):
    @app.schedule("@daily", queue="reports", timeout_s=99)
    @app.task(timeout_s=5)
    def work() -> None: ...

    (timed,) = app.schedules
    assert (timed.options.queue, timed.options.timeout_s, work.defaults.timeout_s) == ("reports", 99, 5)


def test_a_name_is_taken_once(app):
    app.schedule("@daily", name="n")(lambda: None)
    with pytest.raises(UsageError, match="has a schedule n already"):
        app.schedule("@daily", name="n")(app.task(name="other")(lambda: None))


@pytest.mark.parametrize(
    ("expression", "options"),
    [
        ("not cron", {}),
        ("0 0 30 2 *", {}),
        ("61 * * * *", {}),
        ("@daily", {"tz": "Mars/Olympus"}),
        ("@daily", {"overlap": "sometimes"}),
        ("@daily", {"catch_up": "all:many"}),
        ("@daily", {"jitter_s": -1}),
    ],
)
def test_what_can_never_be_is_refused_at_once(app, expression, options):
    with pytest.raises(UsageError):
        app.schedule(expression, **options)(lambda: None)
    assert app.schedules == []


def test_arguments_must_fit(app):
    with pytest.raises(ArgumentError, match="missing a required argument: 'tenant'"):

        @app.schedule("@daily")
        @app.task
        def work(tenant: str) -> None: ...
