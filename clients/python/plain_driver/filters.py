"""The filters of List, in containerd's language.

A filter is conditions joined by commas, all of which must hold: FIELD (it is set), FIELD==VALUE,
FIELD!=VALUE or FIELD~=REGULAR_EXPRESSION. Fields are name, parent, kind and labels.KEY; keys and
values may be quoted. Several filters are joined by "or".
"""

import json
import re
from typing import Callable, Iterable, List, Optional

from grpc import StatusCode

from .errors import Refused
from .records import Record

KIND_NAMES = {1: "view", 2: "active", 3: "committed"}

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PART = rf"(?:{_QUOTED}|\w[\w-]*)"
_CONDITION = re.compile(
    rf"(?P<field>{_PART}(?:\.{_PART})*)"
    r"(?:(?P<operator>==|!=|~=)"
    rf"(?P<value>{_QUOTED}|/(?:[^/\\]|\\.)*/|\|(?:[^|\\]|\\.)*\||[^,\s\"]+))?"
    r"(?:,(?=.)|$)",
    re.ASCII | re.DOTALL,
)


def parse_filters(filters: Iterable[str]) -> Callable[[Record], bool]:
    """Returns a function that tells whether a snapshot is wanted. Raises Refused."""
    parsed = [_parse_filter(text) for text in filters]
    return lambda record: not parsed or any(matches(record) for matches in parsed)


def _parse_filter(text: str) -> Callable[[Record], bool]:
    conditions = []
    at = 0
    while at < len(text):
        match = _CONDITION.match(text, at)
        if match is None:
            raise _refused(text, f"nothing that can be read is at character {at + 1}")
        conditions.append(_condition(text, match))
        at = match.end()
    return lambda record: all(holds(record) for holds in conditions)


def _condition(text: str, match: re.Match) -> Callable[[Record], bool]:
    path = [_unquote(text, part) for part in re.findall(_PART, match["field"])]
    operator, value = match["operator"], match["value"]
    if operator is None:
        return lambda record: bool(_read(record, path))
    if value[0] in "/|" and value[0] == value[-1] and len(value) > 1 and operator == "~=":
        value = value[1:-1]
    else:
        value = _unquote(text, value)
    if operator == "==":
        return lambda record: _read(record, path) == value
    if operator == "!=":
        return lambda record: _read(record, path) != value
    try:
        pattern = re.compile(value)
    except re.error as error:
        raise _refused(text, f'"{value}" is not a regular expression') from error
    return lambda record: pattern.search(_read(record, path) or "") is not None


def _read(record: Record, path: List[str]) -> Optional[str]:
    """A field that no snapshot has is never set; to ask for it is no error."""
    field, *rest = path
    if field == "labels":
        return record.labels.get(".".join(rest))
    fields = {"name": record.name, "parent": record.parent, "kind": KIND_NAMES[record.kind]}
    return None if rest else fields.get(field)


def _unquote(text: str, word: str) -> str:
    if not word.startswith('"'):
        return word
    try:
        return json.loads(word)
    except ValueError as error:
        raise _refused(text, f"{word} is not a quoted text") from error


def _refused(text: str, why: str) -> Refused:
    return Refused(StatusCode.INVALID_ARGUMENT, f'filter "{text[:200]}" cannot be read: {why}')
