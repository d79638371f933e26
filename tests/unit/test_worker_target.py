"""What a worker is told to run is loaded, or the error names what, where and the cure."""

from __future__ import annotations

import sys

import pytest

from quarterdeck.app import App
from quarterdeck.errors import ExitStatus, TargetError
from quarterdeck.worker.target import load_target


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A function that writes a module of a fresh name and returns the name."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    made = []

    def write(code: str) -> str:
        name = f"target_{len(made)}_{tmp_path.name.replace('-', '_')}"
        (tmp_path / f"{name}.py").write_text(code)
        made.append(name)
        return name

    monkeypatch.chdir(tmp_path)
    yield write
    for name in made:
        sys.modules.pop(name, None)


APP = "from quarterdeck import App\napp = App('mine')\n"
SETTINGS = "async def f(ctx): ...\nsettings = {'functions': [f], 'concurrency': 3}\n"


class TestFound:
    def test_an_app(self, module):
        name = module(APP)
        found = load_target(f"{name}:app")
        assert isinstance(found, App)
        assert load_target(f"{name}.app") is found
        assert load_target(name) is found, "a bare module name means its app"

    def test_saq_settings_untouched(self, module):
        name = module(SETTINGS)
        found = load_target(f"{name}.settings")
        assert found is not sys.modules[name].settings
        assert found == sys.modules[name].settings

    def test_a_function_that_returns_either(self, module):
        name = module(APP + SETTINGS + "def make(): return settings\ndef make_app(): return app\n")
        assert load_target(f"{name}.make")["concurrency"] == 3
        assert load_target(f"{name}:make_app").name == "mine"

    def test_an_attribute_of_an_attribute(self, module):
        name = module(APP + "class Holder:\n    inner = app\n")
        assert load_target(f"{name}:Holder.inner").name == "mine"

    def test_modules_are_found_from_the_directory_that_is_named(self, tmp_path_factory, monkeypatch):
        monkeypatch.setattr(sys, "path", list(sys.path))
        place = tmp_path_factory.mktemp("place")
        (place / "target_elsewhere.py").write_text(APP)
        assert load_target("target_elsewhere:app", directory=place).name == "mine"


class TestRefused:
    def refused(self, path: str) -> TargetError:
        with pytest.raises(TargetError) as caught:
            load_target(path)
        assert caught.value.exit_status is ExitStatus.USAGE
        assert "\n" not in str(caught.value)
        assert caught.value.cure
        return caught.value

    def test_no_such_module(self, module, tmp_path):
        error = self.refused("no_such_module_anywhere:app")
        assert error.message == "There is no module no_such_module_anywhere."
        assert str(tmp_path) in error.cure

    def test_a_module_with_a_slip_in_its_name_offers_the_nearest(self, module):
        name = module(APP)
        assert f"Did you mean {name}?" in self.refused(f"{name}x:app").cure

    def test_no_such_submodule(self):
        assert "no module json.nothing" in self.refused("json.nothing:app").message

    def test_no_such_name_offers_the_nearest(self, module):
        name = module(APP)
        error = self.refused(f"{name}:ap")
        assert f"The module {name} has no ap" in error.message
        assert "app" in error.cure

    def test_a_module_without_any(self, module):
        assert "holds no app and no settings" in self.refused(f"{module('x = 1')}:app").cure

    def test_the_users_own_import_error_is_quoted_with_its_place(self, module):
        name = module("import os\nimport no_such_driver\n")
        error = self.refused(f"{name}:app")
        assert error.message == (
            f"{name} could not be imported: ModuleNotFoundError: No module named 'no_such_driver' ({name}.py:2)."
        )

    def test_any_other_error_too(self, module):
        name = module("import os\n\nos.environ['NO_SUCH\\nVARIABLE']\n")
        assert f"KeyError: 'NO_SUCH\\nVARIABLE' ({name}.py:3)" in self.refused(f"{name}:app").message

    def test_a_syntax_error(self, module):
        name = module("x = 1\ndef broken(:\n")
        message = self.refused(f"{name}:app").message
        assert "SyntaxError" in message
        assert f"({name}.py:2)" in message

    def test_a_factory_that_raises(self, module):
        name = module("def make():\n    raise RuntimeError('no token')\n")
        assert f"RuntimeError: no token ({name}.py:2)" in self.refused(f"{name}:make").message

    def test_our_own_refusal_keeps_its_cure_and_says_where(self, module):
        name = module(APP + "@app.task(retry=3)\ndef f(): ...\n")
        error = self.refused(f"{name}:app")
        assert error.message == f"{name} could not be imported ({name}.py:3): f has no option retry."
        assert error.cure.startswith("Did you mean retries?")

    def test_a_function_that_is_no_factory(self, module):
        name = module(APP + "def add(x): ...\n@app.task\ndef task(): ...\n")
        assert "is a function that takes arguments" in self.refused(f"{name}:add").message
        assert "is of type Task (name the app that it belongs to)" in self.refused(f"{name}:task").message

    def test_what_is_neither(self, module):
        name = module("thing = 5\nempty = {}\n")
        assert "is of type int, neither an app nor SAQ settings" in self.refused(f"{name}:thing").message
        assert "without functions and cron_jobs" in self.refused(f"{name}:empty").message

    @pytest.mark.parametrize(
        ("path", "right"), [("shop.py", "shop:app"), ("./a/shop.py", "a.shop:app"), ("shop.py:deck", "shop:deck")]
    )
    def test_a_file_is_told_its_module(self, path, right):
        assert self.refused(path).cure == f"Write {right}."

    @pytest.mark.parametrize("path", ["", ":", "a:", ":b", "a b:c", "a.b:", "../x:app"])
    def test_what_is_no_path(self, path):
        assert "names no app and no settings" in self.refused(path).message
