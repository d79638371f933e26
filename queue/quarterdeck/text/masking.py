"""Secrets in arguments, URLs and prose, replaced before anybody sees, exports or audits them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

MASK: Final = "***"
"""Stands for every secret: the same whatever its length, since a length is a hint."""

_DEEPEST: Final = 32
_TOO_DEEP: Final = "…"

_TELLING: Final = re.compile(
    r"passw(?:or)?d|passphrase|passcode|secret(?!ar)|token(?!iz)|api_?key|authorization|cookie|credential"
    r"|(?:private|access|signing|encryption|session|master|account|storage|shared)key|sessionid|bearer"
)
_TELLING_WORDS: Final = frozenset(
    {"auth", "creds", "csrf", "cvc", "cvv", "jwt", "otp", "pass", "pin", "pw", "pwd", "session", "sessions", "sid"}
    | {"ssn", "xsrf"}
)
# A number whose name says that it measures something is not a secret: `max_tokens`, `session_timeout`, `token_count`.
_MEASURES: Final = frozenset(
    {"age", "count", "expires", "expiry", "length", "limit", "max", "min", "ms", "seconds", "size", "timeout", "tokens"}
    | {"total", "ttl", "used"}
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_NAME: Final = r"[\w.\-]{0,40}?(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|access[_-]?key|pwd)"
_ASSIGNED: Final = re.compile(
    rf"""(?i)(?<![\w.\-])(?P<name>["']?{_NAME}["']?\s{{0,3}}[:=]\s{{0,3}})"""
    r"""(?P<value>"(?:[^"\\]|\\.){0,4096}"?|'(?:[^'\\]|\\.){0,4096}'?|[^\s,;&)}\]"']{1,4096})"""
)
_HEADER: Final = re.compile(
    r"(?i)\b(?P<name>(?:proxy-)?authorization|(?:set-)?cookie)(?P<sep>[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[^\r\n\"']{1,4096}"
)
_BEARER: Final = re.compile(r"(?i)\b(?P<scheme>bearer|basic)\s{1,3}(?=[\w+/=.~\-]{8})[\w+/=.~\-]{8,4096}")
_URL: Final = re.compile(r"(?i)\b(?P<scheme>[a-z][a-z0-9+.\-]{0,30})://(?P<rest>[^\s\"'<>]{1,4096})")
_PORT: Final = re.compile(r"\d{1,5}(?:[/?#,]|$)")
# What follows the host of these is a database number or a virtual host: an `@` there can only be an unescaped secret's.
_STORES: Final = frozenset(
    {"redis", "rediss", "valkey", "valkeys", "unix", "redis+sentinel", "rediss+sentinel", "amqp", "amqps"}
)


@lru_cache(maxsize=2048)
def is_secret_name(name: str) -> bool:
    """Whether an argument, header or setting of this name holds something that must not be shown."""
    name = name[:128]
    if _TELLING.search(re.sub(r"[^a-z0-9]", "", name.lower())):
        return True
    return any(word.lower() in _TELLING_WORDS for word in _WORDS.findall(name))


def mask(value: Any) -> Any:
    """Return a copy of a JSON-like value with everything secret replaced by `MASK`.

    Mappings are masked by the names of their keys, at every depth; so are `[name, value]` pairs, the way headers
    travel. What is in a secret's place goes whole, be it a string, a number or a list; `None` and booleans stay, for
    they only say whether there is one. Strings elsewhere go through `mask_text`. Tuples come back as lists.
    """
    return _mask(value, 0)


def _mask(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return _TOO_DEEP
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {key: _mask_named(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], str):
            return [value[0], _mask_named(value[0], value[1], depth + 1)]
        return [_mask(item, depth + 1) for item in value]
    return value


def _mask_named(name: str, value: Any, depth: int) -> Any:
    """One value under its name."""
    if value is None or isinstance(value, bool) or not is_secret_name(name):
        return _mask(value, depth)
    if isinstance(value, (int, float)) and _MEASURES.intersection(map(str.lower, _WORDS.findall(name))):
        return value
    return MASK


def mask_text(text: str) -> str:
    """Return prose (an error, a log line) without the secrets that it quotes: URL passwords, `password=…`, headers.

    A net with known holes: it catches what is written as a name and a value. Linear in the length of the text.
    """
    if "://" in text:
        text = mask_url(text)
    if ":" in text or "=" in text:
        text = _HEADER.sub(rf"\g<name>\g<sep>{MASK}", text)
        text = _ASSIGNED.sub(_masked_assignment, text)
    return _BEARER.sub(rf"\g<scheme> {MASK}", text)


def _masked_assignment(match: re.Match[str]) -> str:
    """`name=***`, with the quotes as they were; a bare `null`, `true` or number after a measuring name stays."""
    value = match["value"]
    quote = value[0] if value[0] in "\"'" else ""
    bare = value.lower()
    if not quote and bare in {"null", "none", "true", "false"}:
        return match[0]
    return f"{match['name']}{quote}{MASK}{quote}"


def mask_url(url: str) -> str:
    """Return `url` (or a text with URLs in it) with every password, and every secret in a query, replaced by `MASK`.

    A password that was not escaped as it should be (`redis://bob:p@ss/w#rd@host`) is masked up to the last `@`.
    """
    return _URL.sub(_masked_url, url)


def _masked_url(match: re.Match[str]) -> str:
    scheme, rest = match["scheme"], match["rest"]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    user, colon, after = rest.partition(":")
    last_at = rest.rfind("@")
    if colon and last_at > len(user) and _is_user(user):
        port = _PORT.match(after) is not None and "@" not in authority
        if not port or scheme.lower() in _STORES:
            rest = f"{user}:{MASK}{rest[last_at:]}"
    elif "@" in authority and authority.index("@") >= 16:  # a token in the user's place
        rest = f"{MASK}{rest[rest.index('@') :]}"
    return f"{scheme}://{_masked_query(rest)}"


def _is_user(text: str) -> bool:
    """Whether what stands before the first colon can be a user's name: no host and path have gone by yet."""
    return not re.search(r"[/?#@]", text)


def _masked_query(rest: str) -> str:
    """The part of a URL after its scheme, with secrets in its query masked."""
    head, mark, query = rest.partition("?")
    if not mark:
        return rest
    pairs = (pair.partition("=") for pair in query.split("&"))
    shown = (
        f"{name}={MASK}" if equals and is_secret_name(name) else name + equals + value for name, equals, value in pairs
    )
    return f"{head}?{'&'.join(shown)}"
