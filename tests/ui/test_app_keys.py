"""The command classes: one source for keys, help, the README's table, completion and remapping."""

from __future__ import annotations

import inspect
import re

import pytest
from boards import Bridge, busy
from conftest import Aboard, keys, settled, shown

from quarterdeck.errors import UsageError
from tui.commands import COMMANDS, command_named
from tui.commands.command import Command
from tui.commands.table import keys_of, table
from tui.screens.prompts import complete_command, complete_filter
from tui.station import Right
from tui.widgets.document import Document
from tui.widgets.grid import Grid
from tui.widgets.log_tail import LogTail

FORBIDDEN = re.compile(r"ctrl\+[abpqszhijm]$|ctrl\+left_square_bracket|alt\+|^f\d+$|escape\+")


def every_key() -> list[tuple[str, str]]:
    found = [(command.id, key) for command in COMMANDS for key in command.keys.split(",") if key]
    for widget in (Grid, LogTail, Document):
        found += [(str(binding.id), key) for binding in widget.BINDINGS for key in binding.key.split(",")]  # type: ignore[union-attr]
    return found


def test_no_key_is_one_that_terminals_multiplexers_or_flow_control_take() -> None:
    assert [(name, key) for name, key in every_key() if FORBIDDEN.search(key)] == []


def test_ids_and_words_are_unique_and_every_command_says_what_it_does() -> None:
    ids = [command.id for command in COMMANDS]
    words = [verb for command in COMMANDS for verb in command.verbs]
    assert len(ids) == len(set(ids))
    assert len(words) == len(set(words))
    for command in COMMANDS:
        assert command.help()
        assert len(command.help()) < 90
        assert command.keys or command.verbs


def test_no_two_commands_share_a_key() -> None:
    taken = [key for command in COMMANDS for key in command.keys.split(",") if key]
    assert len(taken) == len(set(taken))


def test_no_key_of_a_list_or_document_hides_a_verb_that_the_footer_offers_beside_it() -> None:
    """`w` and `z` folded and wrapped the page of the job that they were to explain and set aside."""
    shared = {"slash", "n", "escape"}  # search in a document, and back: the same thing there
    verbs = {key for command in COMMANDS if not command.by_widget for key in command.keys.split(",")}
    own = {key for widget in (Grid, Document) for it in widget.BINDINGS for key in it.key.split(",")}  # type: ignore[union-attr]
    assert own & verbs <= shared


def test_uppercase_never_means_destructive() -> None:
    for command in COMMANDS:
        if command.right is Right.ADMIN:
            assert not re.fullmatch(r"[A-Z]", command.keys), command.id


def test_every_command_that_acts_needs_a_right_and_is_refused_on_stale_data() -> None:
    for command in COMMANDS:
        if command.acts:
            assert command.right > Right.VIEW, command.id


def test_every_command_but_those_of_widgets_can_be_given() -> None:
    for command in COMMANDS:
        own = command.run is not Command.run
        assert own is not command.by_widget, command.id
        assert inspect.iscoroutinefunction(command.run)


def test_a_bar_in_a_cell_does_not_begin_a_new_column() -> None:
    for line in table().splitlines():
        assert len(re.findall(r"(?<!\\)\|", line)) == 4


def test_remapped_keys_are_shown_as_remapped() -> None:
    assert keys_of(command_named("retry"), {"retry": "ctrl+r"}) == "ctrl+r"


@pytest.mark.parametrize(
    ("word", "id_"), [("retry", "retry"), ("retr", "retry"), ("q", "leave"), ("fail", "go.failures")]
)
def test_words_and_their_clear_beginnings_find_commands(word: str, id_: str) -> None:
    assert command_named(word).id == id_


def test_a_beginning_of_several_words_is_refused() -> None:
    with pytest.raises(UsageError, match="no command :s"):
        command_named("s")


async def test_the_help_screen_lists_what_can_be_done_here_first(aboard: Aboard) -> None:
    async with aboard(size=(80, 60)) as (bridge, pilot):
        await keys(bridge, pilot, "4", "question_mark")
        text = shown(bridge)
        here, _, elsewhere = text.partition("keys of other screens")
        assert "Retry: one at once" in here
        assert "Skip the next run" not in here
        assert elsewhere
        await keys(bridge, pilot, "escape")
        assert "help" not in shown(bridge).splitlines()[0]


async def test_the_command_line_offers_words_queues_states_functions_and_arguments(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await settled(bridge, pilot)
        deck = bridge.deck

        def offered(text: str) -> list[str]:
            return [completion.word for completion in complete_command(deck, text)]

        assert "failures" in offered("fa")
        assert offered("jobs @em") == ["@emails"]
        assert "failed" in offered("jobs fa")
        assert offered("enqueue send") == ["send_email "]
        assert offered("enqueue send_email ") == ["to=", "retries_left="]
        assert offered("enqueue send_email to=x ret") == ["retries_left="]
        assert offered("enqueue nobody x") == []
        assert [completion.line for completion in complete_command(deck, "jobs @emails fa")] == ["jobs @emails failed"]


async def test_the_filter_offers_its_terms_functions_and_queues() -> None:
    bridge = Bridge(busy)
    async with bridge.deck.run_test() as pilot:
        await settled(bridge, pilot)
        words = [completion.word for completion in complete_filter(bridge.deck, "")]
        assert {"fn:", "err:", "age>", "NOT "} <= set(words)
        assert [it.word for it in complete_filter(bridge.deck, "fn:se")] == ["fn:send_email"]
        assert [it.line for it in complete_filter(bridge.deck, "err:x q:re")] == ["err:x q:reports"]


async def test_what_makes_no_sense_here_is_said_so_on_the_command_line(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "9", "colon", *"skip", "enter")
        assert "makes no sense here" in shown(bridge)


@pytest.mark.parametrize("view", ["queues @emails", "workers w-1", "schedules nightly_backup", "failures err:X"])
async def test_where_a_finding_says_to_look_is_where_the_command_line_goes(aboard: Aboard, view: str) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "colon", *view, "enter")
        assert str(bridge.deck.deck_screen.SCREEN) == view.partition(" ")[0]


async def test_a_verb_that_is_typed_on_the_overview_is_for_the_row_under_the_cursor(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        for panel, subject in (("queues", "queue default"), ("schedules", "nightly_backup")):
            bridge.deck.screen.query_one(f"#{panel}", Grid).focus()
            await settled(bridge, pilot)
            await keys(bridge, pilot, "colon", *"pau")
            assert "pause" in shown(bridge)  # offered, too
            await keys(bridge, pilot, *"se", "enter")
            assert subject in shown(bridge).partition("╭")[2]
            await keys(bridge, pilot, "escape")
            assert bridge.deck.screen.query_one(f"#{panel}", Grid).has_focus


async def test_the_focus_comes_back_to_where_a_prompt_was_opened(aboard: Aboard) -> None:
    async with aboard() as (bridge, pilot):
        await keys(bridge, pilot, "5", "enter")  # a document above, the ledger below
        assert bridge.deck.screen.query_one("#grid", Grid).has_focus
        for pressed in (("colon", "escape"), ("slash", "escape"), ("colon", *"nonsense", "enter", "escape")):
            await keys(bridge, pilot, *pressed)
            assert bridge.deck.screen.query_one("#grid", Grid).has_focus
        await keys(bridge, pilot, "tab", "colon", "escape")
        assert bridge.deck.screen.query_one(Document).has_focus
