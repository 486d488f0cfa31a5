"""The caller: the own card, as the gate shows it, and the standing under which everything is decided for them."""

from typing import Any
from uuid import UUID

import orjson

from app.audit.repository import AccessLogRepository
from app.contacts.notices import Notices
from app.contacts.own_schemas import MeView
from app.contacts.record import department_view
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights, own_contact, seek
from app.disclosure.gate import Gate
from app.disclosure.looks import Look
from app.disclosure.view import Disclosed
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.dependencies import names_version
from app.permissions.marks import MarkRepository
from app.permissions.outcomes import STATE_OF, Purpose
from app.permissions.plan import GrantScope, LiveGrant
from app.permissions.quotas import Quotas
from app.permissions.standing import Viewer


class OwnCard:
    """Shows callers themselves."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        gate: Gate,
        rights: CurrentRights,
        marks: MarkRepository,
        quotas: Quotas,
        events: AccessLogRepository,
        reader: Reader,
        notices: Notices,
        clock: Clock,
    ) -> None:
        """Take the rows, the gate and the rights of now; marks, quotas and the log that counts them; the store, notices, and the clock."""
        self._repository, self._gate, self._rights, self._notices = repository, gate, rights, notices
        self._marks, self._quotas, self._events, self._reader, self._clock = marks, quotas, events, reader, clock

    async def read(self, viewer: Viewer, purpose: Purpose, *, known: str | None = None) -> Disclosed[MeView]:
        """Show card and standing; 304 when ``known`` (``If-None-Match``) names both. Raises ``NoContact`` and ``LogUnavailable``."""
        seek("me.read", purpose, own_contact(viewer))

        async def attempt(viewer: Viewer) -> Disclosed[MeView]:
            record = await self._repository.by_id(own_contact(viewer), viewer.tree)
            opened = await self._gate.disclose_one(viewer, record, Look(action="me.read", purpose=purpose))
            ((_, card, card_version),) = opened.cards
            told = {
                **_standing(viewer, purpose),
                "marks": await self._marked(viewer),
                "quotas": await self._used(viewer),
            }
            standing = orjson.dumps(told, option=orjson.OPT_UTC_Z)
            notice = orjson.dumps(await self._notices.told(own_contact(viewer)), option=orjson.OPT_UTC_Z)
            version = self._gate.version(card + standing + notice)
            if known is not None and names_version(known, version):
                return Disclosed(b"", etag=version, status_code=304)
            body = b'{"card":%b,"version":"%b"},"standing":%b,"privacy_notice":%b,"version":"%b","disclosure":%b}' % (
                card[:-1],
                card_version.encode(),
                standing,
                notice,
                version.encode(),
                opened.note,
            )
            return Disclosed(body, etag=version)

        return await self._rights.of(viewer, attempt)

    async def _marked(self, viewer: Viewer) -> list[dict[str, Any]]:
        account = viewer.standing.user_id
        marks = [] if account is None else await self._marks.of(self._reader, account, self._clock.now())
        return [
            {
                "kind": mark.kind.value,
                "reason": mark.reason.value,
                "starts_at": mark.starts_at,
                "ends_at": mark.ends_at,
            }
            for mark in marks
        ]

    async def _used(self, viewer: Viewer) -> list[dict[str, Any]]:
        day = self._quotas.today()
        used = await self._events.used(viewer.standing.actor_id, day.text)
        return [
            {
                "kind": kind,
                "limit": limit,
                "used": used.get(kind, 0),
                "left": max(0, limit - used.get(kind, 0)),
                "resets_at": day.over_at,
            }
            for kind, limit in self._quotas.limits(viewer.standing).items()
        ]


def _standing(viewer: Viewer, purpose: Purpose) -> dict[str, Any]:
    standing = viewer.standing
    return {
        "tier": standing.tier.value,
        "roles": sorted(standing.roles),
        "departments": _departments(viewer, standing.departments),
        "headed": _departments(viewer, standing.headed),
        "client_id": standing.client_id,
        "ceiling": None if standing.ceiling is None else standing.ceiling.value,
        "scopes": sorted(standing.scopes),
        "step_up": standing.step_up,
        "grants": [_grant(viewer, each) for each in sorted(standing.grants, key=lambda each: (each.ends_at, each.id))],
        "policy_version": viewer.plan(purpose).pack_label,
    }


def _departments(viewer: Viewer, identities: frozenset[UUID]) -> list[Any]:
    known = [identity for identity in identities if identity in viewer.tree.nodes]
    return [
        department_view(identity, viewer.tree)
        for identity in sorted(known, key=lambda each: viewer.tree.nodes[each].code)
    ]


def _scope(viewer: Viewer, scope: GrantScope) -> dict[str, Any]:
    department = UUID(scope.value) if scope.kind in {"department", "subtree"} else None
    return {
        "scope": {"kind": scope.kind, "value": scope.value or None},
        "contact": scope.value if scope.kind == "contact" else None,
        "department": department_view(department, viewer.tree),
    }


def _grant(viewer: Viewer, grant: LiveGrant) -> dict[str, Any]:
    return {
        "id": grant.id,
        **_scope(viewer, grant.scope),
        "fields": sorted(grant.fields),
        "state": STATE_OF[grant.outcome].value,
        "purpose": grant.purpose.value,
        "starts_at": grant.starts_at,
        "ends_at": grant.ends_at,
    }
