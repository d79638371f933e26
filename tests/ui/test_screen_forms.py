"""The forms: enqueue, edit and retry, the sandbox of schedules."""

from __future__ import annotations

import asyncio
import json

import pytest
from boards import Bridge, busy, empty
from conftest import Aboard, keys, settled, shown
from fingers import strike
from msgspec.structs import replace
from textual.pilot import Pilot

from quarterdeck.errors import RefusedError
from quarterdeck.model import FunctionSpec, Outcome, ParameterSpec, Snapshot, View
from tui.screens.argumentfields import ArgumentFields
from tui.screens.enqueuing import JobForm, JobRequest
from tui.widgets.lineinput import LineInput


async def test_functions_complete_and_arguments_are_typed_into_fields(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "e", *"send", "enter")
        text = shown(bridge)
        assert "str, required" in text
        assert "int, 3" in text
        await keys(bridge, pilot, *"a@b.c", "enter", *"5", "enter", "enter", "enter", "enter")
        assert bridge.operator.calls == [
            ("enqueue", "emails", "send_email", {"to": "a@b.c", "retries_left": 5}, {"delay_s": 0.0})
        ]
        assert not isinstance(bridge.deck.screen, JobForm)


async def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_sent(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("enqueue send_email retries_left=many")
        await settled(bridge, pilot)
        form = bridge.deck.screen
        assert isinstance(form, JobForm)
        await _send(bridge, pilot)
        assert "'to' (str) is missing" in shown(bridge)
        assert form.focused is form.query_one("#arg-0", LineInput)
        strike(pilot, *"x@y.z")
        await settled(bridge, pilot)
        await _send(bridge, pilot)
        assert "'retries_left' takes int" in shown(bridge)
        assert bridge.operator.calls == []


async def _send(bridge, pilot) -> None:
    from tui.widgets.dialog import Answer

    bridge.deck.screen.query(Answer).last().focus()
    await keys(bridge, pilot, "enter")


async def test_a_function_that_nobody_registers_is_refused_with_the_nearest(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        bridge.deck.functions = tuple(spec for spec in bridge.deck.functions if not spec.accepts_any)
        await bridge.deck.obey("enqueue send_emial")
        await settled(bridge, pilot)
        await _send(bridge, pilot)
        assert "Did you mean 'send_email'?" in shown(bridge)
        assert bridge.operator.calls == []


async def test_arguments_that_are_not_declared_are_typed_as_json_or_pairs(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("enqueue ping @default")
        await settled(bridge, pilot)
        more = bridge.deck.screen.query_one("#more", LineInput)
        more.value = "{nonsense"
        await _send(bridge, pilot)
        assert "no JSON" in shown(bridge)
        more.value = """host=mail count=3 deep='{"a":1}' raw={"a":1}"""  # quotes are the shell's
        await _send(bridge, pilot)
        (_, queue, function, arguments, _) = bridge.operator.calls[0]
        assert (queue, function) == ("default", "ping")
        assert arguments == {"host": "mail", "count": 3, "deep": {"a": 1}, "raw": "{a:1}"}


async def test_a_delay_and_a_queue_that_are_missing_are_asked_for(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("enqueue export_csv tenant=7")
        await settled(bridge, pilot)
        bridge.deck.screen.query_one("#delay", LineInput).value = "later"
        await _send(bridge, pilot)
        assert "Write the delay as" in shown(bridge)
        bridge.deck.screen.query_one("#delay", LineInput).value = "5m"
        await _send(bridge, pilot)
        assert bridge.operator.calls == [("enqueue", "default", "export_csv", {"tenant": 7}, {"delay_s": 300.0})]


async def test_when_the_server_refuses_the_form_stays_with_all_that_was_typed(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("enqueue export_csv tenant=7")
        await settled(bridge, pilot)
        bridge.operator.error = RefusedError("A job with the key is queued already.")
        await _send(bridge, pilot)
        assert "queued already" in shown(bridge)
        assert bridge.deck.screen.query_one("#arg-0", LineInput).value == "7"


async def test_without_any_worker_a_function_and_a_queue_can_still_be_named(aboard: Aboard) -> None:
    async with aboard(empty) as (bridge, pilot):
        await bridge.deck.obey("enqueue nightly")
        await settled(bridge, pilot)
        await _send(bridge, pilot)
        assert "Name a queue" in shown(bridge)
        strike(pilot, *"later")
        await settled(bridge, pilot)
        await _send(bridge, pilot)
        assert bridge.operator.calls == [("enqueue", "later", "nightly", {}, {"delay_s": 0})]


async def test_a_failed_job_is_edited_and_retried_as_it_was_seen(aboard: Aboard) -> None:
    def unknown(view: View) -> Snapshot:
        return replace(busy(view), functions=())

    async with aboard(unknown) as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "E")
        text = shown(bridge)
        assert "Edit and retry e0" in text
        assert '"password":"***"' in text
        more = bridge.deck.screen.query_one("#more", LineInput)
        more.value = '{"to": "new@example.com", "password": "***"}'
        await _send(bridge, pilot)
        (verb, ref, arguments, _) = bridge.operator.calls[0]
        assert verb == "edit_and_retry"
        assert (ref.key, ref.seen_ms > 0) == ("e0", True)
        assert arguments["to"] == "new@example.com"


async def test_the_sandbox_says_what_an_expression_means_as_one_types(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "X")
        assert "every day at 02:00" in shown(bridge)
        bridge.deck.screen.query_one("#expression", LineInput).value = "*/15 * * * *"
        await settled(bridge, pilot)
        assert "12:15:00" in shown(bridge)
        bridge.deck.screen.query_one("#expression", LineInput).value = "0 0 30 2 *"
        await settled(bridge, pilot)
        assert "Mon" not in shown(bridge).partition("zone")[2]
        assert " ".join(line.strip(" │") for line in shown(bridge).splitlines()).count("weekday fields.") == 1
        bridge.deck.screen.query_one("#expression", LineInput).value = "30 2 * * *"
        bridge.deck.screen.query_one("#zone", LineInput).value = "Australia/Lord_Howe"
        await settled(bridge, pilot)
        told = [line.strip(" │") for line in shown(bridge).splitlines() if "here 2" in line]
        assert told
        assert all(line.endswith("UTC") for line in told), told
        await keys(bridge, pilot, "escape")
        assert bridge.operator.calls == []


async def test_the_timeline_shows_the_next_hours(aboard: Aboard) -> None:
    async with aboard(busy) as (bridge, pilot):
        await keys(bridge, pilot, "5", "T")
        text = shown(bridge)
        assert "the next 6 hours" in text
        assert "health_check" in text
        assert "●" in text


async def test_a_schedule_is_added_and_its_meaning_told_as_one_types(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "A", *"tidy", "enter", "enter", *"@hourly", "enter", "enter", *"clean", "enter")
        assert "every hour" in shown(bridge)
        bridge.deck.screen.query_one("#arguments", LineInput).value = "{broken"
        await _send(bridge, pilot)
        assert "no JSON" in shown(bridge)
        bridge.deck.screen.query_one("#arguments", LineInput).value = '{"days": 7}'
        await _send(bridge, pilot)
        assert bridge.operator.calls == [
            (
                "add_schedule",
                "default",
                {"name": "tidy", "expression": "@hourly", "tz": "UTC", "function": "clean", "arguments": {"days": 7}},
            )
        ]


async def test_of_a_schedule_only_what_was_changed_is_sent(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "E")
        await _send(bridge, pilot)
        assert "Nothing was changed" in shown(bridge)
        bridge.deck.screen.query_one("#expression", LineInput).value = "30 2 * * *"
        await settled(bridge, pilot)
        assert "every day at 02:30" in shown(bridge)
        await _send(bridge, pilot)
        assert bridge.operator.calls == [
            ("edit_schedule", "default", "nightly_backup", {"expression": "30 2 * * *"}, "")
        ]


async def test_a_schedule_is_deleted_only_after_asking(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "ctrl+d")
        assert "Delete the schedule nightly_backup?" in shown(bridge)
        await keys(bridge, pilot, "tab", "enter")
        assert bridge.operator.calls == [("delete_schedule", "default", "nightly_backup", "")]


async def test_marked_schedules_are_paused_as_one_act(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "space", "space", "s", "enter", *"move", "enter", "enter")
        assert bridge.operator.calls == [
            ("pause_schedules", "default", ("nightly_backup", "health_check"), 3600.0, "move")
        ]


SPEC = FunctionSpec(
    name="send_email",
    parameters=(
        ParameterSpec(name="to", type="str", required=True),
        ParameterSpec(name="body", type="str", required=True),
        ParameterSpec(name="number", type="any", required=True),
        ParameterSpec(name="cc", type="str", required=False),
        ParameterSpec(name="empty", type="str", required=False),
    ),
)
VALUES = {"to": "a@b.c", "body": "two\nlines", "number": "123", "cc": None, "empty": "", "gone": "x" * 9_000}


async def _editing(bridge: Bridge, pilot: Pilot[None]) -> tuple[JobForm, list[JobRequest]]:
    sent: list[JobRequest] = []

    async def send(request: JobRequest) -> Outcome:
        sent.append(request)
        return Outcome(message="Sent.")

    spec = replace(SPEC, accepts_any=True)
    form = JobForm("Edit", (spec,), ("emails",), send, function="send_email", values=VALUES, queue="emails", fixed=True)
    bridge.deck.push_screen(form)
    await settled(bridge, pilot)
    return form, sent


async def test_what_is_left_as_it_is_keeps_its_value_whatever_it_looks_like(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        form, sent = await _editing(bridge, pilot)
        form.query_one("#arg-0", LineInput).value = "x@y.z"
        await _send(bridge, pilot)
        assert [it.arguments for it in sent] == [VALUES | {"to": "x@y.z"}]


async def test_what_does_not_go_on_one_line_is_not_edited_there(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        form, sent = await _editing(bridge, pilot)
        form.query_one("#arg-1", LineInput).value = "two lines"
        await _send(bridge, pilot)
        assert "Ctrl-O opens it in your editor" in shown(bridge)
        assert sent == []


async def test_what_the_editor_saved_is_checked_kept_and_sent(aboard: Aboard, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = iter(['{"to": 7', "  ", '{"to": 7}', '{"to": "x", "body": "a\\nb", "number": 1}'])
    given: list[str] = []

    async def edit(_: object, text: str, name: str) -> str:
        assert name == "send_email.json"
        given.append(text)
        return next(saved)

    monkeypatch.setattr("tui.screens.enqueuing.edit_text", edit)
    async with aboard() as (bridge, pilot):
        _, sent = await _editing(bridge, pilot)
        await keys(bridge, pilot, "ctrl+o")
        assert "Ctrl-O goes on with it" in shown(bridge)
        await _send(bridge, pilot)
        assert "can't be read yet" in shown(bridge)
        await keys(bridge, pilot, "ctrl+o")  # an emptied file takes nothing over, and ends the draft
        assert given[1] == '{"to": 7'
        assert "Nothing was changed" in shown(bridge)
        await keys(bridge, pilot, "ctrl+o")
        assert json.loads(given[2]) == VALUES
        assert "'body' (str) is missing" in shown(bridge)
        await keys(bridge, pilot, "ctrl+o")
        await _send(bridge, pilot)
        assert [it.arguments for it in sent] == [{"to": "x", "body": "a\nb", "number": 1}]


@pytest.mark.parametrize("turns", range(0, 24, 2))
async def test_whoever_stops_waiting_for_the_fields_leaves_none_of_the_arguments_out(
    aboard: Aboard, turns: int
) -> None:
    async with aboard() as (bridge, pilot):
        form, _ = await _editing(bridge, pilot)
        fields, spec = form.query_one(ArgumentFields), replace(SPEC, accepts_any=True)
        values = VALUES | {"to": "x@y.z", "cc": "all"}
        waiting = asyncio.create_task(fields.show(spec, {}, values))
        for _ in range(turns):
            await asyncio.sleep(0)
            assert fields.arguments() in (VALUES, values)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        if turns:
            assert fields.arguments() == values
        await settled(bridge, pilot)
        assert fields.arguments() == (values if turns else VALUES)
        assert len(fields.query(LineInput)) == len(SPEC.parameters) + 1


async def test_a_terminal_that_can_not_be_handed_over_says_so_and_nothing_is_lost(
    aboard: Aboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "true")
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter", "ctrl+o")
        assert "can't be handed over" in shown(bridge)
        assert "Edit and retry e0" in shown(bridge)
        assert bridge.operator.calls == []
