"""Lua scripts: one file each, loaded once, called by their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Protocol, TypeAlias

from redis.exceptions import NoScriptError

Argument: TypeAlias = str | bytes | int | float
Client: TypeAlias = Any
"""A redis-py asyncio client with answers in bytes. Its own annotations mix bytes, str and None everywhere."""


class ScriptClient(Protocol):
    """What a script needs of a client: redis-py's asyncio clients and pipelines have it."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Any:
        """EVALSHA."""

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:
        """EVAL."""


class Script:
    """A Lua script. Calling it runs EVALSHA, and EVAL when the server has forgotten the script."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.sha = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()

    async def __call__(
        self, client: ScriptClient, keys: Sequence[str | bytes] = (), args: Sequence[Argument] = ()
    ) -> Any:
        """Run the script and return what it returns; `client` is a redis-py asyncio client."""
        try:
            return await client.evalsha(self.sha, len(keys), *keys, *args)
        except NoScriptError:
            return await client.eval(self.source, len(keys), *keys, *args)

    def __repr__(self) -> str:
        return f"Script({self.name})"


@cache
def load(package: str, name: str, *preludes: str) -> Script:
    """The script `lua/<name>.lua` of `package`, with the shared Lua files `preludes` put before it.

    A prelude is a file of the same folder, or `other.package:name`. The shebang line (`#!lua flags=...`) is taken
    from the script itself and moved to the top.
    """
    body = _read(package, name)
    shebang = ""
    if body.startswith("#!"):
        shebang, _, body = body.partition("\n")
        shebang += "\n"
    shared = "".join(_read(package, prelude) + "\n" for prelude in preludes)
    return Script(f"{package}.{name}", shebang + shared + body)


def _read(package: str, name: str) -> str:
    other, colon, rest = name.partition(":")
    folder = files(other if colon else package) / "lua"
    return (folder / f"{rest or name}.lua").read_text("utf-8")
