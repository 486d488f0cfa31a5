"""``users``: the accounts of people."""

from typing import Annotated
from uuid import UUID

import typer

app = typer.Typer(no_args_is_help=True, help="Accounts of people. 人员账号。")
Name = Annotated[str, typer.Argument(help="User name.")]


@app.command()
def add(
    user_name: Name,
    contact: Annotated[UUID, typer.Option(help="The contact that it is bound to.")],
    tier: Annotated[str, typer.Option(help="T0 to T5.")] = "T1",
    role: Annotated[list[str], typer.Option("--role", help="A role; repeat for more.")] = [],  # noqa: B006 — typer copies it
) -> None:
    """Make an account bound to a contact. 新建账号并绑定联系人。"""
    from typing import cast

    from app.auth.subject import Tier
    from app.cli.session import on_record, run
    from app.composition import Application

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
    from app.cli.session import on_record, run
    from app.composition import Application

    async def work(application: Application) -> None:
        async with on_record(application, "account.disable", {"subject": application.terms.masked(user_name)}) as unit:
            await application.accounts.disable(unit.session, user_name)

    run(work)
