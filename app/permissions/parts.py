"""What a person's standing is read from: every package's rows in one statement, as they are at one moment, each believed by its package.

A package says which rows tell its part (``of_holder``) and what they say (``told``); nobody here knows a table. The counters that the
access log compares are rows of that same moment, so a change that comes later shows as a moved counter and never as a mixture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import String, bindparam, literal

from app.auth import epochs
from app.auth.loans import Standing as Lent
from app.auth.repository import (
    ACCOUNT_NAMED,
    CLIENTS_NAMED,
    HOLDER_NAMED,
    Account,
    AccountRepository,
    Client,
    ClientRepository,
    Holder,
    Source,
)
from app.auth.subject import Person
from app.departments.tree import DEPARTMENTS
from app.kit.db import Reader, Row, Statement
from app.kit.models import WrittenId
from app.kit.together import Together
from app.permissions.emergency import Emergency
from app.permissions.marks import LiveMarks
from app.permissions.plan import Engagement, LiveGrant
from app.permissions.versions import POLICY

T_co = TypeVar("T_co", covariant=True)

_COUNTERS: Final = (
    *(bindparam(name, type_=String()) for name in ("departments", "policy", "client_key", "front_end_key")),
    literal("user:") + WrittenId(HOLDER_NAMED.account),
)


@dataclass(frozen=True, slots=True)
class ViewerFacts:
    """What standing needs of the viewer's own contact; given by the contacts' repository, behind the row's MAC."""

    contact_id: UUID
    name: str
    kind: str
    worker_kind: str | None
    status: str
    department_id: UUID | None
    departments: tuple[UUID, ...]
    manager_id: UUID | None = None


class Part(Protocol[T_co]):
    """What a package keeps of a standing."""

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows, a few by their keys; the time of the look may be bound as ``now``."""
        ...

    def told(self, rows: Sequence[Row], now: datetime) -> T_co:
        """Believe each row behind its MAC, or report it; give what they say at ``now``."""
        ...


class LentPart(Protocol):
    """What was lent of an account's tier and roles, and until when."""

    def of_holder(self, holder: Holder) -> Statement:
        """Select the rows."""
        ...

    def told(self, rows: Sequence[Row], account: Account, now: datetime) -> Lent:
        """Give what the account may do at ``now``, and when that changes by itself."""
        ...


class ContactFacts(Protocol):
    """Where the viewer's own contact is read."""

    async def viewer_facts(self, source: Source, contact_id: UUID) -> ViewerFacts | None:
        """Give the facts; ``None`` when there is no such contact or its row does not verify."""
        ...


class ContactPart(Protocol):
    """The row of the viewer's own contact."""

    def of_holder(self, holder: Holder) -> Statement:
        """Select the row."""
        ...

    def told(self, rows: Sequence[Row]) -> ViewerFacts | None:
        """Give what the row says; ``None`` when there is none or it does not verify."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every package says of one person at one moment; ``counters`` of departments, policy, account and clients."""

    account: Account | None
    clients: tuple[Client, ...]
    counters: Mapping[str, int]
    facts: ViewerFacts | None
    grants: tuple[LiveGrant, ...]
    marks: LiveMarks
    lent: Lent | None
    engagements: tuple[Engagement, ...]
    emergency: Emergency | None


class PartReader:
    """Reads them."""

    def __init__(
        self,
        *,
        accounts: AccountRepository,
        clients: ClientRepository,
        contacts: ContactPart,
        grants: Part[tuple[LiveGrant, ...]],
        marks: Part[LiveMarks],
        loans: LentPart,
        engagements: Part[tuple[Engagement, ...]],
        emergencies: Part[Emergency | None],
    ) -> None:
        """Take who keeps which part."""
        self._accounts, self._clients, self._contacts = accounts, clients, contacts
        self._grants, self._marks, self._loans = grants, marks, loans
        self._engagements, self._emergencies = engagements, emergencies
        self._together = Together(
            counters=epochs.of(_COUNTERS),
            account=ACCOUNT_NAMED,
            clients=CLIENTS_NAMED,
            contact=contacts.of_holder(HOLDER_NAMED),
            grants=grants.of_holder(HOLDER_NAMED),
            marks=marks.of_holder(HOLDER_NAMED),
            loans=loans.of_holder(HOLDER_NAMED),
            engagements=engagements.of_holder(HOLDER_NAMED),
            emergencies=emergencies.of_holder(HOLDER_NAMED),
        )

    async def of(self, reader: Reader, subject: Person, now: datetime) -> Parts:
        """Read what is known of a person at ``now``. Raises ``AccountRefused`` for an account or a client edited past us."""
        names = tuple(dict.fromkeys((subject.client_id, subject.front_end or subject.client_id)))
        rows = await self._together.rows(
            reader,
            key=subject.user_name,
            client=names[0],
            front_end=names[-1],
            now=now,
            departments=DEPARTMENTS,
            policy=POLICY,
            client_key=f"client:{names[0]}",
            front_end_key=f"client:{names[-1]}",
        )
        account = self._accounts.read(rows["account"])
        found = (self._clients.read(rows["clients"], name) for name in names)
        return Parts(
            account=account,
            clients=tuple(client for client in found if client is not None),
            counters={key: int(value) for key, value in rows["counters"]},
            facts=self._contacts.told(rows["contact"]),
            grants=self._grants.told(rows["grants"], now),
            marks=self._marks.told(rows["marks"], now),
            lent=None if account is None else self._loans.told(rows["loans"], account, now),
            engagements=self._engagements.told(rows["engagements"], now),
            emergency=self._emergencies.told(rows["emergencies"], now),
        )
