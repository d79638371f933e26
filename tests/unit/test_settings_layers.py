"""Flags over environment variables over the project's file over the user's file."""

from __future__ import annotations

import pytest

from quarterdeck.errors import SettingsError, UsageError
from quarterdeck.settings import EMBEDDED, Flags, Settings, data_dir, resolve
from quarterdeck.settings import files as settings_files

PROJECT = """
app = "project:app"
confirm_above = 20

[keys]
retry = "R"

[env.prod]
url = "redis://prod"
role = "operate"
protected = true
style = "look/prod.tcss"
"""
USER = """
app = "user:app"
read_only = true
default = "home"

[keys]
retry = "T"
abort = "A"

[env.prod]
queues = ["emails"]
role = "view"

[env.home]
url = "redis://home"
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project directory, with nothing of the real user's in reach."""
    monkeypatch.setattr(settings_files, "user_file", lambda: tmp_path / "user" / "quarterdeck.toml")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "user").mkdir()
    folder = tmp_path / "project" / "deep" / "er"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def both(project, tmp_path):
    """The project with both files."""
    (tmp_path / "project" / "quarterdeck.toml").write_text(PROJECT)
    (tmp_path / "user" / "quarterdeck.toml").write_text(USER)
    return project


def test_nothing_said_is_the_embedded_server(project):
    settings = resolve(cwd=project, environ={})
    assert settings.url is None
    assert settings.environment == EMBEDDED
    assert settings.app is None
    assert settings.role == "admin"
    assert not settings.protected
    assert settings.files == ()


def test_in_a_checkout_the_example_tasks_are_run(project):
    (project / "queue" / "quarterdeck").mkdir(parents=True)
    (project / "tasks").mkdir()
    settings = resolve(cwd=project, environ={})
    assert settings.app == "tasks:app"
    assert settings.environment == "demo"
    assert resolve(Flags(app="my:app"), cwd=project, environ={}).environment == EMBEDDED
    assert resolve(Flags(url="redis://x"), cwd=project, environ={}).app is None


def test_the_default_environment_is_used_and_the_project_outweighs_the_user(both, tmp_path):
    settings = resolve(cwd=both, environ={})
    assert settings.environment == "home"
    assert settings.url == "redis://home"
    assert settings.app == "project:app"
    assert settings.read_only
    assert settings.confirm_above == 20
    assert settings.keys == {"retry": "R", "abort": "A"}
    assert settings.environments == ("home", "prod")
    assert settings.files == (
        str(tmp_path / "project" / "quarterdeck.toml"),
        str(tmp_path / "user" / "quarterdeck.toml"),
    )


def test_an_environment_is_laid_over_the_top_of_both_files(both, tmp_path):
    settings = resolve(Flags(env="prod"), cwd=both, environ={})
    assert settings.url == "redis://prod"
    assert settings.role == "operate"
    assert settings.queues == ("emails",)
    assert settings.protected
    assert settings.style == str(tmp_path / "project" / "look" / "prod.tcss")


def test_variables_outweigh_files_and_flags_outweigh_variables(both):
    variables = {
        "QUARTERDECK_ENV": "prod",
        "QUARTERDECK_APP": "variable:app",
        "QUARTERDECK_QUEUES": "a, b,",
        "QUARTERDECK_READ_ONLY": "0",
        "QUARTERDECK_CONFIRM_ABOVE": "7",
        "QUARTERDECK_ROLE": "retry",
        "QUARTERDECK_ASCII": "yes",
        "QUARTERDECK_STYLE": "/v.tcss",
    }
    settings = resolve(cwd=both, environ=variables)
    assert (settings.app, settings.queues, settings.confirm_above) == ("variable:app", ("a", "b"), 7)
    assert (settings.role, settings.read_only, settings.ascii) == ("retry", False, True)
    assert settings.style == "/v.tcss"
    flags = Flags(app="flag:app", queues=("c",), read_only=True, style="x.tcss", plain_driver=True)
    settings = resolve(flags, cwd=both, environ=variables)
    assert (settings.app, settings.queues, settings.read_only) == ("flag:app", ("c",), True)
    assert settings.style == str(both / "x.tcss")
    assert settings.plain_driver
    assert settings.url == "redis://prod"


def test_a_url_outweighs_a_lighter_environment(both):
    assert resolve(Flags(url="redis://x"), cwd=both, environ={"QUARTERDECK_ENV": "prod"}).url == "redis://x"
    settings = resolve(cwd=both, environ={"QUARTERDECK_URL": "redis://v"})
    assert settings.url == "redis://v"
    assert settings.environment == ""
    assert not settings.protected
    settings = resolve(Flags(env="prod"), cwd=both, environ={"QUARTERDECK_URL": "redis://v"})
    assert settings.url == "redis://prod"


def test_what_contradicts_itself_is_refused(both):
    with pytest.raises(UsageError, match="--url and --env"):
        resolve(Flags(url="redis://x", env="prod"), cwd=both, environ={})
    with pytest.raises(UsageError, match="both set"):
        resolve(cwd=both, environ={"QUARTERDECK_URL": "redis://x", "QUARTERDECK_ENV": "prod"})


def test_an_unknown_environment_is_named_with_the_nearest(both):
    with pytest.raises(UsageError, match="Did you mean 'prod'") as caught:
        resolve(Flags(env="prd"), cwd=both, environ={})
    assert caught.value.exit_status == 2


def test_without_files_there_is_no_environment_to_ask_for(project):
    with pytest.raises(UsageError, match=r"\[env.NAME\]"):
        resolve(Flags(env="prod"), cwd=project, environ={})


@pytest.mark.parametrize(
    "variables",
    [{"QUARTERDECK_ROLE": "root"}, {"QUARTERDECK_READ_ONLY": "maybe"}, {"QUARTERDECK_CONFIRM_ABOVE": "few"}],
)
def test_a_wrong_variable_is_named(project, variables):
    with pytest.raises(SettingsError, match=next(iter(variables))):
        resolve(cwd=project, environ=variables)


def test_a_url_from_a_variable_keeps_the_password_out_of_the_file(project, monkeypatch):
    (project / "quarterdeck.toml").write_text("[env.prod]\nurl_from = 'PROD_URL'\n")
    with pytest.raises(SettingsError, match="PROD_URL, which is not set"):
        resolve(Flags(env="prod"), cwd=project, environ={})
    monkeypatch.setenv("PROD_URL", "redis://:hunter2@prod")
    settings = resolve(Flags(env="prod"), cwd=project, environ={})
    assert settings.url == "redis://:hunter2@prod"
    assert "hunter2" not in repr(settings)


def test_a_projects_url_hides_the_users_url_from_a_variable(both, tmp_path):
    (tmp_path / "user" / "quarterdeck.toml").write_text("[env.prod]\nurl_from = 'NOT_SET'\n")
    assert resolve(Flags(env="prod"), cwd=both, environ={}).url == "redis://prod"


def test_the_search_ends_at_the_root_of_a_repository(both, tmp_path):
    (both / ".git").mkdir()
    assert resolve(cwd=both, environ={}).files == (str(tmp_path / "user" / "quarterdeck.toml"),)


def test_one_file_may_be_named(both, tmp_path, monkeypatch):
    monkeypatch.setenv("QUARTERDECK_SETTINGS", str(tmp_path / "one.toml"))
    with pytest.raises(SettingsError, match="no such settings file"):
        resolve(cwd=both, environ={})
    (tmp_path / "one.toml").write_text("app = 'one:app'")
    assert resolve(cwd=both, environ={}).app == "one:app"
    (tmp_path / "one.toml").write_text("app = one")
    with pytest.raises(SettingsError, match="not TOML") as caught:
        resolve(cwd=both, environ={})
    assert "one.toml" in caught.value.message
    (tmp_path / "one.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="can't be read"):
        resolve(cwd=both, environ={})


def test_where_the_data_is_kept(project, tmp_path, monkeypatch):
    assert data_dir().name == "quarterdeck"
    assert data_dir(str(tmp_path)) == tmp_path
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path / "told"))
    assert data_dir("elsewhere") == tmp_path / "told"
    assert resolve(cwd=project, environ={}).data_dir == str(tmp_path / "told")


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        Settings().url = "redis://x"


def test_where_to_serve_and_what_to_watch_come_from_both_files(both, tmp_path):
    project = tmp_path / "project" / "quarterdeck.toml"
    project.write_text(PROJECT + '[serve]\nport = 0\ntoken_file = "token"\n')
    user = tmp_path / "user" / "quarterdeck.toml"
    user.write_text(USER + '[serve]\nhost = "::1"\nport = 9000\n[watch]\nsecret = "s"\n')
    settings = resolve(cwd=both, environ={})
    assert settings.serve == {"host": "::1", "port": 0, "token_file": str(tmp_path / "project" / "token")}
    assert settings.watch == {"secret": "s"}
