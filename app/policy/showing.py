"""The policy as callers are shown it. The pack in force is everybody's; who wrote and activated what is for those who govern it.

Rules are nobody's data, so the pack in force needs no permit; lists of versions and activations name people, and are looks on record.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson

from app.audit.errors import EpochMoved
from app.auth.scopes import VOCABULARY
from app.disclosure.looks import Look
from app.disclosure.showing import Showing
from app.disclosure.view import Disclosed
from app.kit.context import current_request
from app.kit.errors import NotFound
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose, Tier
from app.permissions.standing import Viewer
from app.permissions.versions import Activation, Version, VersionRepository
from app.policy.checking import Remark, remarks
from app.policy.schemas import ActivationPage, PageQuery, SimulationView, VersionPage, VersionView
from app.policy.simulation_repository import SimulationRepository
from app.policy.views import activation_item, policy_view, remark_view, rule_view, simulation_view, version_item

_T = TypeVar("_T")
AUTHORS: Final = frozenset({"committee", "infosec", "system_admin"})
"""Roles that propose packs and try them (design/policy.md "Roles"); an auditor looks and changes nothing."""
READERS: Final = AUTHORS | {"auditor"}

_LAST: Final = UUID(int=(1 << 128) - 1)
_NEVER: Final = (1 << 31) - 1
_PURPOSE: Final = Purpose.WORK_CONTACT


def admit_author(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` for everybody who does not propose packs; a service account is nobody who answers for one."""
    if viewer.standing.kind != "person" or viewer.standing.roles.isdisjoint(AUTHORS):
        raise NotPermitted


def admit_reader(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` for everybody whom who governs the policy does not concern: all but T5 and ``READERS``."""
    standing = viewer.standing
    if standing.kind != "person" or (standing.tier is not Tier.T5 and standing.roles.isdisjoint(READERS)):
        raise NotPermitted


class PolicyReader:
    """Shows the pack in force, versions and activations."""

    def __init__(
        self,
        showing: Showing,
        *,
        versions: VersionRepository,
        simulations: SimulationRepository,
        classes: Mapping[str, FieldClass],
    ) -> None:
        """Take what desks share, the rows, and the class of every field."""
        self._gate, self._standings, self._cursors = showing.gate, showing.standings, showing.cursors
        self._reader, self._classes = showing.reader, classes
        self._versions, self._simulations = versions, simulations

    async def in_force(self) -> bytes:
        """Show the pack in force to anybody who may read contacts. Raises ``PolicyUnreadable``."""
        activation, version = await self._versions.in_force(self._reader)
        return orjson.dumps(policy_view(activation, version, version.pack()))

    async def versions(self, viewer: Viewer, query: PageQuery) -> Disclosed[VersionPage]:
        """List versions, newest first. Raises ``NotPermitted``."""
        before = _LAST if query.cursor is None else UUID(self._cursors.open(viewer.caller, "policy", query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[VersionPage]:
            rows = await self._versions.page(self._reader, before=before, limit=query.limit + 1)
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, "policy", str(page[-1].id))
            items = [version_item(each, await self.state(each)) for each in page]
            return Disclosed(await self._noted(viewer, "policy.versions", {"items": items, "next": following}))

        return await self._for_readers(viewer, "policy.versions", attempt)

    async def version(self, viewer: Viewer, identity: UUID) -> Disclosed[VersionView]:
        """Show one version. Raises ``NotPermitted``, ``NotFound`` and ``PolicyUnreadable``."""

        async def attempt(viewer: Viewer) -> Disclosed[VersionView]:
            version = await self._versions.by_id(self._reader, identity)
            if version is None:
                raise NotFound
            pack = version.pack()
            body = {
                **version_item(version, await self.state(version)),
                "zh": pack.zh,
                "en": pack.en,
                "rules": [rule_view(rule) for rule in pack.rules],
                "tests": len(pack.tests),
                "remarks": [remark_view(each) for each in remarks(pack, scopes=VOCABULARY, classes=self._classes)],
                "source": version.source,
            }
            return Disclosed(await self._noted(viewer, "policy.version", body, version=version.label))

        return await self._for_readers(viewer, "policy.version", attempt)

    async def activations(self, viewer: Viewer, query: PageQuery) -> Disclosed[ActivationPage]:
        """List entries into force, newest first. Raises ``NotPermitted``."""
        shape = "policy activations"
        before = _NEVER if query.cursor is None else int(self._cursors.open(viewer.caller, shape, query.cursor))

        async def attempt(viewer: Viewer) -> Disclosed[ActivationPage]:
            rows = await self._versions.activations(self._reader, before=before, limit=query.limit + 1)
            page, following = rows[: query.limit], None
            if len(rows) > query.limit:
                following = self._cursors.seal(viewer.caller, shape, page[-1].seq)
            body = {"items": [activation_item(each) for each in page], "next": following}
            return Disclosed(await self._noted(viewer, "policy.activations", body))

        return await self._for_readers(viewer, "policy.activations", attempt)

    async def simulation(self, viewer: Viewer, identity: UUID) -> Disclosed[SimulationView]:
        """Show one simulation. Raises ``NotPermitted`` and ``NotFound``."""

        async def attempt(viewer: Viewer) -> Disclosed[SimulationView]:
            simulation = await self._simulations.by_id(self._reader, identity)
            if simulation is None:
                raise NotFound
            _, version = await self._versions.in_force(self._reader)
            body = simulation_view(simulation, current=version.digest == simulation.base_digest)
            return Disclosed(await self._noted(viewer, "policy.simulation", body, simulation=str(identity)))

        return await self._for_readers(viewer, "policy.simulation", attempt)

    async def state(self, version: Version) -> str:
        """Tell whether a version is in force, was once, or never."""
        newest: Activation | None = await self._versions.newest(self._reader)
        if newest is not None and newest.version_id == version.id:
            return "in_force"
        return "past" if await self._versions.was_active(self._reader, version.id) else "candidate"

    def remarks(self, version: Version) -> tuple[Remark, ...]:
        """Find what can never matter in a version."""
        return remarks(version.pack(), scopes=VOCABULARY, classes=self._classes)

    async def _noted(self, viewer: Viewer, action: str, body: dict[str, Any], **query: str) -> bytes:
        count = len(body["items"]) if "items" in body else 1
        look = Look(action=action, purpose=_PURPOSE, query=query or None)
        note = await self._gate.disclose_plain(viewer, look, count=count)
        return orjson.dumps({**body, "disclosure": orjson.Fragment(note)})

    async def _for_readers(self, viewer: Viewer, action: str, attempt: Callable[[Viewer], Awaitable[_T]]) -> _T:
        context = current_request()
        if context is not None:
            context.action = action
        try:
            admit_reader(viewer)
            return await attempt(viewer)
        except (EpochMoved, NotPermitted, NotFound):
            viewer = await self._standings.of(viewer.subject, fresh=True)
            admit_reader(viewer)
            return await attempt(viewer)
