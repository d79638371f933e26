"""The page about serving: its requests, metrics, figures and settings are the real ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from quarterdeck.model import FunctionStat, QueueStat, ScheduleRow, ServerStat, Snapshot, Verdict, View, WorkerRow
from quarterdeck.model.act import Selection
from quarterdeck.serve.application import application
from quarterdeck.serve.bodies import ActBody, EnqueueBody, PauseBody, RunBody, UndoBody
from quarterdeck.settings.tables import ServeTable, WatchTable, checked
from quarterdeck.watch.metrics import exposition
from quarterdeck.watch.rules import FIGURES, Alert, rules_of

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text("utf-8")


def test_its_settings_are_read_and_are_all_that_there_are():
    text = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    table = checked(tomllib.loads(text), "the page")
    assert set(tomllib.loads(text)["serve"]) == set(ServeTable.__struct_fields__)
    assert set(tomllib.loads(text)["watch"]) == set(WatchTable.__struct_fields__)
    (rule,) = rules_of({"rules": table.watch.rules})
    assert (rule.queue, rule.for_s) == ("emails", 60)


def test_its_requests_are_those_that_are_served():
    app = application(object(), object(), token="t")
    served = {
        (route.method, re.sub(r"\{verb:.*?\}", "pause", route.resource.canonical.replace("{verb}", "pause")))
        for route in app.router.routes()
        if route.method != "HEAD"
    }
    assert set(re.findall(r"^\| `(GET|POST) ([^`]+)`", PAGE, re.MULTILINE)) == served


def test_its_bodies_name_every_field():
    for shape in (EnqueueBody, ActBody, UndoBody, PauseBody, RunBody, Alert):
        assert all(f'"{name}"' in PAGE for name in shape.__struct_fields__), shape
    example = re.search(r"-d '\s*(\{.*?\})'", PAGE, re.DOTALL)[1]
    body = __import__("msgspec").json.decode(example, type=ActBody)
    assert body.dry_run
    assert isinstance(body.selection, Selection)


def test_its_metrics_and_figures_are_the_real_ones():
    snapshot = Snapshot(
        view=View(),
        taken_ms=1,
        verdict=Verdict(),
        server=ServerStat(version="9"),
        queues=(QueueStat(name="q"),),
        workers=(WorkerRow(id="w"),),
        schedules=(ScheduleRow(id="q/s", name="s", queue="q", function="f", expression="* * * * *"),),
        function_stats=(FunctionStat(name="f", queue="q"),),
    )
    made = set(re.findall(r"^# TYPE (quarterdeck_\w+)", exposition(snapshot).decode(), re.MULTILINE))
    assert set(re.findall(r"`(quarterdeck_\w+)`", PAGE)) == made
    sentence = re.search(r"`when` compares.*?\n\n|`when` compares.*", PAGE, re.DOTALL)[0].split("The body")[0]
    assert set(re.findall(r"`(\w+)`", sentence)) - {"when"} == set(FIGURES)
