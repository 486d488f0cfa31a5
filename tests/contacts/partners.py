"""External contacts that tests add: each with a name, an organisation and numbers that nobody else has."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final
from uuid import UUID

from tests.support.application import OPERATOR, World

_NUMBERS: Final = count(3001)


@dataclass(frozen=True, slots=True)
class Partner:
    """An external contact."""

    id: UUID
    number: int

    @property
    def name(self) -> str:
        """The name, sealed."""
        return f"解外人{self.number}"

    @property
    def path(self) -> str:
        """Where the card is."""
        return f"/v1/contacts/{self.id}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every protected value, as a leak would show it."""
        return (
            self.name,
            f"Xie Wairen{self.number}",
            f"老解{self.number}",
            f"1340000{self.number}",
            f"partner{self.number}@example.net",
            f"收货路{self.number}",
        )


def members(number: int, **given: Any) -> dict[str, Any]:  # noqa: ANN401 — members of a contact
    """Give what an external contact is made from; ``given`` overrules, ``None`` leaves a member out."""
    name, name_en, alias, phone, mail, street = Partner(UUID(int=0), number).secrets
    every: Mapping[str, Any] = {
        "name": name,
        "name_en": name_en,
        "alias": alias,
        "organisation": f"示例{number}公司",
        "relation": "客户",
        "contract_ref": f"HT-{number}",
        "department": "SALES",
        "business_phone": phone,
        "business_email": mail,
        "delivery_address": f"浙江省杭州市{street} 号",
        **given,
    }
    return {name: value for name, value in every.items() if value is not None}


def next_number() -> int:
    """Give a number that nobody has yet."""
    return next(_NUMBERS)


async def add_partner(world: World, **given: Any) -> Partner:  # noqa: ANN401 — members of a contact
    """Add an external contact."""
    number, application = next_number(), world.application
    async with application.database.unit_of_work() as unit:
        written = await application.contact_writer.create(
            unit, OPERATOR, await application.standings.tree(), "external", members(number, **given)
        )
    return Partner(written.record.subject, number)
