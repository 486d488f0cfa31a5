"""``users``: the accounts of people."""

from datetime import datetime, timedelta, timezone
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from uuid import UUID

import typer

if TYPE_CHECKING:
    from app.custody.founding import Waits

W = TypeVar("W", bound=StrEnum)

app = typer.Typer(no_args_is_help=True, help="Accounts of people. 人员账号。")
_OFFICES: Final = ("administration", "directory_steward", "executive", "infosec", "it", "system_admin")
Name = Annotated[str, typer.Argument(help="User name.")]
Kind = Annotated[str, typer.Argument(help="untrained, suspended or overdue_return.")]


@app.command()
def add(user_name: Name, contact: Annotated[UUID, typer.Option(help="The contact that it is bound to.")]) -> None:
    """Make an account bound to a contact: tier T1, no roles; of who heads a department, by two operators. 新建账号并绑定联系人。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> Waits | None:
        return await giving.add_account(application, user_name, contact)

    _unless_waiting(run(work))


@app.command()
def found(role: Annotated[str, typer.Argument(help=f"One of {', '.join(_OFFICES)}.")], user_name: Name) -> None:
    """Give an office that nobody ever held to its first holder; one that everybody has left, by two operators. 初始授予职务。

    Every other right comes of an approved request. A second operator runs the same command from the end of the next working day on; all
    heads of departments and the offices that oversee are told when the first one does. Exit codes: 0 given, 1 put down, 2 refused.
    """
    from app.application import Application
    from app.auth.repository import Account
    from app.cli import giving
    from app.cli.session import login, run
    from app.custody.founding import Waits

    async def work(application: Application) -> Account | Waits:
        return await giving.found(application, role, user_name)

    given = run(work)
    _unless_waiting(given if isinstance(given, Waits) else None)
    said = f"{role} was given without a request, by {login()}, and all who oversee are told · 已由 {login()} 未经审批授予并通知监督人员"
    typer.echo(said, err=True)


@app.command()
def disable(user_name: Name) -> None:
    """End an account at once; its tokens are dead. 停用账号。"""
    from app.application import Application
    from app.cli.session import operator, run

    async def work(application: Application) -> None:
        async with application.database.unit_of_work() as unit:
            ended = await application.accounts.disable(unit.session, user_name)
            told = {"subject": application.terms.masked(user_name)}
            await application.custody.founding.record(
                unit, operator(), "account.disable", told, contact=ended.contact_id
            )
            if ended.contact_id is not None:
                await application.custody.parting.end_all(
                    unit, operator(), contact_id=ended.contact_id, cause="suspended"
                )

    run(work)


@app.command("set-password")
def set_password(
    user_name: Name,
    *,
    prompt: Annotated[bool, typer.Option("--prompt", help="Type one instead of having one made.")] = False,
) -> None:
    """Give an account a first password, printed this once; its person has to change it at the next sign-in. 设置初始密码。

    Of who decides on others (roles, tiers above T1, heads) it takes two operators, the second of whom is shown the password.
    """
    from app.application import Application
    from app.cli import giving
    from app.cli.session import operator, run
    from app.custody.founding import Waits

    typed = typer.prompt("Password · 密码", hide_input=True, confirmation_prompt=True) if prompt else None

    async def work(application: Application) -> str | Waits:
        passwords = application.sign_in.passwords
        account, chosen, hashed = await passwords.give(application.database.reader, user_name, typed)
        async with application.database.unit_of_work() as unit:
            waits = await giving.sign_in_anew(application, unit, account, "account.set_password")
            if waits is not None:
                return waits
            told = {"subject": application.terms.masked(account.user_name), "generated": typed is None}
            await application.custody.founding.record(
                unit, operator(), "account.set_password", told, contact=account.contact_id
            )
            await passwords.put(unit.session, account, hashed, temporary=True)
        return chosen

    chosen = run(work)
    if isinstance(chosen, Waits):
        _unless_waiting(chosen)
    elif typed is None:
        typer.echo(chosen)


@app.command("reset-totp")
def reset_totp(user_name: Name) -> None:
    """Take away the one-time codes of somebody who has lost the device; of who decides on others, by two operators. 重置动态验证码。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import operator, run
    from app.custody.founding import Waits

    async def work(application: Application) -> Waits | None:
        account = await giving.account_of(application, user_name)
        async with application.database.unit_of_work() as unit:
            waits = await giving.sign_in_anew(application, unit, account, "account.reset_totp")
            if waits is None:
                told = {"subject": application.terms.masked(user_name)}
                await application.custody.founding.record(
                    unit, operator(), "account.reset_totp", told, contact=account.contact_id
                )
                await application.sign_in.remove_codes(unit.session, user_name)
            return waits

    _unless_waiting(run(work))


@app.command("set")
def set_standing(
    user_name: Name,
    tier: Annotated[str | None, typer.Option(help="T0 to T5; left out: as it is.")] = None,
    roles: Annotated[
        str | None, typer.Option(help="All roles that stay, with commas; empty: none; left out: as they are.")
    ] = None,
) -> None:
    """Leave an account a lower tier or fewer roles, at once; its tokens are dead. More is asked for by request. 降低级别或减少角色。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run

    left = None if roles is None else tuple(each.strip() for each in roles.split(",") if each.strip())

    async def work(application: Application) -> None:
        await giving.narrow(application, user_name, tier, left)

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
    from app.cli.session import operator, run
    from app.permissions.marks import MarkKind, MarkReason

    async def work(application: Application) -> None:
        account = await application.accounts.by_user_name(application.database.reader, user_name)
        if account is None:
            raise AccountNotFound
        what, why = _word(MarkKind, kind), _word(MarkReason, reason)
        ends_at = _moment(until, application.settings.numbers.utc_offset_minutes)
        detail = {"contact_id": _id(account.contact_id), "mark": what.value, "reason": why.value}
        told = {**detail, **({"until": until} if until else {})}
        async with application.database.unit_of_work() as unit:
            await application.custody.founding.record(
                unit, operator(), "account.mark", told, contact=account.contact_id
            )
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
    """Take a mark off a person that an operator set; one that the service set goes when what it waits for is done. 取消标记。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits
    from app.permissions.marks import MarkKind

    async def work(application: Application) -> Waits | None:
        return await giving.lift(application, user_name, _word(MarkKind, kind))

    _unless_waiting(run(work))


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
    """Say that an account is nobody else's, though it was said before; by two operators. 撤销同一自然人登记。"""
    from app.application import Application
    from app.cli import giving
    from app.cli.session import run
    from app.custody.founding import Waits

    async def work(application: Application) -> bool | Waits:
        return await giving.part(application, user_name)

    parted = run(work)
    if isinstance(parted, Waits):
        _unless_waiting(parted)
    typer.echo("parted · 已撤销" if parted else "nothing to part · 无登记")


def _unless_waiting(waits: "Waits | None") -> None:
    """End the command with exit code 1 when another operator has to do it."""
    from app.cli.giving import waiting

    if waits is not None:
        typer.echo(waiting(waits), err=True)
        raise typer.Exit(1)


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
