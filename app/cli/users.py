"""``users``: the accounts of people."""

from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import Annotated, TypeVar
from uuid import UUID

import typer

W = TypeVar("W", bound=StrEnum)

app = typer.Typer(no_args_is_help=True, help="Accounts of people. 人员账号。")
Name = Annotated[str, typer.Argument(help="User name.")]
Kind = Annotated[str, typer.Argument(help="untrained, suspended or overdue_return.")]


@app.command()
def add(
    user_name: Name,
    contact: Annotated[UUID, typer.Option(help="The contact that it is bound to.")],
    tier: Annotated[str, typer.Option(help="T0 to T5.")] = "T1",
    role: Annotated[list[str], typer.Option("--role", help="A role; repeat for more.")] = [],  # noqa: B006 — typer copies it
) -> None:
    """Make an account bound to a contact. 新建账号并绑定联系人。"""
    from typing import cast

    from app.application import Application
    from app.auth.subject import Tier
    from app.cli.session import on_record, run

    async def work(application: Application) -> None:
        async with on_record(
            application, "account.create", {"contact_id": str(contact), "tier": tier, "roles": sorted(role)}
        ) as unit:
            await application.accounts.add(
                unit.session, user_name, contact_id=contact, tier=cast("Tier", tier), roles=role
            )

    run(work)


@app.command()
def disable(user_name: Name) -> None:
    """End an account at once; its tokens are dead. 停用账号。"""
    from app.application import Application
    from app.cli.session import on_record, operator, run

    async def work(application: Application) -> None:
        async with on_record(application, "account.disable", {"subject": application.terms.masked(user_name)}) as unit:
            ended = await application.accounts.disable(unit.session, user_name)
            if ended.contact_id is not None:
                await application.delegations.service.end_all(
                    unit, operator(), contact_id=ended.contact_id, cause="suspended"
                )

    run(work)


@app.command("set-password")
def set_password(
    user_name: Name,
    *,
    prompt: Annotated[bool, typer.Option("--prompt", help="Type one instead of having one made.")] = False,
) -> None:
    """Give an account a first password, printed this once; its person has to change it at the next sign-in. 设置初始密码。"""
    from app.application import Application
    from app.cli.session import on_record, run

    typed = typer.prompt("Password · 密码", hide_input=True, confirmation_prompt=True) if prompt else None

    async def work(application: Application) -> str:
        passwords = application.sign_in.passwords
        account, chosen, hashed = await passwords.give(application.database.reader, user_name, typed)
        detail = {"subject": application.terms.masked(account.user_name), "generated": typed is None}
        async with on_record(application, "account.set_password", detail) as unit:
            await passwords.put(unit.session, account, hashed, temporary=True)
        return chosen

    chosen = run(work)
    if typed is None:
        typer.echo(chosen)


@app.command("reset-totp")
def reset_totp(user_name: Name) -> None:
    """Take away the one-time codes of somebody who has lost the device. 重置动态验证码。"""
    from app.application import Application
    from app.cli.session import on_record, run

    async def work(application: Application) -> None:
        detail = {"subject": application.terms.masked(user_name)}
        async with on_record(application, "account.reset_totp", detail) as unit:
            await application.sign_in.remove_codes(unit.session, user_name)

    run(work)


@app.command("set")
def set_standing(
    user_name: Name,
    tier: Annotated[str | None, typer.Option(help="T0 to T5; left out: as it is.")] = None,
    roles: Annotated[
        str | None, typer.Option(help="All roles, with commas; empty: none; left out: as they are.")
    ] = None,
) -> None:
    """Give an account another tier or other roles; its tokens are dead. 设置级别与角色。"""
    from typing import cast

    from app.application import Application
    from app.auth.errors import AccountNotFound
    from app.auth.subject import Tier
    from app.cli.session import on_record, run

    async def work(application: Application) -> None:
        account = await application.accounts.by_user_name(application.database.reader, user_name)
        if account is None:
            raise AccountNotFound
        wanted = account.roles if roles is None else tuple(each.strip() for each in roles.split(",") if each.strip())
        detail = {"contact_id": _id(account.contact_id), "tier": tier or account.tier, "roles": sorted(wanted)}
        async with on_record(application, "account.set", detail) as unit:
            await application.accounts.set_standing(
                unit.session, user_name, tier=cast("Tier", tier or account.tier), roles=wanted
            )

    run(work)


@app.command()
def mark(
    user_name: Name,
    kind: Kind,
    reason: Annotated[
        str,
        typer.Option(
            help="untrained: not_trained, training_expired; suspended: investigation, misuse, leave, own_request, not_recertified; "
            "overdue_return: not_returned."
        ),
    ],
    until: Annotated[
        str | None,
        typer.Option(
            help="When it ends by itself: a day (its beginning) or a time; by the company's clock unless it has an offset."
        ),
    ] = None,
) -> None:
    """Cap what a person sees, at once, until a time or until it is taken off. 设置标记，限制可见范围。"""
    from app.application import Application
    from app.auth.errors import AccountNotFound
    from app.cli.session import on_record, operator, run
    from app.permissions.marks import MarkKind, MarkReason

    async def work(application: Application) -> None:
        account = await application.accounts.by_user_name(application.database.reader, user_name)
        if account is None:
            raise AccountNotFound
        what, why = _word(MarkKind, kind), _word(MarkReason, reason)
        ends_at = _moment(until, application.settings.numbers.utc_offset_minutes)
        detail = {"contact_id": _id(account.contact_id), "mark": what.value, "reason": why.value}
        async with on_record(application, "account.mark", {**detail, **({"until": until} if until else {})}) as unit:
            await application.marks.add(
                unit.session,
                account.id,
                what,
                why,
                at=application.clock.now(),
                until=ends_at,
                operator=operator().id,
            )

    run(work)


@app.command()
def unmark(user_name: Name, kind: Kind) -> None:
    """Take a mark off a person. 取消标记。"""
    from app.application import Application
    from app.auth.errors import AccountNotFound
    from app.cli.session import on_record, run
    from app.permissions.marks import MarkKind

    async def work(application: Application) -> None:
        account = await application.accounts.by_user_name(application.database.reader, user_name)
        if account is None:
            raise AccountNotFound
        what = _word(MarkKind, kind)
        detail = {"contact_id": _id(account.contact_id), "mark": what.value}
        async with on_record(application, "account.unmark", detail) as unit:
            await application.marks.end(unit.session, account.id, what, at=application.clock.now())

    run(work)


@app.command("same-person")
def same_person(
    user_name: Name, other: Annotated[str, typer.Argument(help="User name of the person's other account.")]
) -> None:
    """Say that two accounts are one natural person, who then never approves on one what the other filed. 登记为同一自然人。"""
    from app.application import Application
    from app.auth.errors import AccountNotFound
    from app.cli.session import operator, run

    async def work(application: Application) -> int:
        reader = application.database.reader
        accounts = [await application.accounts.by_user_name(reader, each) for each in (user_name, other)]
        one, two = (None if each is None else each.contact_id for each in accounts)
        if None in accounts:
            raise AccountNotFound
        async with application.database.unit_of_work() as unit:
            return len(await application.delegations.persons.join(unit, operator(), one, two))

    typer.echo(f"{run(work)} cards of one person · 同一自然人的联系人数")


@app.command("distinct-person")
def distinct_person(user_name: Name) -> None:
    """Say that an account is nobody else's, though it was said before. 撤销同一自然人登记。"""
    from app.application import Application
    from app.auth.errors import AccountNotFound
    from app.cli.session import operator, run

    async def work(application: Application) -> bool:
        account = await application.accounts.by_user_name(application.database.reader, user_name)
        if account is None:
            raise AccountNotFound
        async with application.database.unit_of_work() as unit:
            return await application.delegations.persons.part(unit, operator(), account.contact_id)

    typer.echo("parted · 已撤销" if run(work) else "nothing to part · 无登记")


def _word(words: type[W], text: str) -> W:
    """Read a word of a closed list."""
    try:
        return words(text)
    except ValueError as error:
        message = f"{text!r} is none of {', '.join(words)}"
        raise typer.BadParameter(message) from error


def _moment(text: str | None, utc_offset: int) -> datetime | None:
    """Read a day or a time, by the company's clock unless it says its own."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time: write 2026-12-01 or 2026-12-01T18:00"
        raise typer.BadParameter(message) from error
    return given if given.tzinfo else given.replace(tzinfo=timezone(timedelta(minutes=utc_offset)))


def _id(contact: UUID | None) -> str | None:
    return None if contact is None else str(contact)
