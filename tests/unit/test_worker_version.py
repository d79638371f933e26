"""The version of the code that a worker runs, from what there is."""

from __future__ import annotations

import sys
import types

import pytest

from quarterdeck.worker.version import code_version, commit_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def module(tmp_path, monkeypatch):
    place = tmp_path / "project" / "package"
    place.mkdir(parents=True)
    (place / "code.py").write_text("x = 1\n")
    made = types.ModuleType("versioned")
    made.__file__ = str(place / "code.py")
    monkeypatch.setitem(sys.modules, "versioned", made)
    return made


def git(tmp_path, head: str, **files: str) -> None:
    folder = tmp_path / "project" / ".git"
    folder.mkdir(parents=True)
    (folder / "HEAD").write_text(head + "\n")
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", "-")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_what_the_app_says_comes_first_then_the_variable(module, monkeypatch):
    assert code_version("2.1", "versioned") == "2.1"
    monkeypatch.setenv("QUARTERDECK_VERSION", "from-ci")
    assert code_version("", "versioned") == "from-ci"


def test_then_the_commit_that_is_checked_out(module, tmp_path):
    git(tmp_path, "ref: refs/heads/main", refs__heads__main=COMMIT + "\n")
    assert code_version("", "versioned") == "0123456"


def test_a_commit_without_a_branch(module, tmp_path):
    git(tmp_path, COMMIT)
    assert commit_of(tmp_path / "project" / "package") == "0123456"


def test_a_branch_that_git_has_packed(module, tmp_path):
    git(
        tmp_path,
        "ref: refs/heads/main",
        packed_refs=f"# pack-refs\n{'f' * 40} refs/heads/other\n{COMMIT} refs/heads/main\n",
    )
    assert commit_of(tmp_path / "project") == "0123456"


@pytest.mark.parametrize("head", ["nonsense", "ref: refs/heads/unborn"])
def test_else_the_digest_of_the_module(module, tmp_path, head):
    git(tmp_path, head)
    first = code_version("", "versioned")
    assert len(first) == 7
    (tmp_path / "project" / "package" / "code.py").write_text("x = 2\n")
    assert code_version("", "versioned") != first


def test_a_module_that_is_not_there_has_none():
    assert code_version("", "no_such_module") == ""
