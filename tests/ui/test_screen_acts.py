"""Acting from the screens: what is asked first, what is sent, what is said afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from boards import bulks, busy
from conftest import Aboard, keys, settled, shown
from msgspec.structs import replace

from quarterdeck.errors import RefusedError
from quarterdeck.model import JobState, Pace, Page, Screen, Snapshot, Tally, View
from tui.messages import SnapshotReady
from tui.screens.mending import document_of_raw, one_line
from tui.screens.prompts import complete_command
from tui.station import Right
from tui.widgets.lineinput import LineInput


async def test_one_failed_job_is_retried_at_once_as_it_was_seen(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "r")
        verb, selection, _, pace = bridge.operator.calls[0]
        assert (verb, pace) == ("retry", None)
        assert [(ref.key, bool(ref.seen_ms)) for ref in selection.refs] == [("e0", True)]
        text = shown(bridge)
        assert "u undoes it" in text
        assert "quarterdeck retry" in text


async def test_a_group_is_retried_only_after_the_card_and_the_typed_count(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "r")
        text = shown(bridge)
        for word in ("retry 532 jobs", "send_email 532", "emails 532", "oldest 2 m", "44s", "such as", "Canary first"):
            assert word in text
        await keys(bridge, pilot, "enter")
        assert bridge.operator.calls == []
        await keys(bridge, pilot, "r", "tab", "enter")
        assert bridge.operator.calls == []
        assert "type 532" in shown(bridge)
        await keys(bridge, pilot, *"532", "tab", "tab", "enter")
        (verb, selection, _, pace) = bridge.operator.calls[0]
        assert verb == "retry"
        assert selection.signature == "a1b2c3d4e5f6"
        assert pace is None


async def test_a_canary_carries_its_pace(aboard: Aboard) -> None:
    async with aboard(confirm_above=1000) as (bridge, pilot):
        await keys(bridge, pilot, "4", "r", "tab", "tab", "tab", "enter")
        assert bridge.operator.calls[0][3] == Pace(mode="canary", per_s=10.0)


async def test_a_protected_environment_has_every_count_typed(aboard: Aboard) -> None:
    async with aboard(protected=True, confirm_above=1000) as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "space", "space", "r")
        assert "type 2 to go on" in shown(bridge)
        assert "protected" in shown(bridge)


async def test_verbs_take_the_marked_and_then_nothing_is_marked(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "space", "space", "space", "r", "tab", "enter")
        selection = bridge.operator.calls[0][1]
        assert [ref.key for ref in selection.refs] == ["e0", "e1", "e2"]
        assert "marked" not in shown(bridge)


async def test_all_that_match_are_sent_as_a_query(aboard: Aboard) -> None:
    async with aboard(confirm_above=1000) as (bridge, pilot):
        await bridge.deck.obey("jobs @emails failed err:timeout")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "a")
        assert "all that match" in shown(bridge)
        await keys(bridge, pilot, "r", "tab", "enter")
        selection = bridge.operator.calls[0][1]
        assert (selection.refs, selection.queue, selection.state, selection.filter) == (
            (),
            "emails",
            JobState.FAILED,
            "err:timeout",
        )


async def test_all_that_match_are_acted_on_though_the_row_under_the_cursor_is_gone(aboard: Aboard) -> None:
    gone = []

    def answer(view: View) -> Snapshot:
        snapshot = busy(view)
        return replace(snapshot, groups=tuple(group for group in snapshot.groups if group.id not in gone))

    async with aboard(answer, confirm_above=1000) as (bridge, pilot):
        await keys(bridge, pilot, "4")
        first, *others = busy(View(screen=Screen.FAILURES)).groups
        gone.append(first.id)
        bridge.deck.on_snapshot_ready(SnapshotReady(answer(bridge.deck.deck_screen.view())))
        await keys(bridge, pilot, "r", "E")
        assert others
        assert "r retry" not in shown(bridge).splitlines()[-1], "the cursor aims at no other row by itself"
        await keys(bridge, pilot, "a", "r", "tab", "enter")
        verb, selection, *_ = bridge.operator.calls[0]
        assert (verb, selection.signature, selection.state) == ("retry", None, JobState.FAILED)


async def test_deleting_asks_even_for_one(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "ctrl+d")
        assert "delete 1 job?" in shown(bridge)
        assert "can't be undone" in shown(bridge)
        await keys(bridge, pilot, "enter")
        assert bridge.operator.calls == []


async def test_a_waiting_job_is_aborted_at_once_and_a_running_one_after_asking(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "3", "x")
        assert bridge.operator.calls[0][0] == "abort"
        await keys(bridge, pilot, "right_square_bracket", "x")
        assert "abort 1 job?" in shown(bridge)


async def test_pausing_a_schedule_asks_for_how_long_and_why(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "s", "enter")
        assert "Pause schedule nightly_backup?" in shown(bridge)
        await keys(bridge, pilot, *"deploy", "enter", "enter")
        assert bridge.operator.calls == [("pause_schedule", "default", "nightly_backup", 3600.0, "deploy")]


async def test_a_wrong_time_span_is_said_at_its_field(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "s")
        bridge.deck.screen.query_one("#field-span", LineInput).value = "soon"
        await keys(bridge, pilot, "enter", "enter", "enter")
        assert "write 30m, 2h, 1d or forever" in shown(bridge)
        assert bridge.operator.calls == []


async def test_a_paused_schedule_is_resumed_at_once(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "j", "j", "s")
        assert bridge.operator.calls == [("resume_schedule", "reports", "weekly")]


async def test_run_now_and_skip_next(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "t", "S")
        assert bridge.operator.calls == [
            ("run_schedule", "default", "nightly_backup", None),
            ("skip_next", "default", "nightly_backup", True),
        ]


async def test_a_queue_is_paused_from_the_overview(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "s", "enter", "enter", "enter")
        assert bridge.operator.calls == [("pause_queue", "default", 3600.0, "")]


async def test_a_stock_queue_can_not_be_paused_and_says_why(aboard: Aboard) -> None:
    def stock(view: View) -> Snapshot:
        snapshot = busy(view)
        return replace(snapshot, queues=tuple(replace(queue, deck=False) for queue in snapshot.queues))

    async with aboard(stock) as (bridge, pilot):
        await keys(bridge, pilot, "2", "s")
        assert "stock SAQ workers" in shown(bridge)
        assert bridge.operator.calls == []


async def test_workers_are_told_to_be_quiet_to_stop_and_how_many_slots(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "6", "s")
        await bridge.deck.obey("concurrency 20")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "x", "tab", "enter")
        assert bridge.operator.calls == [
            ("control_worker", "w-1", "quiet", ""),
            ("control_worker", "w-1", "concurrency", "20"),
            ("control_worker", "w-1", "stop", ""),
        ]


async def test_the_stack_of_a_current_job_is_asked_for(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "6", "enter", "d")
        assert bridge.operator.calls == [("control_worker", "w-1", "stack", "e0")]


async def test_bulk_operations_are_paused_resumed_and_stopped(aboard: Aboard) -> None:
    def paused(view: View) -> Snapshot:
        rows = (replace(bulks()[0], state="paused"), bulks()[1])
        return replace(busy(view), page=Page(rows=rows, total=2))

    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("bulks")
        await settled(bridge, pilot)
        assert "41/532" in shown(bridge) or "43/532" in shown(bridge)
        await keys(bridge, pilot, "s", "x")
        bridge.source.answer = paused
        bridge.deck.wake()
        async with asyncio.timeout(60):
            while "paused" not in shown(bridge):
                await pilot.pause()
        await keys(bridge, pilot, "s")
        commands = [call[3] for call in bridge.operator.calls]
        assert commands == ["pause", "stop", "resume"]
        assert bridge.operator.calls[0][:3] == ("control_bulk", "emails", "b-1")


async def test_deleted_jobs_come_back_from_the_bin(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("bin")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "r")
        verb, selection, *_ = bridge.operator.calls[0]
        assert (verb, [ref.key for ref in selection.refs]) == ("restore", ["b1"])


async def test_what_a_rule_holds_is_released_and_what_can_be_read_is_put_back(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("quarantine")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "r")
        assert bridge.operator.calls == [("put_back", "emails", "q1", None, "")]
        await keys(bridge, pilot, "j", "r", "tab", "enter")
        assert bridge.operator.calls[1:] == [("lift_quarantine", "emails", "r1", True)]


async def test_what_can_not_be_read_is_deleted_after_asking_one_or_all(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("quarantine")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "ctrl+d")
        text = shown(bridge)
        for word in ("Delete 1 unreadable payload?", "q1: not JSON", "recycle bin", "All that can't be read in emails"):
            assert word in text
        await keys(bridge, pilot, "enter")
        assert bridge.operator.calls == []
        await keys(bridge, pilot, "ctrl+d", "tab", "enter")
        await keys(bridge, pilot, "ctrl+d", "tab", "tab", "enter")
        assert bridge.operator.calls == [
            ("delete_unreadable", "emails", ("q1",), ""),
            ("delete_unreadable", "emails", (), ""),
        ]


async def test_what_can_not_be_read_is_mended_on_the_line(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("quarantine")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "E")
        text = shown(bridge)
        for word in ("Mend q1 and put it back", "not JSON: unexpected end", '{"function": "send_em'):
            assert word in text
        await keys(bridge, pilot, "enter", "enter")
        assert "Line 1, column 14" in shown(bridge)
        payload = bridge.deck.screen.query_one("#payload", LineInput)
        payload.value = '{"function": "send_email", "key": "q1", "queue": "emails"}'
        payload.focus()
        bridge.operator.error = RefusedError("A job of that key is there already.")
        await keys(bridge, pilot, "enter", "enter")
        assert "there already" in shown(bridge)
        assert payload.value.endswith("}")
        bridge.operator.error = None
        await keys(bridge, pilot, "enter")
        fields = {"function": "send_email", "key": "q1", "queue": "emails"}
        assert bridge.operator.calls == [("put_back", "emails", "q1", fields, "")]


async def test_what_can_not_be_read_is_mended_in_the_own_editor(
    aboard: Aboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved = iter(["{half", '{\n "function": "f"\n}'])
    given: list[str] = []

    async def edit(_: object, text: str, __: str) -> str:
        given.append(text)
        return next(saved)

    monkeypatch.setattr("tui.screens.mending.edit_text", edit)
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("quarantine")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "ctrl+o")
        assert "Line 1, column 2" in shown(bridge)
        await keys(bridge, pilot, "ctrl+o")
        assert given == ['{"function": "send_em', "{half"]
        assert '{"function": "f"}' in shown(bridge)
        await keys(bridge, pilot, "enter")
        assert bridge.operator.calls == [("put_back", "emails", "q1", {"function": "f"}, "")]


def test_a_payload_is_edited_without_what_a_terminal_would_act_on() -> None:
    assert document_of_raw("{broken\x1b[2J\x9b") == "{broken\\u001b[2J\\u009b"
    assert document_of_raw('{"a":1}') == '{\n  "a": 1\n}\n'
    assert one_line(document_of_raw('{"a":"x\\ny"}')) == '{"a": "x\\ny"}'


async def test_jobs_are_set_aside_by_what_they_have_in_common(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "z", "tab", "enter")
        assert bridge.operator.calls == [("quarantine", "emails", "send_email", "", "ConnectionError", "")]


async def test_the_page_of_a_job_explains_it_and_sets_jobs_like_it_aside(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "enter")
        assert bridge.deck.deck_screen.SCREEN is Screen.JOB
        said = shown(bridge).count("It failed 3 of 3 times")
        await keys(bridge, pilot, "w")
        assert shown(bridge).count("It failed 3 of 3 times") == said + 1
        await keys(bridge, pilot, "z")
        assert "Set aside" in shown(bridge)


async def test_undo_takes_the_newest_or_the_act_under_the_cursor(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "u", "9", "u", "j", "u")
        assert bridge.operator.calls == [("undo", ""), ("undo", "1-2")]
        assert "can't be undone" in shown(bridge)


async def test_a_note_is_added_and_the_traffic_turned(aboard: Aboard) -> None:
    async with aboard(demo=True) as (bridge, pilot):
        await bridge.deck.obey("note mail host is back")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "plus", "underscore")
        await bridge.deck.obey("traffic down")
        await settled(bridge, pilot)
        assert bridge.operator.calls == [
            ("note", "mail host is back"),
            ("traffic", "up"),
            ("traffic", "off"),
            ("traffic", "down"),
        ]


@pytest.mark.parametrize("shell", [True, False])
async def test_suspending_needs_a_shell_to_go_back_to(
    aboard: Aboard, monkeypatch: pytest.MonkeyPatch, shell: bool
) -> None:
    async with aboard() as (bridge, pilot):
        stopped = []
        monkeypatch.setattr(bridge.deck, "action_suspend_process", lambda: stopped.append(True))
        monkeypatch.setattr("os.getpgrp", lambda: 7)
        monkeypatch.setattr("os.getsid", lambda _: 5 if shell else 7)
        await bridge.deck.obey("suspend")
        await settled(bridge, pilot)
        assert bool(stopped) is shell
        assert ("No shell" in shown(bridge)) is not shell


async def test_an_act_that_is_refused_says_why_and_nothing_else_happens(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        bridge.operator.error = RefusedError("The job e0 changed since it was seen.", "Look again.")
        await keys(bridge, pilot, "4", "enter", "r")
        assert "changed since it was seen" in shown(bridge)
        assert bridge.deck.acting.outcomes == []


async def test_acting_is_refused_on_stale_data_even_from_the_command_line(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4")
        bridge.deck._go_stale()
        await keys(bridge, pilot, "r")
        await bridge.deck.obey("note x")
        await settled(bridge, pilot)
        assert bridge.operator.calls == []
        assert "stale" in shown(bridge)


async def test_an_incident_note_goes_to_a_file_for_its_owner_alone(aboard: Aboard, tmp_path: Path) -> None:
    async with aboard(notes=tmp_path) as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "r")
        await bridge.deck.obey("incident night.md")
        await settled(bridge, pilot)
        written = tmp_path / "night.md"
        text = written.read_text()
        for word in ("# Incident on demo", "emails: oldest 48 s", "send\\_email", "bob: retry", "quarterdeck retry"):
            assert word in text
        assert written.stat().st_mode & 0o777 == 0o600
        await bridge.deck.obey("incident night.md")
        await settled(bridge, pilot)
        assert "exists already" in shown(bridge)


async def test_rows_hold_still_while_a_dialog_is_open(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "r")
        assert bridge.deck.deck_screen.query_one("#grid").hold  # type: ignore[attr-defined]
        await keys(bridge, pilot, "escape")
        assert not bridge.deck.deck_screen.query_one("#grid").hold  # type: ignore[attr-defined]


@pytest.mark.parametrize(("right", "allowed"), [(Right.RETRY, True), (Right.VIEW, False)])
async def test_who_may_retry_may_pause_and_stop_a_bulk_that_another_began(
    aboard: Aboard, right: Right, allowed: bool
) -> None:
    async with aboard(right=right) as (bridge, pilot):
        await bridge.deck.obey("bulks")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "s", "x")
        assert [call[0] for call in bridge.operator.calls] == ["control_bulk", "control_bulk"] * allowed
        assert ("s pause" in shown(bridge)) is allowed
        await keys(bridge, pilot, "2", "s")
        assert "Pause queue" not in shown(bridge)


@pytest.mark.parametrize("right", [Right.RETRY, Right.VIEW])
async def test_what_a_role_does_not_hold_is_refused_at_the_door_too(aboard: Aboard, right: Right) -> None:
    async with aboard(right=right) as (bridge, _):
        with pytest.raises(RefusedError, match="right to operate"):
            await bridge.deck.perform(lambda it: it.resume_queue("emails"))
        assert bridge.operator.calls == []
        assert bridge.deck.deck_screen.SCREEN is Screen.OVERVIEW


async def test_how_much_is_kept_is_shown_and_set_where_nothing_is_dropped(aboard: Aboard) -> None:
    async with aboard(size=(120, 60)) as (bridge, pilot):
        await keys(bridge, pilot, "2", "enter")
        text = shown(bridge)
        for word in ("kept at most", "535 of 50,000", "5 h of 30d", "failed_age 30d, usually 14d", "1,000 a schedule"):
            assert word in text
        queue = bridge.deck.deck_screen.asked.queue
        await bridge.deck.obey("retention failed_age 60d log_lines default")
        await settled(bridge, pilot)
        assert bridge.operator.calls == [("set_retention", queue, {"failed_age": "60d", "log_lines": "default"}, "")]
        assert "u undoes it" in shown(bridge)


async def test_bounds_that_drop_something_are_asked_about(aboard: Aboard) -> None:
    async with aboard(confirm_above=100) as (bridge, pilot):
        bridge.operator.dropped = (Tally(name="failed jobs", count=60), Tally(name="log lines", count=75))
        await keys(bridge, pilot, "2")
        await bridge.deck.obey("retention @emails failed_count 5 log_lines 10")
        await settled(bridge, pilot)
        text = shown(bridge)
        for word in ("keep less of emails?", "drops 60 failed jobs", "drops 75 log lines", "type 135", "not come back"):
            assert word in text
        await keys(bridge, pilot, "escape")
        assert bridge.operator.calls == []
        await bridge.deck.obey("retention @emails failed_count 5 log_lines 10")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "tab", "enter", *"135", "tab", "tab", "enter")
        assert bridge.operator.calls == [("set_retention", "emails", {"failed_count": "5", "log_lines": "10"}, "")]


@pytest.mark.parametrize(
    ("words", "said"),
    [("retention failed_age 30d", "Which queue"), ("retention @emails failed_age", "a name and a value")],
)
async def test_bounds_need_a_queue_and_pairs(aboard: Aboard, words: str, said: str) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "9")
        await bridge.deck.obey(words)
        await settled(bridge, pilot)
        assert said in shown(bridge)
        assert bridge.operator.calls == []


async def test_bounds_are_for_administrators(aboard: Aboard) -> None:
    async with aboard(right=Right.OPERATE) as (bridge, pilot):
        await bridge.deck.obey("retention @emails failed_age 30d")
        await settled(bridge, pilot)
        assert "right to admin" in shown(bridge)
        assert bridge.operator.calls == []


async def test_the_names_of_bounds_complete_on_a_queues_screen(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        assert complete_command(bridge.deck, "retention failed") == []
        await keys(bridge, pilot, "2", "enter")
        found = complete_command(bridge.deck, "retention failed_a")
        assert [(it.line, it.meaning) for it in found] == [("retention failed_age ", "now 30d")]
        assert [it.line for it in complete_command(bridge.deck, "retention @em")] == ["retention @emails"]
