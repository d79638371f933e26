"""The address of a server: a URL, checked and taken apart, with its secrets hidden.

Forms, each with optional `USER:PASSWORD@` (percent-encoded) and `?option=value`:

    redis://HOST[:PORT][/DB]                    TCP; port 6379 and database 0 unless told
    rediss://HOST[:PORT][/DB]                   the same over TLS
    unix:///PATH[?db=DB]                        a Unix socket
    redis+sentinel://HOST[:PORT],…/MASTER[/DB]  the master that the Sentinels name; port 26379 unless told
    redis+cluster://HOST[:PORT],…               a cluster, found through any of these nodes
    rediss+sentinel:// and rediss+cluster://    the same over TLS

`valkey` reads as `redis` and `valkeys` as `rediss`. redis-py's own parser is not used, since it takes
`redis://bob:p@ss/w#rd@host` for the host `ss` without a word.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote

from quarterdeck.errors import AddressError

REDIS_PORT = 6379
SENTINEL_PORT = 26379
ESCAPES = "In a user name or password write @ as %40, / as %2F, # as %23, ? as %3F, : as %3A and % as %25."
FORMS = (
    "Forms: redis://HOST:PORT/DB, rediss://… (TLS), unix:///PATH, redis+sentinel://HOST,HOST/MASTER/DB, "
    "redis+cluster://HOST,HOST."
)
HIDDEN = "***"

_SECRET_OPTIONS = frozenset({"password", "sentinel_password", "ssl_password"})
_OPTIONS = frozenset(
    {
        "db",
        "username",
        "password",
        "sentinel_username",
        "sentinel_password",
        "ssl_ca_certs",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_cert_reqs",
        "ssl_check_hostname",
        "ssl_ca_path",
        "ssl_ca_data",
        "ssl_ciphers",
        "ssl_password",
        "client_name",
        "health_check_interval",
        "socket_connect_timeout",
        "socket_timeout",
    }
)
SECONDS = ("socket_timeout", "socket_connect_timeout", "health_check_interval")
"""Options that are a number of seconds."""
_NEEDLESS = frozenset(
    {
        "decode_responses",
        "encoding",
        "encoding_errors",
        "lib_name",
        "lib_version",
        "max_connections",
        "protocol",
        "retry_on_error",
        "retry_on_timeout",
        "single_connection_client",
        "socket_keepalive",
        "socket_read_size",
        "timeout",
    }
)
"""What redis-py takes and is settled here: URLs that hold them lead to the same server."""
_NUMBER = re.compile(r"^\d+(?:\.\d+)?$")
_STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"^(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<name>[^\[\]:@\s]+))(?::(?P<port>\d+))?$")


class Kind(StrEnum):
    """How the server is reached."""

    TCP = "tcp"
    UNIX = "unix"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Address:
    """A server's address taken apart; its text is `masked`, so that no log or traceback shows a password.

    `hosts` are (name, port) pairs (one for TCP, any number for Sentinel and Cluster), `path` the Unix socket,
    `service` the master's name for Sentinel, `options` the TLS and Sentinel options of the URL.
    """

    kind: Kind
    tls: bool = False
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    db: int = 0
    service: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def masked(self) -> str:
        """The URL for people: complete, but every password in it is `***`."""
        return self._text(HIDDEN)

    @property
    def url(self) -> str:
        """The URL with its secrets, for another process' environment. Never print it."""
        return self._text("")

    @property
    def place(self) -> str:
        """Where the server is, without user and database: `host:6379`, `/run/x.sock`."""
        return self.path or ", ".join(_join(host, port) for host, port in self.hosts)

    def option(self, name: str) -> str | None:
        """The value of a URL option, or None."""
        return dict(self.options).get(name)

    def _text(self, hidden: str) -> str:
        def secret(value: str) -> str:
            return hidden or quote(value, safe="")

        login = ""
        if self.username or self.password:
            login = quote(self.username, safe="")
            login += f":{secret(self.password)}@" if self.password else "@"
        options = [(name, secret(value) if name in _SECRET_OPTIONS else value) for name, value in self.options]
        if self.kind is Kind.UNIX:
            options += [("db", str(self.db))] if self.db else []
            tail = quote(self.path)
        else:
            tail = ",".join(_join(host, port) for host, port in self.hosts)
            tail += f"/{quote(self.service, safe='')}" if self.service else ""
            tail += f"/{self.db}" if self.kind is not Kind.CLUSTER else ""
        query = "&".join(f"{name}={value}" for name, value in options)
        return f"{self._scheme}://{login}{tail}{'?' + query if query else ''}"

    @property
    def _scheme(self) -> str:
        if self.kind is Kind.UNIX:
            return "unix"
        transport = "rediss" if self.tls else "redis"
        return transport if self.kind is Kind.TCP else f"{transport}+{self.kind.value}"

    def __str__(self) -> str:
        return self.masked


def masked(url: str) -> str:
    """Any text that may be a URL, with its passwords hidden, or next to nothing; for people, never raises."""
    try:
        return parse_address(url).masked
    except AddressError:
        scheme, separator, _ = url.partition("://")
        return f"{scheme if separator else ''}{separator}{HIDDEN}"


def parse_address(url: str) -> Address:
    """Check `url` and take it apart.

    Raises `AddressError` (exit status 2) with what is wrong and how to write it; its text holds no secret.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        raise AddressError("A server's URL needs a scheme, such as redis://localhost:6379.", FORMS)
    kind, tls = _kind(scheme.lower())
    _refuse_unescaped(kind, scheme, rest)
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    login, at, place = authority.rpartition("@")
    username, _, password = login.partition(":") if at else ("", "", "")
    options = _options(query)
    username = unquote(username) or options.pop("username", "")
    password = unquote(password) or options.pop("password", "")
    db = options.pop("db", "")
    if kind is Kind.UNIX:
        if place:
            raise AddressError("A unix:// URL has no host.", "Write three slashes: unix:///run/valkey.sock.")
        path = unquote(slash + path)
        if len(path) < 2:
            raise AddressError("A unix:// URL needs the path of a socket.", "Write unix:///run/valkey.sock.")
        return Address(
            kind, path=path, db=_db(db), username=username, password=password, options=tuple(options.items())
        )
    service = ""
    if kind is Kind.SENTINEL:
        service, _, path = path.partition("/")
        if not service:
            raise AddressError(
                "A Sentinel URL needs the name of the master.", "Write redis+sentinel://HOST:26379/MASTER/0."
            )
    if kind is Kind.CLUSTER and (path.strip("/") or db) not in {"", "0"}:
        raise AddressError("A cluster has database 0 only.", "Leave the database out of the URL.")
    return Address(
        kind,
        tls=tls,
        hosts=_hosts(place, kind),
        db=_db(path.strip("/") or db),
        service=unquote(service),
        username=username,
        password=password,
        options=tuple(options.items()),
    )


def _kind(scheme: str) -> tuple[Kind, bool]:
    """What a scheme stands for: the kind and whether it is TLS."""
    if scheme == "unix":
        return Kind.UNIX, False
    transport, _, kind = scheme.partition("+")
    tls = {"redis": False, "valkey": False, "rediss": True, "valkeys": True}.get(transport)
    kinds = {"": Kind.TCP, "sentinel": Kind.SENTINEL, "cluster": Kind.CLUSTER}
    if tls is None or kind not in kinds:
        raise AddressError(f"The scheme {scheme[:40]!r} is not known.", FORMS)
    return kinds[kind], tls


def _refuse_unescaped(kind: Kind, scheme: str, rest: str) -> None:
    """Refuse what a URL parser would silently read as another host, path or fragment."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    tail = rest[len(authority) :]
    suspect = tail.partition("?")[2] if kind is Kind.UNIX and authority[-1:] in {"", "@"} else tail
    if "#" in rest:
        sign = "#"
    elif authority.count("@") > 1 or ("@" in suspect and authority[-1:] in {"", "@"}):
        sign = "@"
    elif "@" in suspect:
        sign = "@" if "@" in authority else tail[0]
    elif _STRAY_PERCENT.search(rest):
        sign = "%"
    else:
        return
    raise AddressError(f"The {scheme}:// URL holds an unescaped {sign!r}, so that it reads two ways.", ESCAPES)


def _hosts(place: str, kind: Kind) -> tuple[tuple[str, int], ...]:
    """The (host, port) pairs of `a:1,b:2`, with the kind's own port where none is given."""
    default = SENTINEL_PORT if kind is Kind.SENTINEL else REDIS_PORT
    names = place.split(",") if kind in {Kind.SENTINEL, Kind.CLUSTER} else [place]
    hosts = []
    for name in names:
        match = _HOST.match(name) if name else _HOST.match("localhost")
        port = int(match["port"] or default) if match else 0
        if match is None or not 0 < port < 65536:
            # What stands there is not repeated: without its host, `redis://bob:secret` puts a password here.
            raise AddressError("The URL's server is not a HOST:PORT with a port from 1 to 65535.", FORMS)
        hosts.append((match["six"] or unquote(match["name"]), port))
    return tuple(hosts)


def _options(query: str) -> dict[str, str]:
    """The options after `?`; an unknown one is named with the nearest right one."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    options = {name: value for name, value in given.items() if name not in _NEEDLESS}
    for name, value in options.items():
        if name in SECONDS and not _NUMBER.match(value):
            raise AddressError(f"The URL's option {name} is not a number of seconds.", f"Write {name}=5.")
        if name not in _OPTIONS:
            near = difflib.get_close_matches(name, _OPTIONS, n=1)
            cure = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(sorted(_OPTIONS))}."
            raise AddressError(f"The URL's option {name[:40]!r} is not known.", cure)
    return options


def _db(text: str) -> int:
    """The database number of a URL."""
    if text and not text.isdecimal():
        raise AddressError("The URL's database is not a number.", FORMS)
    return int(text or 0)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
