"""Who holds which role, and which tiers there are. Every answer is a look at the people whom it names, on record before it leaves."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import orjson

from app.api.standing_views import HolderPage, HoldersQuery, RoleList, TierList
from app.auth.accounts import UserAccounts
from app.auth.roles import BUSINESS, Role, held
from app.auth.scopes import ROLE_SCOPES
from app.contacts.rights import CurrentRights, seek
from app.departments.tree import Tree
from app.disclosure.acquaintances import Acquaintances, oversees
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.db import Reader
from app.kit.pagination import Cursors
from app.permissions.outcomes import ROLES, Purpose
from app.permissions.standing import Viewer

TIERS: Final[Mapping[str, tuple[str, str]]] = {
    "T0": ("外部人员或无授权", "Outside, or without any grant"),
    "T1": ("员工", "Employee"),
    "T2": ("部门负责人", "Head of a department"),
    "T3": ("业务范围：销售、生产、客服、安全", "Business scope: sales, production, customer service, safety"),
    "T4": ("通讯录管理与人事", "Stewards of the directory, and HR"),
    "T5": ("信息安全与审计：可查询全员，仅见脱敏值", "Security and audit: may query all, sees masked values"),
}
"""Every tier in both languages: the ceiling that a position gives, below which the policy decides."""

_FIRST: Final = 20
_PURPOSE: Final = Purpose.WORK_CONTACT


class RoleReader:
    """Shows roles and tiers to a viewer."""

    def __init__(
        self,
        *,
        accounts: UserAccounts,
        reader: Reader,
        people: Acquaintances,
        gate: Gate,
        rights: CurrentRights,
        cursors: Cursors,
    ) -> None:
        """Take the accounts, whom viewers may know, the gate, the rights of now and the key of cursors."""
        self._accounts, self._reader, self._people = accounts, reader, people
        self._gate, self._rights, self._cursors = gate, rights, cursors

    async def roles(self, viewer: Viewer) -> Disclosed[RoleList]:
        """List every role with the first of those who hold it."""
        seek("role.list", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[RoleList]:
            holding = await self._holding(viewer.tree)
            known = await self._people.known(viewer, (each for holders in holding.values() for each in holders))
            items, named = [], dict[UUID, None]()
            for role in Role:
                holders = [each for each in holding.get(role, ()) if each in known]
                named.update(dict.fromkeys(holders[:_FIRST]))
                items.append(
                    {
                        "role": role.value,
                        "zh": ROLES[role][0],
                        "en": ROLES[role][1],
                        "held": held(role),
                        "business": role in BUSINESS,
                        "scopes": sorted(ROLE_SCOPES.get(role, ())),
                        "own": _has(viewer, role),
                        "holder_count": None if role is Role.EMPLOYEE else len(holders),
                        "holders": [known[each] for each in holders[:_FIRST]],
                    }
                )
            look = Look(action="role.list", purpose=_PURPOSE)
            note = await self._gate.disclose_plain(viewer, look, count=len(named), contacts=sorted(named))
            return Disclosed(orjson.dumps({"items": items, "next": None, "disclosure": orjson.Fragment(note)}))

        return await self._rights.of(viewer, attempt)

    async def holders(self, viewer: Viewer, role: Role, query: HoldersQuery) -> Disclosed[HolderPage]:
        """List who holds a role, a page at a time; ``employee`` is everybody and lists nobody."""
        seek("role.read", _PURPOSE)
        shape = {"role": role.value}
        after = None if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[HolderPage]:
            holders = (await self._holding(viewer.tree)).get(role, ())[after or 0 :]
            page, following = holders[: query.limit], None
            if len(holders) > query.limit:
                following = self._cursors.seal(viewer.caller, shape, (after or 0) + query.limit)
            known = await self._people.known(viewer, page)
            look = Look(action="role.read", purpose=_PURPOSE, query=shape)
            note = await self._gate.disclose_plain(viewer, look, count=len(known), contacts=sorted(known))
            body = {"items": list(known.values()), "next": following, "disclosure": orjson.Fragment(note)}
            return Disclosed(orjson.dumps(body))

        return await self._rights.of(viewer, attempt)

    async def tiers(self, viewer: Viewer) -> Disclosed[TierList]:
        """List every tier; to overseers, how many people are of it."""
        seek("tier.list", _PURPOSE)

        async def attempt(viewer: Viewer) -> Disclosed[TierList]:
            counts = await self._counted(viewer.tree) if oversees(viewer) else {}
            items = [
                {
                    "tier": tier,
                    "zh": chinese,
                    "en": english,
                    "own": viewer.standing.kind == "person" and viewer.standing.tier.value == tier,
                    "holder_count": None if tier == "T1" or not oversees(viewer) else counts.get(tier, 0),
                }
                for tier, (chinese, english) in TIERS.items()
            ]
            look = Look(action="tier.list", purpose=_PURPOSE)
            note = await self._gate.disclose_plain(viewer, look, count=sum(counts.values()))
            return Disclosed(orjson.dumps({"items": items, "next": None, "disclosure": orjson.Fragment(note)}))

        return await self._rights.of(viewer, attempt)

    async def _holding(self, tree: Tree) -> dict[str, tuple[UUID, ...]]:
        """Give the contacts who hold each role: those whom it was given to, by account name, then those whom a position brings it."""
        found: dict[str, dict[UUID, None]] = {}
        for account in await self._accounts.set_apart(self._reader):
            if account.contact_id is not None:
                for role in account.roles:
                    found.setdefault(role, {})[account.contact_id] = None
        heads = [node.head_id for node in tree.nodes.values() if node.head_id is not None]
        found.setdefault(Role.DEPT_HEAD.value, {}).update(dict.fromkeys(sorted(heads)))
        return {role: tuple(holders) for role, holders in found.items()}

    async def _counted(self, tree: Tree) -> dict[str, int]:
        """Count the people of each tier that is not everybody's; who heads a department is of T2 at least."""
        tiers = {each.contact_id: each.tier for each in await self._accounts.set_apart(self._reader) if each.contact_id}
        for head in {node.head_id for node in tree.nodes.values() if node.head_id is not None}:
            if tiers.get(head, "T1") in {"T0", "T1"}:
                tiers[head] = "T2"
        return {tier: sum(each == tier for each in tiers.values()) for tier in TIERS if tier != "T1"}


def _has(viewer: Viewer, role: Role) -> bool:
    return role in viewer.standing.roles or (role is Role.EMPLOYEE and viewer.standing.kind == "person")
