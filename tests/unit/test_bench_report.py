"""The bench's rows: medians, ratios within rounds, bars met and missed, and how they are shown."""

from __future__ import annotations

import msgspec
import pytest

from quarterdeck.cli.benching.bar import Row, ratios, row
from quarterdeck.cli.benching.contender import OURS, PEERS, STOCK, Contender
from quarterdeck.cli.benching.load import VARIABLE, Load, load
from quarterdeck.cli.benching.machine import Machine, this_machine
from quarterdeck.cli.benching.report import Report, lines, markdown, shown


def report_of(*rows: Row) -> Report:
    return Report(
        machine=Machine(
            cores=2, cpu="A CPU", memory_gb=8.0, system="Linux 6", python="CPython 3.13", load=(0.1, 0.2, 0.3)
        ),
        server="valkey 9.1.2",
        transport="unix",
        append_only=False,
        versions={"quarterdeck": "0.1.0", "saq": "0.26.4"},
        rounds=3,
        scale=1.0,
        rows=list(rows),
        figures=[],
    )


def test_the_median_of_the_rounds_is_held_against_the_bar_and_the_spread_is_told() -> None:
    found = row("noop", "against saq", [11.0, 14.0, 13.0], "×", at_least=12.0)
    assert found.value == 13.0
    assert found.met is True
    assert found.spread == (11.0, 14.0)
    assert found.bar == "≥ 12 ×"


@pytest.mark.parametrize(
    ("values", "bounds", "met"),
    [
        ([12.0], {"at_least": 12.0}, True),
        ([11.9], {"at_least": 12.0}, False),
        ([8.0], {"at_most": 8}, True),
        ([8.1], {"at_most": 8}, False),
        ([8.1], {}, None),
        ([], {"at_least": 1.0}, None),
    ],
)
def test_a_bar_is_met_at_its_very_value(values: list[float], bounds: dict[str, float], met: bool | None) -> None:
    assert row("idle", "connections", values, "", **bounds).met is met


def test_what_could_not_be_measured_has_no_value_and_still_names_its_bar() -> None:
    found = row("noop", "against ardiq", [], "×", at_least=2.0)
    assert found.value is None
    assert found.bar == "≥ 2 ×"


def test_one_round_has_no_spread() -> None:
    assert row("memory", "a job", [124.0], "bytes", at_most=300).spread is None


def test_ratios_are_taken_within_rounds_so_that_a_slow_minute_hits_both() -> None:
    assert ratios([100.0, 10.0], [10.0, 1.0]) == [10.0, 10.0]


def test_a_round_in_which_the_other_one_failed_gives_no_ratio() -> None:
    assert ratios([100.0, 10.0], [10.0]) == [10.0]
    assert ratios([100.0], [0.0]) == []


@pytest.mark.parametrize(
    ("value", "text"), [(30512.4, "30,512"), (1000.0, "1,000"), (412.3, "412"), (12.34, "12.3"), (0.876, "0.88")]
)
def test_figures_show_three_places(value: float, text: str) -> None:
    assert shown(value) == text


def test_the_table_names_machine_server_versions_and_each_verdict() -> None:
    told = "\n".join(
        lines(
            report_of(
                row("noop", "against saq", [15.0, 16.0], "×", at_least=12.0),
                row("sleep", "total", [1.2], "s", at_most=1.1),
                row("noop", "saq", [1700.0], "jobs/s"),
                row("noop", "against ardiq", [], "×", at_least=2.0),
            )
        )
    )
    for part in ("A CPU, 2 cores", "valkey 9.1.2, Unix socket, append-only off", "saq 0.26.4", "load before: 0.1, 0.2"):
        assert part in told
    rows = told.splitlines()
    assert any(line.endswith("met") and "15.5 ×" in line for line in rows)
    assert any(line.endswith("MISSED") and "1.20 s" in line for line in rows)
    assert any("1,700 jobs/s" in line and "met" not in line for line in rows)


def test_the_columns_stand_below_each_other() -> None:
    table = lines(
        report_of(row("noop", "x", [1.0, 2.0], "×", at_least=1.0), row("roundtrip", "longer", [1.0], "ms", at_most=5))
    )[4:]
    bars = [line.index("≥") if "≥" in line else line.index("≤") for line in table[1:]]
    assert bars[0] == bars[1] == table[0].index("BAR")


def test_a_page_shows_what_has_a_bar_before_what_it_was_taken_from() -> None:
    page = markdown(
        report_of(
            row("noop", "saq", [900.0, 902.0], "jobs/s"), row("noop", "against saq", [15.0, 16.0], "×", at_least=12.0)
        )
    )
    assert page[page.index("") + 3] == "| noop | against saq | ≥ 12 × | 15.5 × | 15.0 … 16.0 | met |"
    assert page[-1] == "| noop | saq | 901 jobs/s | 900 … 902 |"
    assert page[-2].count("---") == page[-1].count("|") - 1


def test_the_report_can_be_read_back_from_json() -> None:
    report = report_of(row("noop", "against saq", [15.0, 16.0], "×", at_least=12.0))
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report


def test_this_machine_is_described() -> None:
    machine = this_machine()
    assert machine.cores >= 1
    assert machine.cpu
    assert machine.python.startswith("CPython 3.")
    assert len(machine.load) == 3


def test_a_load_reaches_its_process_through_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    told = Load(url="unix:///x", jobs=7, concurrency=3, mode="bulk", function="nap")
    monkeypatch.setenv(VARIABLE, told.environment()[VARIABLE])
    assert load() == told


def test_ours_and_stock_saq_are_always_there() -> None:
    for contender in (OURS, STOCK):
        assert contender.installed
        assert all(contender.versions.values())


def test_every_peer_says_what_it_needs_and_has_a_name_of_its_own() -> None:
    assert len({peer.name for peer in PEERS}) == len(PEERS)
    assert all(peer.needs and peer.packages and peer.jobs for peer in PEERS)
    assert [peer.name for peer in PEERS if not peer.pure] == ["ardiq"]


def test_what_is_not_installed_is_noticed() -> None:
    assert not Contender("x", "x_peer", 1, needs=("no_such_queue_library",)).installed
