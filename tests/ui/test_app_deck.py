"""The app: moving between screens, staleness, the past, rights, what is said."""

from __future__ import annotations

import asyncio
from datetime import UTC

import pytest
from boards import NOW_MS, Bridge, busy, calm, empty
from conftest import Aboard, keys, settled, shown
from fingers import strike
from msgspec.structs import replace

from quarterdeck.errors import RefusedError, UnreachableError, UsageError
from quarterdeck.model import Finding, JobState, Level, Screen, Snapshot, Verdict, View
from tui.commands import COMMANDS, command_named
from tui.messages import ReadFailed, SnapshotReady
from tui.screens.asking import past_moment
from tui.screens.registry import NUMBERED
from tui.station import Right
from tui.widgets.clock import DeckClock


async def test_the_first_screen_is_the_overview_and_it_is_read_once(aboard: Aboard) -> None:
    async with aboard() as (bridge, _):
        assert bridge.deck.deck_screen.SCREEN is Screen.OVERVIEW
        assert [view.screen for view in bridge.source.asked] == [Screen.OVERVIEW]
        assert "emails" in shown(bridge)


async def test_the_worker_of_an_embedded_server_is_shown_as_soon_as_it_is_there(aboard: Aboard) -> None:
    asked = 0

    def starting(view: View) -> Snapshot:
        nonlocal asked
        asked += 1
        return empty(view) if asked < 3 else busy(view)

    async with aboard(starting, embedded=True, brings_worker=True) as (
        bridge,
        pilot,
    ):  # the next refresh would be a minute later
        async with asyncio.timeout(60):
            while "emails" not in shown(bridge):
                await pilot.pause(0.01)
    assert bridge.deck.snapshot is not None
    assert bridge.deck.snapshot.workers


async def test_numbers_reach_screens_and_escape_comes_back(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        for number, screen in enumerate(NUMBERED[1:], 2):
            await keys(bridge, pilot, str(number))
            assert bridge.deck.deck_screen.SCREEN is screen
            assert bridge.source.asked[-1].screen is screen
            if screen is not Screen.LOGS:
                await keys(bridge, pilot, "escape")
                assert bridge.deck.deck_screen.SCREEN is Screen.OVERVIEW


async def test_only_what_is_visible_is_asked_for(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "3", "G")
        view = bridge.source.asked[-1]
        assert view.offset > 400
        assert view.limit <= 80
        assert "e531" in shown(bridge)


async def test_a_screen_remembers_its_filter_when_one_comes_back_to_it(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await bridge.deck.obey("jobs @emails failed fn:send_email")
        await settled(bridge, pilot)
        await keys(bridge, pilot, "1", "3")
        asked = bridge.deck.deck_screen.asked
        assert (asked.queue, asked.state, asked.filter) == ("emails", JobState.FAILED, "fn:send_email")


async def test_enter_goes_from_group_to_job_and_escape_all_the_way_back(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "enter")
        assert bridge.deck.deck_screen.asked.subject == "a1b2c3d4e5f6"
        await keys(bridge, pilot, "enter")
        assert bridge.deck.deck_screen.SCREEN is Screen.JOB
        assert "deliver(message)" in shown(bridge)
        await keys(bridge, pilot, "escape", "escape", "escape")
        assert len(bridge.deck.screen_stack) == 1


async def test_q_at_the_root_asks_before_it_quits(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "q")
        assert "Leave the deck?" in shown(bridge)
        await keys(bridge, pilot, "escape")
        assert bridge.deck.is_running
        await keys(bridge, pilot, "q", "tab")
        strike(pilot, "enter")
        await left(bridge)
        assert bridge.deck.return_code == 0


async def left(bridge: Bridge) -> None:
    """Wait until the deck has been left."""
    async with asyncio.timeout(60):
        while bridge.deck.return_code is None:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(("embedded", "said"), [(False, "go on without it"), (True, "ends with the last dashboard")])
async def test_what_happens_when_one_leaves_is_said_as_it_is(aboard: Aboard, embedded: bool, said: str) -> None:
    async with aboard(embedded=embedded) as (bridge, pilot):
        await keys(bridge, pilot, "q")
        assert said in shown(bridge)


async def test_no_worker_is_no_alarm_while_ours_is_being_started(aboard: Aboard) -> None:
    def nobody(view: View) -> Snapshot:
        finding = Finding(level=Level.NOTICE, text="no worker is alive", view="workers")
        verdict = Verdict(level=Level.NOTICE, headline=finding.text, findings=(finding,))
        return replace(empty(view), verdict=verdict)

    async with aboard(nobody, embedded=True, brings_worker=True) as (bridge, pilot):
        assert "starting the worker" in shown(bridge)
        assert "the worker is starting" in shown(bridge)
        assert "no worker" not in shown(bridge)
        bridge.deck._departure._began -= 60  # it should have been there by now
        bridge.deck.wake()
        await settled(bridge, pilot)
        async with asyncio.timeout(60):
            while "⚠ no worker is alive" not in shown(bridge):
                await pilot.pause(0.01)
    async with aboard(nobody, embedded=True) as (bridge, pilot):  # a server without an app: nobody is to be expected
        assert "⚠ no worker is alive" in shown(bridge)


async def test_what_a_start_waits_for_is_said() -> None:
    bridge = Bridge(waits_for=lambda: "the last session's jobs")
    there = asyncio.Event()

    async def first_look() -> None:
        await there.wait()

    bridge.deck.reading._first_look = first_look
    async with bridge.deck.run_test(size=(80, 24)) as pilot:
        async with asyncio.timeout(60):
            while "waiting for the last session's jobs" not in shown(bridge):
                await pilot.pause(0.01)
        there.set()
        await settled(bridge, pilot)
        assert "waiting for" not in shown(bridge)


async def test_control_c_quits_even_from_a_dialog_and_takes_leave(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "e")
        strike(pilot, "ctrl+c")
        await left(bridge)
    assert bridge.source.closed
    assert bridge.operator.closed


async def test_old_rows_stay_under_a_banner_and_acting_is_off(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        bridge.goes_away()
        bridge.deck.wake()
        async with asyncio.timeout(60):
            while bridge.deck.stale_since_ms is None:
                await pilot.pause()
        await settled(bridge, pilot)
        text = shown(bridge)
        assert "stale" in text
        assert "1,204" in text
        with pytest.raises(RefusedError, match="stale"):
            bridge.deck.acting.require(Right.OPERATE)
        bridge.source.error = None
        bridge.deck.on_snapshot_ready(_ready())
        await pilot.pause()
        assert "stale" not in shown(bridge)


async def test_all_is_not_said_to_be_well_while_nobody_answers(aboard: Aboard) -> None:
    async with aboard(calm) as (bridge, pilot):
        assert "all is well" in shown(bridge)
        bridge.goes_away()
        bridge.deck.on_read_failed(ReadFailed(UnreachableError("It does not answer."), 1.0))
        await pilot.pause()
        assert "all is well" not in shown(bridge)
        assert "not known: no answer" in shown(bridge)


async def test_the_banner_tells_the_age_of_the_rows_that_are_shown(aboard: Aboard) -> None:
    now = [NOW_MS]

    def answer(view: View) -> Snapshot:
        return replace(busy(view), taken_ms=now[0])

    async with aboard(answer, clock=DeckClock(lambda: now[0])) as (bridge, pilot):
        now[0] += 100_000
        await keys(bridge, pilot, "3")
        bridge.goes_away()
        bridge.deck.on_read_failed(ReadFailed(UnreachableError("It does not answer."), 1.0))
        now[0] += 5_000
        bridge.deck._tick()
        await pilot.pause()
        assert "stale for 5 s" in shown(bridge)
        strike(pilot, "1")  # its rows are those from before the jobs were looked at
        async with asyncio.timeout(60):
            while bridge.deck.deck_screen.SCREEN is not Screen.OVERVIEW or "stale for 5 s" in shown(bridge):
                await pilot.pause()
        assert "stale for 1 m" in shown(bridge)


def _ready():
    from tui.messages import SnapshotReady

    return SnapshotReady(busy(View()))


async def test_a_start_without_an_answer_ends_with_the_reason() -> None:
    bridge = Bridge()
    bridge.goes_away()
    async with bridge.deck.run_test():
        await left(bridge)
    assert bridge.deck.return_code == 3
    assert "does not answer" in str(bridge.deck.fatal)


async def test_rows_that_stay_away_for_long_are_stale_without_any_failure(aboard: Aboard) -> None:
    now = [NOW_MS]
    from tui.widgets.clock import DeckClock

    async with aboard(clock=DeckClock(lambda: now[0]), refresh_s=1.0) as (bridge, pilot):
        bridge.deck.reading.holding = True
        now[0] += 9_000
        bridge.deck._tick()
        await pilot.pause()
        assert bridge.deck.stale_since_ms == NOW_MS


async def test_countdowns_go_on_between_reads(aboard: Aboard) -> None:
    now = [NOW_MS]
    from tui.widgets.clock import DeckClock

    async with aboard(clock=DeckClock(lambda: now[0])) as (bridge, pilot):
        assert "00:12" in shown(bridge)
        now[0] += 2_000
        bridge.deck._tick()
        await pilot.pause()
        assert "00:10" in shown(bridge)
        assert len(bridge.source.asked) == 1


async def test_the_past_is_asked_for_and_shown_and_nothing_can_be_done_in_it(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "less_than_sign", "less_than_sign")
        await settled(bridge, pilot)
        assert abs((bridge.source.asked[-1].at_ms or 0) - (NOW_MS - 120_000)) <= 2
        assert "past 12:01" in shown(bridge)
        with pytest.raises(RefusedError, match="past"):
            bridge.deck.acting.require(Right.RETRY)
        assert not bridge.deck.available(bridge.deck.commands["enqueue"])
        await keys(bridge, pilot, "greater_than_sign", "greater_than_sign")
        assert bridge.deck.playback.past_ms is None
        await keys(bridge, pilot, "less_than_sign", "equals_sign")
        assert bridge.source.asked[-1].at_ms is None


async def test_the_past_does_not_claim_that_there_was_no_worker(aboard: Aboard) -> None:
    def answer(view: View) -> Snapshot:
        return busy(view) if view.at_ms is None else replace(empty(view), groups=())

    async with aboard(answer) as (bridge, pilot):
        await keys(bridge, pilot, "less_than_sign")
        text = shown(bridge)
        assert "no worker is alive" not in text
        assert text.count("the flight recorder does not keep this") == 2
        assert "nothing has failed" in text
        await keys(bridge, pilot, "equals_sign")
        assert "flight recorder" not in shown(bridge)


@pytest.mark.parametrize("key", ["r", "s", "e", "ctrl+d"])
async def test_a_key_that_acts_says_in_the_past_why_it_does_not(aboard: Aboard, key: str) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "4", "less_than_sign", key)
        text = shown(bridge)
        assert "This is the past: acting is off" in text
        assert "`=` comes back" in text
        assert bridge.operator.calls == []


async def test_a_key_that_acts_says_on_stale_data_why_it_does_not_even_where_no_row_is_known(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        bridge.goes_away()
        bridge.deck.wake()
        await settled(bridge, pilot)
        await keys(bridge, pilot, "4", "r")
        assert "The data is stale: acting is off" in shown(bridge)


async def test_who_may_only_look_has_no_acting_keys_in_the_past_either(aboard: Aboard) -> None:
    async with aboard(read_only=True) as (bridge, pilot):
        await keys(bridge, pilot, "4", "less_than_sign", "r")
        assert "acting is off" not in shown(bridge)


async def test_the_past_is_scrubbed_in_small_steps_too_and_gone_to_by_time(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "comma", "comma", "comma", "full_stop")
        assert "past 12:03:10" in shown(bridge)
        await bridge.deck.obey("past 11:59")
        await settled(bridge, pilot)
        assert "past 11:59:00" in shown(bridge)
        await bridge.deck.obey("past 30s")
        await settled(bridge, pilot)
        assert "past 11:58:30" in shown(bridge)
        with pytest.raises(UsageError, match="moment"):
            past_moment("soon", NOW_MS, UTC)
        assert past_moment("12:05", NOW_MS, UTC) == NOW_MS + 100_000 - 86_400_000  # yesterday's
        assert past_moment("5", NOW_MS, UTC) == NOW_MS - 300_000


async def test_what_was_under_way_when_the_moment_changed_is_not_shown(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "less_than_sign")
        late = replace(busy(View()), per_minute=4711.0)
        bridge.deck.post_message(SnapshotReady(late))
        await settled(bridge, pilot)
        assert "4,711/min" not in shown(bridge)
        assert bridge.deck.clock.now_ms() < NOW_MS


async def test_a_frozen_screen_reads_only_when_asked(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "p")
        assert "frozen" in shown(bridge)
        assert bridge.deck.reading.holding
        await keys(bridge, pilot, "p")
        assert not bridge.deck.reading.holding


@pytest.mark.parametrize(("station", "flagged"), [({"right": Right.VIEW}, True), ({"right": Right.RETRY}, False)])
async def test_who_may_only_look_is_told_so(aboard: Aboard, station: dict[str, Right], flagged: bool) -> None:
    async with aboard(**station) as (bridge, _):
        assert ("read-only" in shown(bridge).splitlines()[0]) is flagged


async def test_read_only_binds_no_key_that_acts(aboard: Aboard) -> None:
    async with aboard(read_only=True) as (bridge, pilot):
        await keys(bridge, pilot, "4")
        acting = {command.id for command in COMMANDS if command.right > Right.VIEW}
        bound = {binding.binding.action for binding in bridge.deck.screen.active_bindings.values()}
        assert not {f"app.command('{name}')" for name in acting} & bound
        await keys(bridge, pilot, "r", "z", "e", "ctrl+d")
        assert bridge.operator.calls == []
        assert "read-only" in shown(bridge)


@pytest.mark.parametrize(("right", "available"), [(Right.RETRY, {"retry"}), (Right.OPERATE, {"retry", "set-aside"})])
async def test_each_role_has_the_keys_that_it_may_use(aboard: Aboard, right: Right, available: set[str]) -> None:
    async with aboard(right=right) as (bridge, pilot):
        await keys(bridge, pilot, "4")
        given = {name for name in ("retry", "set-aside", "delete") if bridge.deck.available(bridge.deck.commands[name])}
        assert given == available


async def test_keys_can_be_remapped_by_the_settings(aboard: Aboard) -> None:
    async with aboard(keys={"go.failures": "f", "grid.down": "J"}) as (bridge, pilot):
        await keys(bridge, pilot, "4")
        assert bridge.deck.deck_screen.SCREEN is Screen.OVERVIEW
        await keys(bridge, pilot, "f")
        assert bridge.deck.deck_screen.SCREEN is Screen.FAILURES
        await keys(bridge, pilot, "J")
        assert bridge.deck.deck_screen.targets()[0].id == "default/0011223344ff"


async def test_others_see_that_we_are_here_and_on_which_screen(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await settled(bridge, pilot)
        assert bridge.operator.presences[0] == "overview"
        assert "with bob" in shown(bridge)


async def test_an_unknown_word_on_the_command_line_names_the_nearest(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "colon", *"failuers", "enter")
        assert "Did you mean :failures?" in shown(bridge)
        await keys(bridge, pilot, "escape")
        assert command_named("failu").id == "go.failures"


async def test_the_command_line_completes_and_goes(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "colon", *"sche", "tab", "enter")
        assert bridge.deck.deck_screen.SCREEN is Screen.SCHEDULES


async def test_keys_typed_ahead_reach_what_they_were_meant_for(aboard: Aboard) -> None:
    from fingers import strike

    async with aboard() as (bridge, pilot):
        strike(pilot, ":", *"audit", "enter")
        async with asyncio.timeout(60):
            while bridge.deck.deck_screen.SCREEN is not Screen.AUDIT:
                await pilot.pause()
        assert bridge.operator.calls == []


async def test_an_empty_server_is_said_in_words(aboard: Aboard) -> None:
    async with aboard(empty) as (bridge, _):
        text = shown(bridge)
        assert "all is well" in text
        assert "no worker is alive" in text
        assert "nothing has failed" in text


async def test_it_opens_with_the_view_that_was_named(aboard: Aboard) -> None:
    async with aboard(first=View(screen=Screen.AUDIT)) as (bridge, pilot):
        for _ in range(20):
            await pilot.pause()
        assert bridge.deck.deck_screen.SCREEN is Screen.AUDIT


async def test_a_failed_read_says_when_it_is_tried_again() -> None:
    from quarterdeck.errors import UnreachableError

    message = ReadFailed(UnreachableError("gone"), 0.5)
    assert (str(message.error), message.retry_s) == ("gone", 0.5)


async def test_what_was_too_small_is_where_it_was_when_it_is_large_again_and_nothing_was_done_unseen(
    aboard: Aboard,
) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "tab")
        panel = bridge.deck.deck_screen.focused
        await pilot.resize_terminal(20, 5)
        await settled(bridge, pilot)
        await pilot.resize_terminal(80, 24)
        await settled(bridge, pilot)
        assert bridge.deck.deck_screen.focused is panel
        await pilot.resize_terminal(20, 5)
        await keys(bridge, pilot, "4", "enter", "r")
        assert bridge.operator.calls == []
        await pilot.resize_terminal(80, 24)
        await settled(bridge, pilot)
        await keys(bridge, pilot, "j")
        assert "▸" in shown(bridge)


@pytest.mark.parametrize("size", [(40, 10), (20, 5), (59, 24), (80, 19)])
async def test_a_terminal_that_is_too_small_says_so_and_q_still_quits(aboard: Aboard, size: tuple[int, int]) -> None:
    async with aboard(size=size) as (bridge, _):
        text = " ".join(shown(bridge).split())
        assert "too small" in text
        assert "60x20" in text


async def test_sixty_by_twenty_is_usable(aboard: Aboard) -> None:
    async with aboard(size=(60, 20)) as (bridge, _):
        text = shown(bridge)
        for word in ("emails", "1,204", "48 s", "send_email", "532", "nightly_backup"):
            assert word in text


async def test_on_a_bad_line_sparklines_are_coarse_by_themselves(
    aboard: Aboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def heights(text: str) -> int:
        return len({sign for line in text.splitlines()[2:5] for sign in line if sign in "▁▂▃▄▅▆▇█"})

    async with aboard() as (bridge, pilot):
        assert heights(shown(bridge)) > 3
        monkeypatch.setattr("tui.app.slowness", lambda _: 4)
        bridge.deck.wake()
        await settled(bridge, pilot)
        assert 2 <= heights(shown(bridge)) <= 3
