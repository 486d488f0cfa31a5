"""Numbers in FreeSWITCH's directory: what its ``<user>`` elements say.

``id`` is the extension and ``number-alias`` a second number of the same holder; where ``id`` is a person's name the alias, else the number
that they show, is the extension. Variables ``effective_caller_id_name``, ``toll_allow``, ``employee_no``, ``user_name``, ``room``,
``device`` and ``department`` count from the domain and the group down, as in FreeSWITCH. Instructions of its preprocessor are named as
problems; a document type is refused, and with it every entity.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers import expat

from app.exchanges.line import (
    HOLDER_WORDS,
    LONGEST_LINE,
    LONGEST_NAME,
    Fault,
    Full,
    Gathering,
    HolderKind,
    HolderReference,
    Kind,
    Line,
    Plan,
    decoded,
    holder_of,
    is_number,
    privileges,
    refused,
    value,
)

_NAME: Final = "effective_caller_id_name"
_NUMBER: Final = "effective_caller_id_number"
_TOLL_ALLOW: Final = "toll_allow"
_DEPARTMENT: Final = "department"
_WORDS: Final = frozenset({*HOLDER_WORDS, _NAME, _NUMBER, _TOLL_ALLOW, _DEPARTMENT})
_SCOPES: Final = frozenset({"domain", "group", "user"})
_DEEPEST: Final = 32
_VARIABLE: Final = "$"


@dataclass(slots=True)
class _Scope:
    element: str
    line: int
    attributes: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)


class _Refused(Exception):
    def __init__(self, code: Fault) -> None:
        super().__init__(code)
        self.code = code


class _Reader:
    """Takes elements as the parser comes by them."""

    def __init__(self, parser: expat.XMLParserType, gathering: Gathering) -> None:
        self._parser, self._gathering = parser, gathering
        self._scopes: list[_Scope] = []
        self._depth = 0

    def begin(self, element: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Refused(Fault.MALFORMED_XML)
        line = self._parser.CurrentLineNumber
        if element in _SCOPES:
            self._scopes.append(_Scope(element, line, attributes))
        elif element == "variable" and self._scopes:
            word = attributes.get("name", "").strip().lower()
            if word in _WORDS:
                self._scopes[-1].variables[word] = attributes.get("value", "")
        elif element.upper() == "X-PRE-PROCESS":
            self._gathering.fault(line, Fault.PREPROCESSOR, attributes.get("cmd"))

    def end(self, element: str) -> None:
        self._depth -= 1
        if element not in _SCOPES:
            return
        if element == "user":
            variables: dict[str, str] = {}
            for scope in self._scopes:
                variables |= scope.variables
            for line in _lines(self._scopes[-1], variables, self._gathering):
                self._gathering.add(line)
        self._scopes.pop()

    def comment(self, text: str) -> None:
        if text.startswith("#"):
            self._gathering.fault(self._parser.CurrentLineNumber, Fault.PREPROCESSOR)

    def refuse(self, *_: Any) -> None:  # noqa: ANN401 — of the parser
        raise _Refused(Fault.DOCUMENT_TYPE)


def read(content: str | bytes) -> Plan:
    """Read a directory. It never raises: what cannot be read is a problem of the plan."""
    text = decoded(content)
    if isinstance(text, Fault):
        return refused(text)
    try:
        document = text.encode()
    except UnicodeEncodeError:
        return refused(Fault.NOT_TEXT)
    parser, gathering = expat.ParserCreate("utf-8"), Gathering()
    parser.buffer_text = True
    reader = _Reader(parser, gathering)
    parser.StartElementHandler, parser.EndElementHandler = reader.begin, reader.end
    parser.StartDoctypeDeclHandler, parser.EntityDeclHandler = reader.refuse, reader.refuse
    parser.CommentHandler = reader.comment
    try:
        parser.Parse(document, True)  # noqa: FBT003 — the parser takes it by position, and at once: long tokens in pieces are read again and again
    except Full:
        return gathering.plan()
    except (expat.ExpatError, _Refused) as refusal:
        code = refusal.code if isinstance(refusal, _Refused) else Fault.MALFORMED_XML
        at = parser.CurrentLineNumber if isinstance(refusal, _Refused) else parser.ErrorLineNumber
        return _broken(gathering, at, code)
    return gathering.plan()


def _broken(gathering: Gathering, at: int, code: Fault) -> Plan:
    try:
        gathering.fault(at, code)
    except Full:
        return gathering.plan()
    return gathering.plan()


def _lines(scope: _Scope, variables: dict[str, str], gathering: Gathering) -> Iterator[Line]:
    """Give the numbers of one user: an extension and, where it has an alias beside, a number."""
    if scope.attributes.get("type") == "pointer":
        return
    identity, alias = (scope.attributes.get(each, "").strip() for each in ("id", "number-alias"))
    told = {**variables, "id": identity, "number-alias": alias}
    for column, text in told.items():
        if _VARIABLE in text:
            gathering.fault(scope.line, Fault.UNRESOLVED_VARIABLE, column)
            return
        limit = LONGEST_LINE if column == _TOLL_ALLOW else LONGEST_NAME if column == _NAME else None
        if (value(text) if limit is None else value(text, limit)) is None:
            gathering.fault(scope.line, Fault.MALFORMED_VALUE, column)
            return
    named = is_number(identity)
    extension = identity if named else alias or variables.get(_NUMBER, "").strip()
    if not extension:
        gathering.fault(scope.line, Fault.NO_NUMBER, "id")
        return
    kept = {word: text.strip() for word, text in variables.items()}
    holder = holder_of(kept)
    if holder is None and not named and identity:
        holder = HolderReference(HolderKind.USER_NAME, identity)
    numbers = [(extension, Kind.EXTENSION)]
    if named and alias and alias != identity:
        numbers.append((alias, Kind.NUMBER))
    for digits, kind in numbers:
        if not is_number(digits):
            gathering.fault(scope.line, Fault.MALFORMED_NUMBER, "number-alias" if kind is Kind.NUMBER else "id")
            continue
        yield Line(
            digits=digits,
            kind=kind,
            name=kept.get(_NAME) or None,
            holder=holder,
            privileges=privileges(kept.get(_TOLL_ALLOW, "")),
            department=kept.get(_DEPARTMENT) or None,
            source_line=scope.line,
        )
