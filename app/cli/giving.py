"""What the commands do that would give a right: the first holder of an office, what takes two operators, and else the call to make.

Taking away is one operator's to do at once; giving is a request's. Every one of them is on record with the operating-system user, and
told to the offices that oversee.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final, cast, get_args
from uuid import UUID

import orjson

from app.application import Application
from app.auth.clients import NewClient
from app.auth.errors import AccountNotFound, ClientNotFound, MalformedName, MalformedRedirect, RedirectExists
from app.auth.redirects import is_redirect_uri
from app.auth.repository import Account, Client
from app.auth.roles import Role, are_roles
from app.auth.subject import Tier
from app.cli.session import operator
from app.custody.errors import NotTheOperators, OwnerAnswers, RightByRequest
from app.custody.founding import FOUNDED, Waits, Wanted
from app.disclosure.errors import ApprovalRequired
from app.effects.clients import GIVEN
from app.kit.db import UnitOfWork
from app.permissions.errors import MarkNotFound, PolicyUnreadable
from app.permissions.marks import MarkKind, MarkReason

AT_ONCE: Final = 0
_OPERATOR: Final = "os:"


async def account_of(application: Application, user_name: str) -> Account:
    """Find an account. Raises ``AccountNotFound``."""
    account = await application.accounts.by_user_name(application.database.reader, user_name)
    if account is None:
        raise AccountNotFound
    return account


async def client_of(application: Application, client_id: str) -> Client:
    """Find a client. Raises ``ClientNotFound``."""
    client = await application.clients.by_client_id(application.database.reader, client_id)
    if client is None:
        raise ClientNotFound
    return client


async def second(
    application: Application,
    unit: UnitOfWork,
    kind: str,
    what: str,
    detail: Mapping[str, Any],
    *,
    whom: UUID | None = None,
    wait_days: int = 1,
) -> Waits | None:
    """Ask for the second operator; ``None`` when this is the second, or while the installation is being founded."""
    founding = application.custody.founding
    if await founding.is_founding(unit.session):
        return None
    return await founding.second(
        unit, operator(), Wanted(kind=kind, what=what, detail=detail, whom=whom, wait_days=wait_days)
    )


async def found(application: Application, role: str, user_name: str) -> Account | Waits:
    """Give an office to its first holder, or put down that an office that nobody holds any more is given again."""
    if not are_roles([role]):
        raise MalformedName
    async with application.database.unit_of_work() as unit:
        return await application.custody.founding.found(unit, operator(), Role(role), user_name)


async def narrow(application: Application, user_name: str, tier: str | None, roles: Collection[str] | None) -> None:
    """Leave an account less than it has. Raises ``RightByRequest`` for more, ``MalformedName`` and ``AccountNotFound``."""
    account = await account_of(application, user_name)
    wanted, to = set(account.roles if roles is None else roles), tier or account.tier
    if to not in get_args(Tier) or not are_roles(wanted):
        raise MalformedName
    founding, reader = application.custody.founding, application.database.reader
    if to > account.tier or not wanted <= set(account.roles):
        call, who, who_zh = await founding.call(reader, account, tier=to, roles=wanted)
        vacant = [
            each.value
            for each in sorted(FOUNDED)
            if each in wanted - set(account.roles) and not await founding.holders(reader, each)
        ]
        raise RightByRequest(
            "; ".join((call, *(f"duanhao users found {each} {user_name}" for each in vacant))), who, who_zh
        )
    async with application.database.unit_of_work() as unit:
        told = {"contact_id": str(account.contact_id), "tier": to, "roles": sorted(wanted)}
        await founding.record(unit, operator(), "account.set", told, contact=account.contact_id)
        await application.accounts.set_standing(unit.session, user_name, tier=cast("Tier", to), roles=wanted)


async def add_account(application: Application, user_name: str, contact: UUID) -> Waits | None:
    """Make an account without rights of its own; of somebody who heads a department it takes two operators."""
    async with application.database.unit_of_work() as unit:
        tree = await application.standings.tree()
        detail = {"contact_id": str(contact), "user": application.terms.masked(user_name)}
        if any(contact in node.holders for node in tree.nodes.values()):
            waits = await second(application, unit, "account.create", str(contact), detail)
            if waits is not None:
                return waits
        await application.accounts.add(unit.session, user_name, contact_id=contact)
        told = {"contact_id": str(contact), "tier": "T1", "roles": []}
        await application.custody.founding.record(unit, operator(), "account.create", told, contact=contact)
    return None


async def sign_in_anew(application: Application, unit: UnitOfWork, account: Account, kind: str) -> Waits | None:
    """Ask for a second operator before one gives somebody who decides on others a new way of signing in.

    Whoever founded an office gives its first holder a first password.
    """
    founding = application.custody.founding
    if not await founding.has_power(unit.session, account):
        return None
    if account.password_hash is None and await founding.may_begin(unit.session, account):
        return None
    detail = {"account": str(account.id)}
    return await second(application, unit, kind, str(account.id), detail, whom=account.id, wait_days=AT_ONCE)


async def lift(application: Application, user_name: str, kind: MarkKind) -> Waits | None:
    """Take off a mark that an operator set; one that was edited past us takes two. Raises ``NotTheOperators`` and ``MarkNotFound``."""
    account, now = await account_of(application, user_name), application.clock.now()
    async with application.database.unit_of_work() as unit:
        marks = [each for each in await application.marks.of(unit.session, account.id, now) if each.kind is kind]
        edited = [each for each in marks if each.reason is MarkReason.UNVERIFIED]
        if not marks:
            raise MarkNotFound
        if any(each not in edited and not (each.operator or "").startswith(_OPERATOR) for each in marks):
            raise NotTheOperators
        if edited:
            detail = {"marks": sorted(str(each.id) for each in edited)}
            waits = await second(application, unit, "account.unmark", str(account.id), detail, whom=account.id)
            if waits is not None:
                return waits
        told = {"contact_id": str(account.contact_id), "mark": kind.value}
        await application.custody.founding.record(unit, operator(), "account.unmark", told, contact=account.contact_id)
        await application.marks.end(unit.session, account.id, kind, at=now)
    return None


async def part(application: Application, user_name: str) -> bool | Waits:
    """Say that a card is nobody else's, which lets two accounts decide on each other: two operators."""
    account = await account_of(application, user_name)
    async with application.database.unit_of_work() as unit:
        waits = await second(application, unit, "person.part", str(account.id), {"contact": str(account.contact_id)})
        if waits is not None:
            return waits
        return await application.delegations.persons.part(unit, operator(), account.contact_id)


async def add_client(application: Application, new: NewClient, redirect_uris: Collection[str]) -> str | Waits | None:
    """Make a client and give its secret; after the founding a service account is asked for, and what cannot be asked for takes two."""
    detail: dict[str, Any] = {
        "client_id": new.client_id,
        "scopes": sorted(new.scopes),
        "redirect_uris": sorted(redirect_uris),
        "exchanges": new.exchanges,
    }
    async with application.database.unit_of_work() as unit:
        founding = application.custody.founding
        if not await founding.is_founding(unit.session):
            if new.confidential and not new.exchanges and not redirect_uris and GIVEN.issuperset(new.scopes):
                raise RightByRequest(_client_call(new))
            whole = {**detail, "name": new.name, "ceiling": new.ceiling, "confidential": new.confidential}
            waits = await second(application, unit, "client.create", new.client_id, whole)
            if waits is not None:
                return waits
        await founding.record(unit, operator(), "client.create", detail)
        made = await application.clients.add(unit.session, new)
        await application.sign_in.redirects.add(unit.session, new.client_id, redirect_uris, at=application.clock.now())
        return made.secret


async def rotate_secret(application: Application, client_id: str) -> str | Waits:
    """Give a client that nobody answers for another secret: two operators. Raises ``OwnerAnswers`` and ``ClientNotFound``."""
    client = await client_of(application, client_id)
    if client.owner is not None:
        raise OwnerAnswers(client_id)
    async with application.database.unit_of_work() as unit:
        detail = {"client_id": client_id}
        waits = await second(application, unit, "client.rotate_secret", client_id, detail, wait_days=AT_ONCE)
        if waits is not None:
            return waits
        await application.custody.founding.record(unit, operator(), "client.rotate_secret", detail)
        return (await application.clients.rotate_secret(unit.session, client_id)).secret or ""


async def let_exchange(application: Application, client_id: str, *, allow: bool) -> Waits | None:
    """Let a back end act for people, by two operators; or no longer, by one."""
    await client_of(application, client_id)
    async with application.database.unit_of_work() as unit:
        detail = {"client_id": client_id, "allowed": allow}
        if allow:
            waits = await second(application, unit, "client.exchange", client_id, detail)
            if waits is not None:
                return waits
        await application.custody.founding.record(unit, operator(), "client.exchange", detail)
        await application.clients.let_exchange(unit.session, client_id, allowed=allow)
    return None


async def redirect(application: Application, client_id: str, add: list[str], remove: list[str]) -> Waits | None:
    """Register where people come back to, by two operators; take such places back, by one."""
    await client_of(application, client_id)
    if not add and not remove:
        return None
    async with application.database.unit_of_work() as unit:
        detail = {"client_id": client_id, "added": sorted(add), "removed": sorted(remove)}
        redirects = application.sign_in.redirects
        if add:
            if not all(map(is_redirect_uri, add)):
                raise MalformedRedirect
            if not set(add).isdisjoint(await redirects.of(unit.session, client_id)):
                raise RedirectExists
            waits = await second(application, unit, "client.redirect_uris", client_id, detail)
            if waits is not None:
                return waits
        await application.custody.founding.record(unit, operator(), "client.redirect_uris", detail)
        for uri in remove:
            await redirects.remove(unit.session, client_id, uri)
        await redirects.add(unit.session, client_id, add, at=application.clock.now())
    return None


async def mint(application: Application, unit: UnitOfWork, name: str, reason: str) -> Waits | None:
    """Ask for the second operator before one makes a token of a system in production; elsewhere tokens are for trying things out.

    What can be minted at all is refused first (``TokenService.mint``).
    """
    if (
        application.settings.env != "production"
        or not reason
        or await application.clients.by_client_id(unit.session, name) is None
    ):
        return None
    what, detail = application.terms.masked(name), {"client": name, "reason": reason}
    return await second(application, unit, "token.mint", what[:64], detail, wait_days=AT_ONCE)


async def activate(application: Application, unit: UnitOfWork, detail: Mapping[str, Any]) -> Waits | None:
    """Ask for the second operator before a pack is put in force where none can be read; in development nobody is asked.

    Raises ``ApprovalRequired`` in production while a pack can be read: an approved request puts packs in force there.
    """
    if application.settings.env != "production":
        return None
    try:
        await application.policy.service.versions.in_force(unit.session)
    except PolicyUnreadable:
        return await second(application, unit, "policy.activate", "pack", detail, wait_days=AT_ONCE)
    raise ApprovalRequired(request_kind="policy.change")


def _client_call(new: NewClient) -> str:
    form = {"name": new.name, "scopes": sorted(new.scopes), "ceiling": new.ceiling or "C2"}
    body = {"kind": "client.register", "subject": {"type": "client", "id": new.client_id}, "form": form}
    return f"POST /v1/requests {orjson.dumps(body).decode()}"


def waiting(waits: Waits) -> str:
    """Say that another operator has to do it, and when."""
    times = f"{waits.ready_at:%Y-%m-%dT%H:%M:%SZ} – {waits.until:%Y-%m-%dT%H:%M:%SZ}"
    return f"put down and told; another operator runs the same command · 已登记并通知，须由另一名运维人员执行同一命令: {times}"
