"""Provisions as a caller is shown them: each answer a look, on record before it leaves.

Administration, security and audit know of all; whoever asked for one or answers for it, of theirs; and whoever consented, that they were
provided, to whom, which of their fields, and until when, and of nobody else. To all others a provision is not there. No value that was in
a package is here to be shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import orjson

from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.errors import NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import Purpose, Tier
from app.permissions.standing import Viewer
from app.provisions.repository import ProvisionRepository, Wanted
from app.provisions.rules import Border, Consenter, Provision, ProvisionState
from app.provisions.schemas import ProvisionPage, ProvisionQuery, ProvisionRead

_OVERSEERS: Final = frozenset({"administration", "infosec", "auditor"})
_PURPOSE: Final = Purpose.WORK_CONTACT


class ProvisionPages:
    """Shows provisions to a viewer."""

    def __init__(self, showing: Showing, *, rows: ProvisionRepository, contacts: ContactRepository) -> None:
        """Take what every look shares, the rows, and the contacts."""
        self._rows, self._people = rows, Acquaintances(contacts, showing.gate)
        self._gate, self._reader, self._cursors = showing.gate, showing.reader, showing.cursors
        self._rights = CurrentRights(showing.standings)

    async def page(self, viewer: Viewer, query: ProvisionQuery) -> Disclosed[ProvisionPage]:
        """List provisions, newest first. Raises ``NoContact``, ``NotPermitted`` for somebody else's consents, and ``BadCursor``."""
        seek("provision.list", _PURPOSE)
        shape = {"provisions": query.model_dump(mode="json", exclude={"cursor", "limit"})}
        before = None if query.cursor is None else UUID(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ProvisionPage]:
            me = own_contact(viewer)
            everything = oversees(viewer)
            if query.contact is not None and query.contact != me and not everything:
                raise NotPermitted
            wanted = Wanted(
                concerning=None if everything else me,
                state=query.state,
                contract=query.contract,
                responsible=query.responsible,
                contact=query.contact,
                before=before,
            )
            found, ends = await self._rows.page(self._reader, wanted, limit=query.limit)
            known = await self._people.known(viewer, [one for each in found for one in _parties(each)])
            note = await self._note(viewer, "provision.list", known, shape["provisions"])
            body = {
                "items": [self._item(each, known) for each in found],
                "next": None if ends is None else self._cursors.seal(viewer.caller, shape, str(ends)),
                "disclosure": note,
            }
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z))

        return await self._rights.of(viewer, attempt)

    async def one(self, viewer: Viewer, identity: UUID) -> Disclosed[ProvisionRead]:
        """Show a provision. Raises ``NotFound``, alike to whom it does not concern."""
        seek("provision.read", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[ProvisionRead]:
            me, provision = own_contact(viewer), await self._rows.one(self._reader, identity)
            if provision is None:
                raise NotFound
            of = (await self._rows.consenters(self._reader, [identity]))[identity]
            whole = oversees(viewer) or me in _parties(provision)
            shown = of if whole else [each for each in of if each.contact_id == me]
            if not shown and not whole:
                raise NotFound
            body = await self._whole(viewer, provision, shown, whole=whole)
            return Disclosed(orjson.dumps(body, option=orjson.OPT_UTC_Z), etag=body["version"])

        return await self._rights.of(viewer, attempt)

    async def _whole(
        self, viewer: Viewer, provision: Provision, shown: Sequence[Consenter], *, whole: bool
    ) -> dict[str, Any]:
        identity, terms = provision.id, self._rows.open(provision.id, provision.terms)
        package = await self._rows.package(self._reader, identity)
        parts = {} if package is None else await self._rows.parts_of(self._reader, package.id)
        said = await self._rows.returns_of(self._reader, identity) if whole else []
        people = [*_parties(provision), *(each.contact_id for each in shown), *(each.person_id for each in said)]
        known = await self._people.known(viewer, people)
        told = {
            **self._item(provision, known),
            "to": terms["recipient"],
            "purpose": terms["purpose"],
            "method": terms["method"],
            "consent": "cross_border" if Border.REGION in provision.crosses else "provision",
            "asked": provision.asked if whole else None,
            "people": [
                {
                    "contact": _person(each.contact_id, known),
                    "withdrawn_at": each.withdrawn_at,
                    "provided": list(parts[each.contact_id].fields) if each.contact_id in parts else None,
                }
                for each in shown
            ],
            "package": {
                "id": package.id,
                "made_by": _person(package.made_by, known),
                "made_at": package.made_at,
                "event_id": package.event_id,
                "sealed_to": package.sealed_to,
                "people": package.people,
                "left_out": package.left_out,
                "digest": package.digest.hex(),
            }
            if whole and package is not None
            else None,
            "returns": [
                {
                    "said": each.said.value,
                    "kind": each.kind.value,
                    "person": _person(each.person_id, known),
                    "at": each.at,
                    "evidence": self._rows.open(each.id, each.evidence)["words"],
                }
                for each in said
            ],
            "ended_at": provision.ended_at,
            "cause": provision.cause if whole else None,
            "keep_until": provision.keep_until,
        }
        return {
            **told,
            "version": self._gate.version(orjson.dumps(told, option=orjson.OPT_UTC_Z)),
            "disclosure": await self._note(viewer, "provision.read", known, {"provision": str(identity)}),
        }

    def _item(self, provision: Provision, known: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
        told = {
            "id": provision.id,
            "request": provision.request_id,
            "state": provision.state.value,
            "recipient": self._rows.open(provision.id, provision.terms)["recipient"]["name"],
            "contract": provision.contract,
            "fields": list(provision.fields),
            "crosses": list(provision.crosses),
            "requester": _person(provision.requester_id, known),
            "responsible": _person(provision.responsible_id, known),
            "starts_at": provision.starts_at,
            "ends_at": provision.ends_at,
            "return_by": provision.return_by,
            "overdue": provision.overdue_at is not None
            and provision.state in {ProvisionState.OVERDUE, ProvisionState.DECLARED},
        }
        return {**told, "version": self._gate.version(orjson.dumps(told, option=orjson.OPT_UTC_Z))}

    async def _note(
        self, viewer: Viewer, action: str, known: Mapping[UUID, object], query: Mapping[str, Any]
    ) -> orjson.Fragment:
        told = {name: value for name, value in query.items() if value is not None}
        look = Look(action=action, purpose=_PURPOSE, query=told)
        return orjson.Fragment(await self._gate.disclose_plain(viewer, look, count=len(known), contacts=sorted(known)))


def oversees(viewer: Viewer) -> bool:
    """Tell whether the viewer's office is to know of every provision."""
    standing = viewer.standing
    return standing.kind == "person" and (standing.tier is Tier.T5 or not standing.roles.isdisjoint(_OVERSEERS))


def _parties(provision: Provision) -> Iterable[UUID]:
    return (provision.requester_id, provision.responsible_id)


def _person(identity: UUID, known: Mapping[UUID, Mapping[str, Any]]) -> dict[str, Any]:
    return {"id": identity, "name": known[identity].get("name") if identity in known else None}
