"""Looking up whose a value is. A lookup is a look: what it found passes policy and the gate, and is on record before it is told.

Order: candidates by tag, compared unopened; the rows of who matched; each row's MAC and the plan's verdict; the record, charged to the
day's quota, with what was found; then the answer. Nothing is opened for it. A term that finds nobody takes the way of one that finds
somebody, with a row that is not meant, so that time tells nothing; whom policy hides is nobody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from app.audit.errors import QuotaSpent
from app.audit.terms import Terms
from app.auth.repository import Query
from app.contacts.record import covered_digests, listed_under
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, seek
from app.contacts.tagged import Found, Match, TaggedContacts, TooManyCandidates
from app.contacts.tagging import BOUND
from app.crypto.datakey import WrappedDataKey
from app.crypto.sealer import Sealer
from app.crypto.stored import KEY_OF
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.records import Record
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.errors import Invalid, NotFound
from app.lookups.errors import LookupsNotReady
from app.lookups.quota import LookupLimits
from app.lookups.reading import LISTS, Term, grouped, read
from app.lookups.rights import may_look_up
from app.lookups.schemas import LookupAnswer, LookupRequest
from app.permissions.outcomes import Purpose, State, Tag
from app.permissions.plan import Cohort
from app.permissions.standing import Viewer

ACTION: Final = "contact.lookup"
REASONS: Final = UUID("019a0000-0000-7000-8000-6c6f6f6b7570")
"""Whose key seals the reasons of service accounts, which are nobody in the directory."""
_KEY: Final = Query(KEY_OF, by_key=True)
_MOST_CARDS: Final = 5
_NOBODY: Final = UUID(int=0)

_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class _Hit:
    """A term that points to a contact, not yet believed."""

    at: int
    contact_id: UUID
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class _Answered:
    """A contact that a term found and that the viewer may be told of."""

    at: int
    record: Record
    cohort: Cohort
    states: dict[str, str]


class LookupService:
    """Looks up for a viewer."""

    def __init__(
        self,
        *,
        tagged: TaggedContacts,
        repository: ContactRepository,
        gate: Gate,
        rights: CurrentRights,
        sealer: Sealer,
        reader: Reader,
        terms: Terms,
        limits: LookupLimits,
        offered: frozenset[Tag],
        region: str,
        clock: Clock,
    ) -> None:
        """Take who finds, the rows, the gate, who viewers are, the keys of reasons and of terms in the log, and the day's limits."""
        self._tagged, self._repository, self._gate, self._rights = tagged, repository, gate, rights
        self._sealer, self._reader, self._terms = sealer, reader, terms
        self._limits, self._offered, self._region, self._clock = limits, offered, region, clock

    async def look_up(self, viewer: Viewer, asked: LookupRequest) -> Disclosed[LookupAnswer]:
        """Answer every term.

        Raises ``Invalid`` for terms that cannot be read, ``QuotaSpent``, ``LookupsNotReady``, ``LogUnavailable`` and ``EpochMoved``; then
        nothing was told and nothing charged.
        """
        seek(ACTION, asked.purpose)
        lists = {name: getattr(asked, name) for name in LISTS if name != "last4"}
        terms = read(lists, asked.last4, tree=viewer.tree, region=self._region, offered=self._offered)
        reason = await self._sealed(viewer, asked.reason)
        look = Look(action=ACTION, purpose=asked.purpose, query=self._logged(terms), reason=reason)

        async def attempt(viewer: Viewer) -> Disclosed[LookupAnswer]:
            answered, note = await self._told(viewer, look, terms)
            return Disclosed(b'{"results":[%b],"disclosure":%b}' % (_results(terms, answered), note))

        return await self._rights.of(viewer, attempt)

    async def holders(self, viewer: Viewer, purpose: Purpose, member: str, value: str) -> list[UUID]:
        """Find who has one mail address (``emails``) or mobile (``numbers``): a lookup like any, on record and charged, told by ids alone.

        Nobody has what cannot be read. Raises as ``look_up`` does otherwise.
        """
        try:
            terms = read({member: [value]}, (), tree=viewer.tree, region=self._region, offered=self._offered)
        except Invalid:
            return []
        look = Look(action=ACTION, purpose=purpose, query=self._logged(terms))

        async def attempt(viewer: Viewer) -> list[UUID]:
            answered, _ = await self._told(viewer, look, [each for each in terms if each.kind is not None])
            return [each.record.subject for each in answered]

        return await self._rights.of(viewer, attempt)

    async def _told(self, viewer: Viewer, look: Look, terms: Sequence[Term]) -> tuple[list[_Answered], bytes]:
        """Find, put on record and charge."""
        hits, others = await self._found(viewer, terms)
        answered = await self._answered(viewer, look, terms, hits, others)
        now = self._clock.now()
        try:
            note = await self._gate.disclose_matches(
                viewer,
                look,
                [(each.record, each.cohort, each.states) for each in answered],
                count=len({each.record.subject for each in answered}),
                quota=self._limits.charge(viewer.standing, len(terms), now),
            )
        except QuotaSpent as spent:
            raise QuotaSpent(headers={"Retry-After": str(self._limits.seconds_left(now))}) from spent
        return answered, note

    async def _found(self, viewer: Viewer, terms: Sequence[Term]) -> tuple[list[_Hit], list[UUID]]:
        """Give whom the terms point to, and for each that points to nobody somebody else, so that as many rows are loaded."""
        hits: list[_Hit] = []
        others: list[UUID] = []
        own = viewer.standing.contact_id or _NOBODY
        generation = await self._tagged.generation()
        for kind, department, places in grouped(terms):
            if kind not in generation.kinds:
                raise LookupsNotReady
            forms = [terms[at].form or "" for at in places]
            try:
                found: list[Found] = (
                    await self._tagged.by_value(generation, kind, forms)
                    if department is None
                    else await self._tagged.by_ending(generation, department, forms)
                )
            except TooManyCandidates as outgrown:
                _log.error("search_tags_outgrown", kind=kind.value)
                raise LookupsNotReady from outgrown
            for at, each in zip(places, found, strict=True):
                hits += [_Hit(at, match.contact_id, match) for match in each.matches]
                others += [] if each.matches else [each.compared or own]
        plain = await self._plainly(terms)
        hits += plain
        pointing = {each.at for each in plain}
        others += [own for at, term in enumerate(terms) if _is_plain(term) and at not in pointing]
        return hits, others

    async def _plainly(self, terms: Sequence[Term]) -> list[_Hit]:
        digits = await self._tagged.by_number([each.digits for each in terms if each.digits is not None])
        numbers = await self._tagged.by_employee_no(
            [each.employee_no for each in terms if each.employee_no is not None]
        )
        found = []
        for at, term in enumerate(terms):
            if term.digits is not None:
                found += [_Hit(at, identity) for identity in digits[term.digits]]
            if term.employee_no in numbers:
                found.append(_Hit(at, numbers[term.employee_no]))
        return found

    async def _answered(
        self, viewer: Viewer, look: Look, terms: Sequence[Term], hits: Sequence[_Hit], others: Sequence[UUID]
    ) -> list[_Answered]:
        """Believe of the hits those whose row says so, and keep those of whom the viewer may be told."""
        plan = viewer.plan(look.purpose)
        records = await self._repository.by_ids(
            list(dict.fromkeys([*(each.contact_id for each in hits), *others])), viewer.tree
        )
        verdicts = {identity: self._gate.verdict(plan, record) for identity, record in records.items()}
        found: dict[tuple[int, UUID], _Answered] = {}
        for hit in hits:
            record, cohort = records.get(hit.contact_id), verdicts.get(hit.contact_id)
            if record is None or cohort is None:
                continue
            kind = terms[hit.at].kind if hit.match is not None else None
            if not _is_so(terms[hit.at], hit, record) or not may_look_up(cohort, kind):
                continue
            states = {} if hit.match is None else {hit.match.field: _learned(kind)}
            before = found.get((hit.at, hit.contact_id))
            if before is not None:
                states = {**before.states, **states}
            found[hit.at, hit.contact_id] = _Answered(hit.at, record, cohort, states)
        return sorted(found.values(), key=lambda each: (each.at, listed_under(each.record.public), each.record.subject))

    async def _sealed(self, viewer: Viewer, reason: str) -> bytes:
        """Seal the reason under the key of whoever gives it; raise ``NotFound`` when that key is gone."""
        subject = viewer.standing.contact_id or REASONS
        rows = await _KEY.rows(self._reader, subject=subject)
        if not rows:
            raise NotFound
        return self._sealer.existing(subject, WrappedDataKey(*rows[0])).seal("audit.reason", reason).envelope

    def _logged(self, terms: Sequence[Term]) -> dict[str, Any]:
        found: dict[str, list[str]] = {}
        for term in terms:
            found.setdefault(term.member, []).append(self._terms.masked(term.told))
        return found


def _is_plain(term: Term) -> bool:
    return term.digits is not None or term.employee_no is not None


def _learned(kind: Tag | None) -> str:
    """Say what a match tells of the field: who knew the whole value knows now whose it is, who knew its end knows its end."""
    return State.MASKED.value if kind is Tag.MOBILE_LAST4 else State.SHOWN.value


def _is_so(term: Term, hit: _Hit, record: Record) -> bool:
    """Tell whether the row, which verifies, bears the hit out; a tag that outlived its value is reported."""
    if hit.match is not None:
        digest = covered_digests(record.covered).get(hit.match.field, b"")
        if digest[:BOUND] == hit.match.bound:
            return True
        _log.error("search_tag_stale", subject=str(record.subject), field=hit.match.field)
        return False
    if term.employee_no is not None:
        return bool(record.public["employee_no"] == term.employee_no)
    numbers: list[str] = orjson.loads(orjson.dumps(record.public["short_numbers"]))
    return term.digits in [*numbers, record.public["extension"]]


def _results(terms: Sequence[Term], answered: Sequence[_Answered]) -> bytes:
    def written() -> Iterator[bytes]:
        for at in range(len(terms)):
            found = [each for each in answered if each.at == at]
            if not found:
                yield b'{"query_index":%d,"match":null}' % at
            more = b',"truncated":true' if len(found) > _MOST_CARDS else b""
            for each in found[:_MOST_CARDS]:
                yield b'{"query_index":%d,"match":%b}%b}' % (at, each.record.head, more)

    return b",".join(written())
