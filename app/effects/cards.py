"""``contact.change``: somebody asks for what a PATCH would refuse them, and the approved request writes it.

Read as the PATCH reads it, so bad input is refused when it is filed and nothing is kept of it. Protected values are kept sealed under the
card's own key and go onto the card unopened; what is kept of the form says only that they are there. What the touched members were when it
was filed is remembered as a keyed digest: an approval given over a card that has changed since does not act.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

import orjson

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.errors import ConsentRequired, UnknownContact
from app.contacts.external import refuse_unfit
from app.contacts.fields import CATALOGUE
from app.contacts.forms import unpack_consents
from app.contacts.members import PEOPLE, MemberReader, refuse_oneself
from app.contacts.parting import Parting
from app.contacts.record import covered_digests
from app.contacts.repository import ContactRepository
from app.contacts.rows import closed
from app.contacts.schemas import ContactAmend
from app.contacts.writer import ContactWriter, Written
from app.crypto.sealer import Sealer
from app.departments.tree import Tree
from app.disclosure.errors import ApprovalRequired
from app.disclosure.gate import Gate
from app.disclosure.records import Record
from app.effects.errors import CardMoved, ChangeFailed
from app.effects.forms import WITHHELD, placed, pointed, read
from app.kit.clock import Clock
from app.kit.db import UnitOfWork
from app.kit.errors import Conflict, Invalid, NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose
from app.permissions.standing import Standings, Viewer

CHANGE: Final = "contact.change"
CORRECTION: Final = "contact.correction"
_LIVE: Final = frozenset({"active", "frozen", "leaving"})
_STAFF: Final = frozenset({"employee", "temporary"})
_DEPARTMENTS: Final = frozenset({"department", "memberships"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Members of a card as somebody proposes them: what may be kept of them in clear, and the protected values in normal form."""

    kept: Mapping[str, Any]
    values: Mapping[str, str]


@dataclass(slots=True)
class _Ends:
    contract_until: date | None
    review_due: date | None


class Cards:
    """Cards as requests find, judge and change them."""

    def __init__(
        self,
        *,
        contacts: ContactRepository,
        members: MemberReader,
        writer: ContactWriter,
        parting: Parting,
        sealer: Sealer,
        standings: Standings,
        gate: Gate,
        clock: Clock,
    ) -> None:
        """Take the rows, the reader and the writer of members, what moves do, the sealer, the tree, the gate, and the clock."""
        self.contacts, self.members, self.standings, self.clock = contacts, members, standings, clock
        self._writer, self._parting, self._sealer, self._gate = writer, parting, sealer, gate

    async def about(self, viewer: Viewer | None, asked: Asked) -> tuple[Record, Tree]:
        """Give the card that is asked about; raise ``NotFound`` for one that is not there, is over, or not for ``viewer`` to know of."""
        tree = await self.standings.tree() if viewer is None else viewer.tree
        identity = asked.subject.uuid
        record = None if identity is None else await self.contacts.by_id(identity, tree)
        if record is None or record.cohort.status not in _LIVE:
            raise NotFound
        if viewer is not None and self._gate.verdict(viewer.plan(Purpose.WORK_CONTACT), record) is None:
            raise NotFound
        return record, tree

    async def proposal(self, viewer: Viewer | None, record: Record, tree: Tree, changes: Mapping[str, Any]) -> Proposal:
        """Read members that are proposed for a card.

        With ``viewer``, people whom they name must be known to them. Without, members that are kept sealed stand as withheld and are only
        named. Raises ``Invalid`` with every fault, ``NotCollected``, ``UnknownDepartment`` and ``UnknownContact``; pointers are those of a
        PATCH.
        """
        kind = record.cohort.kind
        waiting = [name for name, value in changes.items() if viewer is None and value == WITHHELD]
        body = read(ContactAmend, {name: value for name, value in changes.items() if name not in waiting}, "changes")
        given = body.given()
        with placed("changes"):
            self.members.classes_of(kind, {**given, **dict.fromkeys(waiting)})
            required = self.members.forms.required(kind)
            refuse_unfit(kind, given, required, at=self.clock.now(), before=_ends(record))
            _, values = self.members.parsed(tree, kind, given)
            if viewer is not None:
                await self._refuse_strangers(viewer, given, record.subject)
        kept = body.model_dump(mode="json", exclude_unset=True)
        sealed = {name: value for name, value in values.items() if value is not None}
        return Proposal({**kept, **dict.fromkeys((*waiting, *sealed), WITHHELD)}, sealed)

    def refuse_unconsented(self, record: Record, names: Mapping[str, Any]) -> None:
        """Raise ``ConsentRequired`` for what rests on a consent that is not live: told to whoever may know of the consents."""
        with placed("changes"):
            self.members.refuse_unconsented(record.cohort.kind, names, unpack_consents(record.consented))

    def before(self, record: Record, names: Iterable[str]) -> str:
        """Say what these members of a card are now, in a word that nobody can read anything out of."""
        digests, public = covered_digests(record.covered), orjson.loads(orjson.dumps(record.public))
        now: dict[str, Any] = {}
        for name in sorted(names):
            if CATALOGUE.protects(record.cohort.kind, name) is not None:
                now[name] = digests[name].hex() if name in digests else None
            elif name in _DEPARTMENTS:
                now[name] = [str(each) for each in record.cohort.departments]
            else:
                now[name] = record.cohort.secrecy if name == "secrecy" else public.get(name)
        sealer = self._sealer.existing(record.subject, record.key)
        return sealer.digest("approval.before", orjson.dumps(now).decode()).hex()

    async def write(
        self, unit: UnitOfWork, author: Author, approved: Approved, changes: Mapping[str, Any], before: str
    ) -> Written:
        """Put approved members on a card; its history names the request.

        Raises ``NotFound``, ``CardMoved`` when a member is not what it was ``before``, and as ``ContactWriter.amend`` does.
        """
        identity = approved.asked.subject.uuid
        loaded = None if identity is None else await self.contacts.for_change(unit.session, identity)
        if loaded is None:
            raise NotFound
        tree = await self.standings.tree()
        record = closed(*loaded, tree)
        if self.before(record, changes) != before:
            raise CardMoved
        given = read(
            ContactAmend, {name: value for name, value in changes.items() if name not in approved.values}, "changes"
        ).given()
        by = replace(author, request_id=str(approved.id))
        written = await self._writer.amend(unit, by, tree, record, given, waiting=approved.values)
        if "department" in written.changed and record.cohort.kind in _STAFF:
            await self._parting.move(unit, by, record.subject, tree, record.cohort.departments)
        return written

    async def reset(
        self, unit: UnitOfWork, author: Author, approved: Approved, name: str, given: str, former: str
    ) -> None:
        """Take back what an approved request gave a card, where the card still says what it ``given``; a card that is gone has nothing."""
        identity = approved.asked.subject.uuid
        loaded = None if identity is None else await self.contacts.for_change(unit.session, identity)
        if loaded is None or loaded[0].status not in _LIVE or getattr(loaded[0], name) != given:
            return
        tree = await self.standings.tree()
        by = replace(author, request_id=str(approved.id))
        await self._writer.amend(unit, by, tree, closed(*loaded, tree), {name: former})

    def demand(self, viewer: Viewer, record: Record, names: Mapping[str, Any], kind: str) -> None:
        """Raise ``NotPermitted`` unless policy lets ``viewer`` ask for a change of these members by a request of this kind.

        One's own card is changed by ``contact.change`` whichever kind of request policy names for it. Who is to move to another
        department must be within reach there too, as in a PATCH.
        """
        classes = self.members.classes_of(record.cohort.kind, names)
        own = viewer.standing.contact_id == record.subject
        places, named = [record.cohort], names.get("department")
        node = viewer.tree.find(named) if isinstance(named, str) else None
        if node is not None:
            places.append(record.cohort._replace(departments=(node.id,)))
        for place in places:
            asked_for = viewer.plan(Purpose.WORK_CONTACT).cohort(place, record.subject).edit_requests
            for each in classes:
                offered = asked_for.get(each)
                if offered is None or (offered != kind and not own):
                    raise NotPermitted

    async def _refuse_strangers(self, viewer: Viewer, given: Mapping[str, Any], about: UUID) -> None:
        named: dict[str, UUID] = {name: given[name] for name in PEOPLE if given.get(name) is not None}
        found = await self.contacts.by_ids(list(named.values()), viewer.tree) if named else {}
        plan = viewer.plan(Purpose.WORK_CONTACT)
        refuse_oneself(about, named)
        for name, identity in named.items():
            record = found.get(identity)
            if record is None or record.cohort.status not in _LIVE or self._gate.verdict(plan, record) is None:
                pointer = f"/{name}"
                raise UnknownContact(pointer)


class CardChange:
    """Changes a card as its person, or who answers for them, asked."""

    def __init__(self, cards: Cards) -> None:
        """Take the cards."""
        self._cards = cards

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Read the changes as a PATCH would; raises what it would, and ``NotPermitted`` where policy offers no such request."""
        del source
        record, tree = await self._cards.about(viewer, asked)
        changes = asked.form["changes"]
        proposal = await self._cards.proposal(viewer, record, tree, changes)
        if viewer is not None:
            self._cards.demand(viewer, record, changes, CHANGE)
        own = asked.requester == record.subject
        if own:
            self._cards.refuse_unconsented(record, changes)
        return Examined(
            form={**asked.form, "changes": proposal.kept},
            facts={
                "relation": "self" if own else "other",
                "card": record.cohort.kind,
                "status": record.cohort.status,
                "before": self._cards.before(record, proposal.kept),
            },
            about=(record.subject,),
            owner=next(iter(record.cohort.departments), None),
            values=proposal.values,
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Write the changes, telling nobody what of them differed from the card: a head would learn by it what is masked.

        Raises as ``Cards.write``; ``ChangeFailed`` where only the person may know that a consent is lacking.
        """
        changes = approved.asked.form["changes"]
        try:
            await self._cards.write(unit, author, approved, changes, approved.facts["before"])
        except ConsentRequired as problem:
            if approved.facts["relation"] == "self":
                raise
            raise ChangeFailed from problem
        return Applied(result={"contact": approved.asked.subject.id, "fields": sorted(changes)})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing: a card that was changed is changed back by another request."""


class CardCorrection:
    """Writes what a colleague says that a card should say, when its person and HR agree; nobody is told what it said."""

    def __init__(self, cards: Cards) -> None:
        """Take the cards."""
        self._cards = cards

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Read the one member; raise as ``CardChange`` does, but for consents, of which a colleague may not know."""
        del source
        record, tree = await self._cards.about(viewer, asked)
        if asked.requester == record.subject:
            raise ApprovalRequired(request_kind=CHANGE)
        name = asked.form["field"]
        if viewer is not None:
            with pointed("field"):
                self._cards.demand(viewer, record, {name: asked.form.get("value")}, CORRECTION)
        form, values = dict(asked.form), dict[str, str]()
        if "value" in form:
            with pointed("value"):
                proposal = await self._cards.proposal(viewer, record, tree, {name: form["value"]})
            form["value"], values = proposal.kept[name], dict(proposal.values)
        return Examined(
            form=form,
            facts={
                "valued": "yes" if "value" in form else "no",
                "card": record.cohort.kind,
                "status": record.cohort.status,
                "before": self._cards.before(record, [name]),
            },
            about=(record.subject,),
            owner=next(iter(record.cohort.departments), None),
            values=values,
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Write the member; raise ``ChangeFailed``, whatever the card had against it. Without a value there is nothing to write."""
        form = approved.asked.form
        if "value" in form:
            try:
                await self._cards.write(
                    unit, author, approved, {form["field"]: form["value"]}, approved.facts["before"]
                )
            except (Invalid, Conflict) as problem:
                raise ChangeFailed from problem
        return Applied(result={"contact": approved.asked.subject.id, "field": form["field"]})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Do nothing, as ``CardChange``."""


def _ends(record: Record) -> _Ends:
    """Read the days that stand on a card already, of which no one is asked again."""
    until, due = (record.public.get(name) for name in ("contract_until", "review_due"))
    return _Ends(*(None if each is None else date.fromisoformat(str(each)) for each in (until, due)))
