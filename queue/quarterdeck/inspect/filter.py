"""The filter's grammar: `fn:send_email err:timeout age>5m NOT (q:slow OR attempts>2) ~smtp:\\d+`.

    filter     = [either]
    either     = both { OR both }
    both       = negation { [AND] negation }
    negation   = [NOT | "-"] ( "(" either ")" | condition )
    condition  = name ":" text | name ":=" text | name ":~" regex | number sign value | "~" regex | text

Texts are found anywhere in their field, upper and lower case alike; `:=` asks for the whole field. `"…"` holds spaces.
Names: fn q key arg err sig worker state level who verb name text; numbers: age attempts retries took bytes count, with
`>` `>=` `<` `<=` `=`; durations in ms, s, m, h, d (`age>5m`), sizes in b, kb, mb. `arg:tenant=7` asks for a value.
"""

from __future__ import annotations

import difflib
import re
from typing import Final, NoReturn

from quarterdeck.errors import UsageError
from quarterdeck.inspect.terms import (
    COMPARISONS,
    NUMBER_FIELDS,
    TEXT_FIELDS,
    Argument,
    Both,
    Comparison,
    Either,
    Everything,
    Negation,
    Term,
    Words,
    compile_pattern,
)
from quarterdeck.model import Row

LIMIT: Final = 1000
"""Characters of a filter."""
_DEEPEST: Final = 50
_TOKEN: Final = re.compile(r'\s*(?P<word>[()]|(?:[^\s()"~]|"(?:[^"\\]|\\.)*"|~"(?:[^"\\]|\\.)*"|~\S*)+|")')
_NAMED: Final = re.compile(r"(?P<name>[A-Za-z]+)(?P<sign>:=|:~|:|>=|<=|>|<|=)(?P<value>.*)", re.DOTALL)
_AMOUNT: Final = re.compile(r"(?P<number>\d{1,15}(?:\.\d{1,6})?)(?P<unit>[a-z]*)", re.IGNORECASE)
_UNITS: Final = {
    "ms": 1.0, "s": 1e3, "": 1e3, "m": 6e4, "min": 6e4, "h": 3.6e6, "d": 8.64e7, "w": 6.048e8,
}  # fmt: skip
_SIZES: Final = {"": 1.0, "b": 1.0, "k": 1e3, "kb": 1e3, "kib": 1024.0, "m": 1e6, "mb": 1e6, "mib": 1048576.0}
_NUMBERS: Final = ("age", *NUMBER_FIELDS)


class FilterError(UsageError):
    """A filter that can't be read; `position` is where, from 0, in characters."""

    def __init__(self, message: str, cure: str = "", *, position: int = 0) -> None:
        super().__init__(message, cure)
        self.position = position


class Filter:
    """A parsed filter. Cheap to apply: a row of a list takes some microseconds."""

    def __init__(self, text: str, term: Term) -> None:
        self.text = text
        self.term = term

    def __bool__(self) -> bool:
        return not isinstance(self.term, Everything)

    def matches(self, row: Row, *, now_ms: int) -> bool:
        """Whether `row` fits at `now_ms` (epoch ms). Raises UsageError when an expression takes too long."""
        return self.term.holds(row, now_ms)

    def required(self, name: str) -> str | None:
        """The one whole value that every match has in the field `name` (asked with `:=`), to choose an index by."""
        pending = [self.term]
        while pending:
            term = pending.pop()
            if isinstance(term, Both):
                pending += [term.left, term.right]
            elif isinstance(term, Words) and term.exact and term.fields == TEXT_FIELDS[name]:
                return term.needle
        return None


def parse_filter(text: str) -> Filter:
    """The filter that `text` says. Raises FilterError, which names the place and what was expected there."""
    if len(text) > LIMIT:
        raise FilterError(f"The filter has {len(text):,} characters.", f"At most {LIMIT:,} are read.", position=LIMIT)
    return Filter(text, _Parser(text).parse())


class _Parser:
    """Recursive descent over the tokens, one token ahead."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.start = 0
        self.word = ""
        self.depth = 0
        self._advance()

    def parse(self) -> Term:
        if not self.word:
            return Everything()
        term = self._either()
        if self.word:
            self._fail(f"'{self.word[:20]}' is one too many", "Each ) needs its (.")
        return term

    def _either(self) -> Term:
        term = self._both()
        while self.word.upper() == "OR":
            self._advance()
            term = Either(term, self._both())
        return term

    def _both(self) -> Term:
        term = self._negation()
        while self.word and self.word != ")" and self.word.upper() != "OR":
            if self.word.upper() == "AND":
                self._advance()
            term = Both(term, self._negation())
        return term

    def _negation(self) -> Term:
        self.depth += 1
        if self.depth > _DEEPEST:
            self._fail("the filter is nested too deeply", "Write it with fewer parentheses.")
        try:
            if self.word.upper() == "NOT":
                self._advance()
                return Negation(self._negation())
            if self.word == "(":
                return self._group()
            if self.word.startswith("-") and _NAMED.fullmatch(self.word[1:]):
                self.word, self.start = self.word[1:], self.start + 1
                return Negation(self._condition())
            return self._condition()
        finally:
            self.depth -= 1

    def _group(self) -> Term:
        opened = self.start
        self._advance()
        term = self._either()
        if self.word != ")":
            self.start = opened
            self._fail("this ( is not closed", "Add the ) that closes it.")
        self._advance()
        return term

    def _condition(self) -> Term:
        token = self.word
        if token in {"", ")"} or token.upper() in {"AND", "OR"}:
            self._fail("a condition is missing", "For instance fn:send_email, err:timeout, age>5m or a word.")
        term = self._regex(token[1:], ()) if token.startswith("~") else self._named(token)
        self._advance()
        return term

    def _named(self, token: str) -> Term:
        found = _NAMED.fullmatch(token)
        if not found:
            return Words((), _unquoted(token).lower())
        name, sign, value = found["name"].lower(), found["sign"], found["value"]
        if name in _NUMBERS:
            return self._comparison(name, sign, value)
        if name in TEXT_FIELDS and sign.startswith(":"):
            return self._text(name, sign, value)
        if name in TEXT_FIELDS:
            self._fail(f"'{name}' is a text and can't be compared with {sign}", f"Write {name}:{value or '…'}.")
        if sign == "=" or "://" in token:
            return Words((), _unquoted(token).lower())  # a word that happens to look so, such as a URL
        near = difflib.get_close_matches(name, (*TEXT_FIELDS, *_NUMBERS), n=1, cutoff=0.5)
        hint = f"Did you mean '{near[0]}'?" if near else f"There are {' '.join((*TEXT_FIELDS, *_NUMBERS))}."
        return self._fail(f"there is no '{name}'", f'{hint} To search for the text itself write "{token}".')

    def _text(self, name: str, sign: str, value: str) -> Term:
        fields = TEXT_FIELDS[name]
        if not value:
            self._fail(f"'{name}{sign}' names nothing", f"Write for instance {name}:x.")
        if sign == ":~" or value.startswith("~"):
            return self._regex(value.removeprefix("~") if sign == ":" else value, fields)
        needle = _unquoted(value).lower()
        if name == "arg" and sign == ":" and "=" in needle and not value.startswith('"'):
            argument, _, wanted = needle.partition("=")
            return Argument(argument, wanted.strip('"'))
        return Words(fields, needle, exact=sign == ":=")

    def _comparison(self, name: str, sign: str, value: str) -> Term:
        amount = _AMOUNT.fullmatch(value)
        units = _UNITS if name in {"age", "took"} else _SIZES if name == "bytes" else {"": 1.0}
        if sign not in COMPARISONS or not amount or amount["unit"].lower() not in units:
            example = {"age": "age>5m", "took": "took>1s", "bytes": "bytes>10kb"}.get(name, f"{name}>2")
            self._fail(f"'{name}{sign}{value}' is no comparison", f"Write for instance {example}.")
        return Comparison(name, sign, float(amount["number"]) * units[amount["unit"].lower()])

    def _regex(self, pattern: str, fields: tuple[str, ...]) -> Term:
        if not pattern:
            self._fail("after ~ an expression is missing", r"For instance ~smtp:\d+.")
        try:
            return compile_pattern(_unquoted(pattern), fields)
        except ValueError as error:
            return self._fail(f"'{pattern}' is no regular expression: {error}", 'Quote it when it has spaces: ~"a b".')

    def _advance(self) -> None:
        found = _TOKEN.match(self.text, self.at)
        if not found:
            self.start, self.word = len(self.text), ""
            return
        self.at, self.start, self.word = found.end(), found.start("word"), found["word"]
        if self.word == '"':
            self._fail('this " is not closed', 'Add the " that closes it.')

    def _fail(self, what: str, cure: str) -> NoReturn:
        message = f"The filter can't be read at character {self.start + 1}: {what}."
        raise FilterError(message, cure, position=self.start)


def _unquoted(text: str) -> str:
    """A text without its quotes and their escapes."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    return text
