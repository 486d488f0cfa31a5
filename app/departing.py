"""How departures are made from what the rest of the application has: who ends, hands on or passes on which part, and who is erased when.

Apart from ``governing`` because a departure asks something of every domain. The list of parts is ``app.departures.parts``.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.approvals.concerning import OpenRequests
from app.approvals.delegations import Delegations
from app.approvals.rosters import RosterDesk
from app.attachments.repository import AttachmentRepository
from app.audit.authors import Author
from app.audit.note import Signer
from app.auth.accounts import UserAccounts
from app.auth.forgetting import AccountEraser
from app.calling.service import CallingPrivileges
from app.campaigns.parting import CampaignParting
from app.contacts.erasing import CardArchive
from app.custody.handovers import ClientHandovers
from app.departures.departing import Going, Step
from app.departures.erasing import Eraser, Holds, Stores
from app.departures.parts import Part
from app.departures.repository import DepartureRepository
from app.devices.handovers import DeviceHandovers
from app.emergency.parting import EmergencyParting
from app.engagements.service import EngagementService
from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.numbers.parting import NumberParting
from app.provisions.service import Provisions


@dataclass(frozen=True, slots=True, kw_only=True)
class Domains:
    """Where each part is kept."""

    customers: EngagementService
    devices: DeviceHandovers
    delegations: Delegations
    lines: CallingPrivileges
    numbers: NumberParting
    rosters: RosterDesk
    emergency: EmergencyParting
    clients: ClientHandovers
    provisions: Provisions
    campaigns: CampaignParting


def steps(over: Domains) -> Mapping[Part, Step]:
    """Say who does what to which part."""
    return {
        Part.CUSTOMERS: told(over.customers.end_all, "cause"),
        Part.DEVICES: told(over.devices.end_all, "cause", "to"),
        Part.DELEGATIONS: told(over.delegations.end_all, "cause"),
        Part.PRIVILEGES: told(over.lines.end_all),
        Part.NUMBERS: told(over.numbers.end_all, "cause"),
        Part.HOLDS: told(over.numbers.drop_holds),
        Part.SHIFTS: told(over.rosters.end_all),
        Part.EMERGENCY: told(over.emergency.end_all),
        Part.SERVICE_ACCOUNTS: told(over.clients.end_all, "cause", "to"),
        Part.PROVISIONS: told(over.provisions.hand_on, "to"),
        Part.REVIEWS: told(over.campaigns.end_all),
    }


def told(end: Callable[..., Awaitable[int]], *members: str) -> Step:
    """Call ``end`` for whoever goes, with those of ``members`` that it asks for."""

    async def step(unit: UnitOfWork, author: Author, going: Going) -> int:
        asked: dict[str, Any] = {name: getattr(going, name) for name in members}
        return await end(unit, author, contact_id=going.contact_id, **asked)

    return step


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """Where somebody is kept who left."""

    cards: CardArchive
    departures: DepartureRepository
    files: AttachmentRepository
    accounts: UserAccounts


def eraser(
    over: Archived,
    holds: Mapping[str, Holds],
    *,
    signer: Signer,
    database: Database,
    clock: Clock,
    utc_offset: timedelta,
) -> Eraser:
    """Make what erases them; ``holds`` besides open requests."""
    requests = OpenRequests()
    stores = Stores(
        archive=over.cards,
        departures=over.departures,
        requests=requests,
        files=over.files,
        accounts=AccountEraser(over.accounts),
    )
    return Eraser(
        stores,
        holds={"request": requests, **holds},
        signer=signer,
        database=database,
        clock=clock,
        utc_offset=utc_offset,
    )
