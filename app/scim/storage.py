"""The library's storage over our services, for one request of one caller: resources in and out, everything else is done elsewhere.

A write is compared with what the same request was shown, and answered by a look at what became of it. Where both types are searched at
once, users stand first.
"""

from asyncio import sleep
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, cast
from uuid import UUID

from scim2_models import (
    InvalidFilterException,
    InvalidPathException,
    NotImplementedException,
    PreconditionFailedException,
    Resource,
    ResourceType,
    ResponseParameters,
    ScimProvider,
    SearchRequest,
)
from scim2_server.storage import AsyncScimStorage, SearchPage

from app.audit.terms import Terms
from app.auth.subject import user_name_key
from app.contacts.errors import UnknownContact
from app.contacts.headcount import IN_SERVICE
from app.contacts.members import PEOPLE
from app.kit.errors import NotFound
from app.lookups.service import LookupService
from app.permissions.outcomes import Power
from app.permissions.standing import Standings, Viewer
from app.scim.ending import Endings
from app.scim.errors import TooManyToSearch, refuse_unfit
from app.scim.filtering import asks_plainly, candidates, comparisons, is_protected, members_in, refuse_guessing
from app.scim.groups import Groups, GroupSaid, Listed, SeenGroup
from app.scim.mapping import Said, said_by
from app.scim.reading import PURPOSE, SeenUser, UserReader
from app.scim.repository import ScimRepository
from app.scim.resources import MOST_RESULTS
from app.scim.writing import UserWriter

MOST_TRIED: Final = 5000
"""Users that a filter without an index, or an order, is tried on."""
MOST_COMPARED: Final = 100_000
"""Comparisons that one search makes in all."""
_MOST_PASSED: Final = 1_000_000_000
"""Behind so many there is nobody; what a client may say beyond is more than a database counts."""
_AT_ONCE: Final = 100
_USER: Final = "User"
Window = tuple[int, int]
"""How many to pass over, and how many to give at most."""
_PHONES: Final = {"emails": ("emails", "work"), "numbers": ("phoneNumbers", "mobile")}


class Storage(AsyncScimStorage):
    """Users and groups for one viewer."""

    def __init__(
        self,
        viewer: Viewer,
        provider: ScimProvider,
        *,
        users: UserReader,
        writer: UserWriter,
        groups: Groups,
        rows: ScimRepository,
        lookups: LookupService,
        terms: Terms,
        standings: Standings,
        endings: Endings,
    ) -> None:
        """Take who asks, the models, what reads and writes, how values are found, the key of terms, who viewers are, who counts leavers."""
        self._viewer, self._provider = viewer, provider
        self._users, self._writer, self._groups = users, writer, groups
        self._rows, self._lookups, self._terms, self._standings = rows, lookups, terms, standings
        self._seen: dict[UUID, SeenUser] = {}
        self._listed: dict[UUID, tuple[Listed, Mapping[str, Any]]] = {}
        self._endings, self._is_bulk = endings, False
        self.is_conditional = False
        """Whether the request says which version it means to change."""

    async def renew(self) -> None:
        """Begin anew, with the rights that the caller has now."""
        self._viewer = await self._standings.of(self._viewer.subject, fresh=True)
        self._seen.clear()
        self._listed.clear()

    async def foresee(self, identities: Collection[UUID]) -> None:
        """Begin a bulk request that would end these."""
        self._is_bulk = True
        await self._endings.foresee(self._viewer, identities)

    def refuse_ended(self, identity: UUID | None) -> None:
        """Raise ``FuseBlown`` for an operation that ends one of too many, ahead of any look at them."""
        if identity is not None:
            self._endings.refuse(identity)

    async def note_bulk(self, operations: int) -> None:
        """Put on record that so many operations were asked for at once, and nobody shown for it."""
        await self._users.several(self._viewer, (), {"resource": "Bulk", "operations": operations})

    async def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Show one resource."""
        identity = _identity(resource_id)
        if resource_type.id == _USER:
            seen = self._seen[identity] = await self._users.one(self._viewer, identity)
            return self._model(resource_type, seen.user)
        group = await self._groups.one(self._viewer, identity)
        (told,) = await self._groups.shown(
            self._viewer, [group], {"group": str(identity)}, members=_wants_members(response_parameters)
        )
        self._listed[identity] = (group, told)
        return self._model(resource_type, told)

    async def search(
        self, resource_types: list[ResourceType], search_request: SearchRequest[Any], *, position: object = None
    ) -> SearchPage:
        """List one page."""
        del position
        if search_request.filter is not None:
            refuse_guessing(search_request.filter.ast)
        if search_request.sort_by is not None and is_protected(str(search_request.sort_by)):
            raise InvalidPathException(detail="There is no order by mail addresses or telephone numbers")
        if search_request.sort_by is not None and len(resource_types) > 1:
            raise NotImplementedException(detail="Users and groups have no order among each other")
        logged = {} if search_request.filter is None else {"filter": self._terms.masked(str(search_request.filter))}
        total, found = 0, list[Resource[Any]]()
        passed = min(search_request.start_index_0 or 0, _MOST_PASSED)
        most = MOST_RESULTS if search_request.count is None else search_request.count
        for resource_type in sorted(resource_types, key=lambda each: each.id != _USER):
            listing = self._list_users if resource_type.id == _USER else self._list_groups
            window = (max(0, passed - total), most - len(found))
            page = await listing(resource_type, search_request, window, logged)
            total, found = total + (page.total or 0), [*found, *page.resources]
        return SearchPage(total, found)

    async def _list_users(
        self, resource_type: ResourceType, asked: SearchRequest[Any], window: Window, logged: Mapping[str, Any]
    ) -> SearchPage:
        passed, most = window
        if asked.filter is None and asked.sort_by is None:
            plan = self._viewer.plan(PURPOSE)
            total = await self._users.found.count(plan)
            page = await self._users.found.page(plan, (), passed=passed, most=most) if most else []
        else:
            chosen = await self._chosen(resource_type, asked)
            total, page = len(chosen), chosen[passed : passed + most]
        seen = await self._users.several(self._viewer, page, {"resource": _USER, **logged}, plain=asks_plainly(asked))
        return SearchPage(total, [self._model(resource_type, each.user) for each in seen])

    async def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """Make a user or a group, and show it."""
        told = resource.model_dump()
        refuse_unfit(told.get("externalId"))
        if resource_type.id == _USER:
            said = said_by(told)
            await self._refuse_strangers({}, said)
            identity = await self._writer.create(self._viewer, said)
        else:
            identity = await self._groups.create(
                self._viewer, told["displayName"], told.get("externalId") or None, _members(told)
            )
        return await self.get(resource_type, str(identity))

    async def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """Write what a resource says otherwise, and show what it is now."""
        identity = _identity(resource.id or "")
        after = resource.model_dump()
        if resource_type.id == _USER:
            seen = await self._as_expected(identity, expected_version)
            before, said = said_by(self._model(resource_type, seen.user).model_dump()), said_by(after)
            await self._refuse_strangers(before, said)
            if said["active"] is False:
                await self._demand_ending(seen)
            await self._writer.update(self._viewer, seen, before, said)
        else:
            refuse_unfit(after.get("externalId"))
            group = GroupSaid(after["displayName"], after.get("externalId") or None, _members(after))
            await self._groups.update(self._viewer, await self._group_as_expected(identity, expected_version), group)
        return await self.get(resource_type, str(identity))

    async def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """Archive a user, or end a group."""
        identity = _identity(resource_id)
        if resource_type.id == _USER:
            seen = await self._as_expected(identity, expected_version)
            await self._demand_ending(seen)
            await self._writer.archive(self._viewer, seen)
        else:
            await self._groups.delete(self._viewer, await self._group_as_expected(identity, expected_version))

    async def _refuse_strangers(self, before: Said, after: Said) -> None:
        """Raise ``UnfitExternalId``, and ``UnknownContact`` for a superior of whom the client may not know, as for nobody."""
        if after["external_id"] != before.get("external_id"):
            refuse_unfit(after["external_id"])
        for name in PEOPLE:
            named = after.get(name)
            if named not in {None, before.get(name)} and not await self._users.knows(self._viewer, str(named)):
                pointer = f"/{name}"
                raise UnknownContact(pointer)

    async def _demand_ending(self, seen: SeenUser) -> None:
        """Raise ``FuseBlown`` where a bulk request would end one too many; single requests are counted when they are done."""
        if self._is_bulk and seen.record.cohort.status in IN_SERVICE:
            await self._endings.demand(self._viewer, seen.record.subject)

    async def _as_expected(self, identity: UUID, version: str | None) -> SeenUser:
        seen = self._seen.pop(identity, None) or await self._users.one(self._viewer, identity)
        if version is not None and seen.version != version:
            raise PreconditionFailedException
        return seen

    async def _group_as_expected(self, identity: UUID, version: str | None) -> SeenGroup:
        found = self._listed.pop(identity, None)
        if found is None:
            group = await self._groups.one(self._viewer, identity)
            (told,) = await self._groups.shown(self._viewer, [group], {"group": str(identity)})
            found = (group, told)
        group, shown = found
        if version is not None and shown["meta"]["version"] != version:
            raise PreconditionFailedException
        return SeenGroup(group, _members(shown), shown["meta"]["version"], self.is_conditional)

    async def _chosen(self, resource_type: ResourceType, asked: SearchRequest[Any]) -> list[UUID]:
        """Find whom a filter means, in the order that is asked for, by what stands plain; nobody is shown here."""
        matched: dict[UUID, dict[str, Any]] = {}

        async def find(index: str, value: str) -> set[UUID]:
            found = set(await self._holders(index, value))
            if index in _PHONES:
                attribute, kind = _PHONES[index]
                for each in found:
                    matched.setdefault(each, {}).setdefault(attribute, []).append({"value": value, "type": kind})
            return found

        among = None if asked.filter is None else await candidates(asked.filter.ast, find)
        plan = self._viewer.plan(PURPOSE)
        powers = {Power.MATCH} if asked.filter is not None else set()
        powers |= {Power.ORDER} if asked.sort_by is not None else set()
        if among is None:
            ids = await self._users.found.page(plan, powers, passed=0, most=MOST_TRIED + 1)
            if len(ids) > MOST_TRIED:
                raise TooManyToSearch
        else:
            ids = sorted(among, reverse=True)
        if asked.filter is not None and comparisons(asked.filter.ast) * len(ids) > MOST_COMPARED:
            raise TooManyToSearch
        users = list[Resource[Any]]()
        for at in range(0, len(ids), _AT_ONCE):
            closed = await self._users.closed(self._viewer, ids[at : at + _AT_ONCE])
            told = [{**each, **matched.get(UUID(each["id"]), {})} for each in closed]
            users += await self._meant_of(resource_type, asked, told)
        return [UUID(each.id) for each in (users if asked.sort_by is None else asked.sort(users))]

    async def _holders(self, index: str, value: str) -> Sequence[UUID]:
        if not value.isprintable():
            return []
        match index:
            case "id":
                return _read_id(value)
            case "user_name":
                key = user_name_key(value)
                return [] if key is None else await self._users.found.by_user_name(key)
            case "employee_no":
                return await self._users.found.by_employee_no(value)
            case "external_id":
                return await self._rows.by_external_id(self._viewer.standing.client_id, value)
            case _:
                return await self._lookups.holders(self._viewer, PURPOSE, index, value)

    async def _list_groups(
        self, resource_type: ResourceType, asked: SearchRequest[Any], window: Window, logged: Mapping[str, Any]
    ) -> SearchPage:
        passed, most = window
        about = set[UUID]()
        groups = await self._groups.every(self._viewer)
        if asked.filter is not None or asked.sort_by is not None:
            groups, about = await self._meant(resource_type, asked, groups)
        page = groups[passed : passed + most]
        told = await self._groups.shown(
            self._viewer, page, {"resource": "Group", **logged}, members=_wants_members(asked), about=sorted(about)
        )
        return SearchPage(len(groups), [self._model(resource_type, each) for each in told])

    async def _meant(
        self, resource_type: ResourceType, asked: SearchRequest[Any], groups: Sequence[Listed]
    ) -> tuple[list[Listed], set[UUID]]:
        """Give the groups that a filter means, in the order that is asked for, and members of whom it tells that they are."""
        by_id = {str(each.id): each for each in groups}
        people: Mapping[UUID, Sequence[UUID]] = {}
        if asked.filter is not None and "members" in str(asked.filter).lower():

            async def find(index: str, value: str) -> set[UUID]:
                return {each.id for each in groups if index == "id" and str(each.id) == value.lower()}

            among = await candidates(asked.filter.ast, find)
            if among is None:
                raise InvalidFilterException(detail="Members are asked for with the id of a group")
            people = await self._groups.members(self._viewer, [each for each in groups if each.id in among])
        if asked.filter is not None and comparisons(asked.filter.ast) * len(groups) > MOST_COMPARED:
            raise TooManyToSearch
        found = list[Resource[Any]]()
        for at in range(0, len(groups), _AT_ONCE):
            told = [self._groups.written(each, people.get(each.id, ())) for each in groups[at : at + _AT_ONCE]]
            found += await self._meant_of(resource_type, asked, told)
        meant = [by_id[str(each.id)] for each in (found if asked.sort_by is None else asked.sort(found))]
        sought = set() if asked.filter is None else members_in(asked.filter.ast)
        belonging = {person for some in people.values() for person in some}
        return meant, belonging if sought is None else {each for each in belonging if str(each) in sought}

    async def _meant_of(
        self, resource_type: ResourceType, asked: SearchRequest[Any], told: Sequence[Mapping[str, Any]]
    ) -> list[Resource[Any]]:
        """Give those that a filter means, and let others have their turn before the next are tried."""
        await sleep(0)
        found = [self._model(resource_type, each) for each in told]
        return found if asked.filter is None else [each for each in found if asked.filter.match(each)]

    def _model(self, resource_type: ResourceType, told: Mapping[str, Any]) -> Resource[Any]:
        model = cast("type[Resource[Any]]", self._provider.model_for(resource_type))
        return model.model_validate(dict(told))


def _read_id(value: str) -> list[UUID]:
    try:
        return [UUID(value)]
    except ValueError:
        return []


def _identity(resource_id: str) -> UUID:
    try:
        return UUID(resource_id)
    except ValueError:
        raise NotFound from None


def _members(told: Mapping[str, Any]) -> list[str]:
    return [str(each["value"]) for each in told.get("members") or () if each.get("value")]


def _wants_members(parameters: ResponseParameters[Any] | None) -> bool:
    if parameters is None:
        return True
    asked = [str(each).lower() for each in parameters.attributes or ()]
    left_out = [str(each).lower() for each in parameters.excluded_attributes or ()]
    return "members" not in left_out and (not asked or any(each.startswith("members") for each in asked))
