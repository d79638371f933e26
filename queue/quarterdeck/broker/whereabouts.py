"""Which server is meant: the one named, else the embedded one that runs now."""

from __future__ import annotations

from pathlib import Path

from quarterdeck.broker.address import Address, parse_address
from quarterdeck.broker.embedded_home import Home
from quarterdeck.errors import UnreachableError
from quarterdeck.settings import data_dir


def server_address(url: str | None, directory: Path | str | None = None) -> Address:
    """The address of `url`, or of the embedded server of `directory` (default: the user's) while it runs.

    Raises `AddressError` for a URL that can't be read, `UnreachableError` when none is named and none runs.
    """
    if url:
        return parse_address(url)
    home = Home(Path(directory) if directory else data_dir())
    if not home.socket.exists():
        raise UnreachableError(
            f"No server is named, and the embedded one is not running (no socket {home.socket}).",
            "Open the dashboard (`quarterdeck`), or name a server with --url or QUARTERDECK_URL.",
        )
    return parse_address(home.url)
