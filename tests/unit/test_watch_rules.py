"""Alert rules: begin after their time, end once, and are read strictly."""

from __future__ import annotations

import pytest

from quarterdeck.errors import SettingsError
from quarterdeck.model import Level, QueueStat, Snapshot, Verdict, View
from quarterdeck.watch.rules import DEFAULT, Rule, Watcher, rules_of


def at(second: int, *, depth: int = 0, level: Level = Level.OK) -> Snapshot:
    return Snapshot(
        view=View(),
        taken_ms=second * 1000,
        verdict=Verdict(level=level, headline="emails: oldest 48 s"),
        queues=(QueueStat(name="default"), QueueStat(name="emails", depth=depth, oldest_ms=None)),
    )


def test_a_rule_fires_after_it_held_for_its_time_and_resolves_once() -> None:
    watcher = Watcher([Rule(name="deep", when="depth > 100", for_s=60)])
    assert watcher.look(at(0, depth=101)) == ()
    assert watcher.look(at(59, depth=101)) == ()
    (alert,) = watcher.look(at(60, depth=500))
    assert (alert.firing, alert.rule, alert.since_ms) == (True, "deep", 0)
    assert alert.text == "emails: depth is 500 (> 100)"
    assert watcher.look(at(70, depth=500)) == ()
    (resolved,) = watcher.look(at(80))
    assert not resolved.firing
    assert watcher.look(at(90)) == ()


def test_a_rule_that_ceases_before_its_time_starts_anew() -> None:
    watcher = Watcher([Rule(name="deep", when="depth > 100", for_s=60)])
    watcher.look(at(0, depth=101))
    watcher.look(at(30))
    assert watcher.look(at(60, depth=101)) == ()
    assert len(watcher.look(at(120, depth=101))) == 1


def test_a_rule_for_one_queue_leaves_the_others_alone() -> None:
    watcher = Watcher([Rule(name="deep", when="depth > 100", queue="default", for_s=0)])
    assert watcher.look(at(0, depth=101)) == ()


def test_a_figure_that_is_not_known_never_fires() -> None:
    watcher = Watcher([Rule(name="old", when="oldest_s > 0", for_s=0)])
    assert watcher.look(at(0, depth=101)) == ()


def test_without_rules_the_verdict_is_the_rule() -> None:
    assert rules_of({}) == DEFAULT
    watcher = Watcher(DEFAULT)
    watcher.look(at(0, level=Level.BAD))
    (alert,) = watcher.look(at(60, level=Level.BAD))
    assert alert.text == "emails: oldest 48 s"
    assert Watcher(DEFAULT).look(at(0, level=Level.WARNING)) == ()


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"name": "a", "when": "dept > 3"}, "dept > 3"),
        ({"name": "a", "when": "depth > many"}, "depth > many"),
        ({"name": "a", "when": "depth > 3", "whenn": 1}, "whenn"),
        ({"when": "depth > 3"}, "name"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_by_name(rule: dict[str, object], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        rules_of({"rules": [rule]})
