"""The page about connecting: its settings file is read, its URLs parse, its options and variables are the real ones."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from quarterdeck.broker.address import _OPTIONS, parse_address
from quarterdeck.settings.tables import EnvironmentTable, checked

PAGE = (Path(__file__).parents[2] / "docs" / "connecting.md").read_text("utf-8")


def test_its_settings_file_is_read_and_shows_all_of_an_environments_settings():
    text = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1]
    table = checked(tomllib.loads(text), "the page")
    assert table.default in table.env
    shown = {name for environment in tomllib.loads(text)["env"].values() for name in environment}
    shown |= set(tomllib.loads(text))
    assert set(EnvironmentTable.__struct_fields__) <= shown


@pytest.mark.parametrize("form", re.findall(r"`((?:redis|unix)[a-z+]*://[^`]*)`", PAGE))
def test_its_urls_parse(form):
    url = re.sub(r"\[[^\]]*\]", "", form).replace("…", "").replace("PORT", "7000").replace("DB", "1")
    assert parse_address(url).masked


def test_its_options_are_the_real_ones():
    paragraph = re.search(r"Options follow.*?\n\n", PAGE, re.DOTALL)[0]
    assert set(re.findall(r"`(\w+)=", paragraph)) == set(_OPTIONS)
