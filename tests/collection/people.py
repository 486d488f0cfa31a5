"""People whom tests of collection add, and how the same things are asked again and again."""

from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from uuid import UUID

import httpx

from tests.support.application import World

_NUMBERS: Final = count(7001)


@dataclass(frozen=True, slots=True)
class Applicant:
    """An applicant."""

    id: UUID
    number: int

    @property
    def name(self) -> str:
        """The name, sealed."""
        return f"仇聘{self.number}"

    @property
    def mobile(self) -> str:
        """The private mobile."""
        return f"1380000{self.number}"

    @property
    def path(self) -> str:
        """Where the card is."""
        return f"/v1/contacts/{self.id}"


def next_number() -> int:
    """Give a number that nobody has."""
    return next(_NUMBERS)


async def add_applicant(world: World, **members: Any) -> Applicant:  # noqa: ANN401 — members of a contact
    """Add an applicant, as HR does."""
    number = next_number()
    new = Applicant(UUID(int=0), number)
    given = {
        "kind": "applicant",
        "name": new.name,
        "department": "RD",
        "title": "应聘工程师",
        "personal_mobile": new.mobile,
        **members,
    }
    answer = await (await world.as_("hr")).post("/v1/contacts", json=given)
    assert answer.status_code == 201, answer.text
    assert new.name not in answer.text
    return Applicant(UUID(answer.json()["id"]), number)


async def consent(
    world: World, by: str, of: UUID, *fields: str, basis: str = "consent", proof: str | None = None
) -> httpx.Response:
    """Consent, as ``by``, to fields of ``of``."""
    body = {"fields": fields, "basis": basis, "purpose": "work_contact", "proof": proof}
    return await (await world.as_(by)).post(f"/v1/contacts/{of}/consents", json=body)


async def withdraw(
    world: World, by: str, of: UUID, *fields: str, basis: str = "consent", proof: str | None = None
) -> httpx.Response:
    """Take a consent back."""
    body = {"fields": fields, "basis": basis, "proof": proof}
    return await (await world.as_(by)).post(f"/v1/contacts/{of}/consents/withdrawals", json=body)


async def write(world: World, of: UUID, **members: Any) -> httpx.Response:  # noqa: ANN401 — members of a contact
    """Write members on a card, as HR does."""
    return await (await world.as_("hr")).patch(f"/v1/contacts/{of}", json=members, headers={"If-Match": "*"})


async def row(world: World, of: UUID) -> dict[str, Any]:
    """Read the columns of a contact's row that collection keeps."""
    from sqlalchemy import select  # noqa: PLC0415 — for this one look

    from app.contacts.models import Contact  # noqa: PLC0415 — for this one look

    async with world.application.database.session() as session:
        found = await session.scalar(select(Contact).where(Contact.id == of))
    assert found is not None
    names = ("kind", "name", "sealed_name", "plate", "qq", "relations", "consented", "retain_until", "row_version")
    return {name: getattr(found, name) for name in names} | {"mac": found.mac}
