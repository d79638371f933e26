"""Keys that the settings remap: every id that has a key can be, any other is refused with the nearest one."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarterdeck.errors import SettingsError
from quarterdeck.settings import Settings
from tui.commands import COMMANDS
from tui.mooring import Mooring, station_of
from tui.remapping import remappable, remapped

DOCS = Path(__file__).parents[2] / "docs"


def test_commands_and_the_keys_of_widgets_can_be_remapped() -> None:
    assert {command.id for command in COMMANDS} < remappable()
    assert {"grid.down", "log.follow", "document.fold", "card.cancel"} < remappable()
    assert remapped(Settings(keys={"retry": "R", "grid.down": "J"})) == {"retry": "R", "grid.down": "J"}


@pytest.mark.parametrize(
    ("wrong", "nearest"), [("retri", "retry"), ("go.failure", "go.failures"), ("grid.dwon", "grid.down")]
)
def test_a_wrong_id_names_its_file_itself_and_the_nearest_right_one(wrong: str, nearest: str) -> None:
    settings = Settings(keys={wrong: "R"}, files=("/home/ann/quarterdeck.toml",))
    with pytest.raises(SettingsError) as caught:
        station_of(settings, Mooring(settings))
    assert str(caught.value) == (
        f"/home/ann/quarterdeck.toml: 'keys.{wrong}' is no command's id. Did you mean '{nearest}'?"
    )
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("key", ["alt+r", "R,alt+9"])
def test_alt_and_a_character_is_refused_since_a_terminal_sends_it_as_escape_and_the_character(key: str) -> None:
    with pytest.raises(SettingsError, match="can't be told from Escape"):
        remapped(Settings(keys={"retry": key}))
    assert remapped(Settings(keys={"retry": "alt+left"})) == {"retry": "alt+left"}


def test_the_ids_on_the_page_about_settings_are_right() -> None:
    page = (DOCS / "connecting.md").read_text().partition("[keys]")[2].partition("[env.")[0]
    ids = [line.partition(" = ")[0].strip('"') for line in page.splitlines()[1:] if " = " in line]
    assert ids
    assert set(ids) <= remappable()
