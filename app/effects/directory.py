"""Effects on cards, on people who leave and on the organisation, made of what keeps the directory."""

from collections.abc import Mapping

from app.approvals.delegation_desk import DelegationDesk
from app.approvals.effects import Effect
from app.calling.repository import PrivilegeRepository
from app.crypto.sealer import Sealer
from app.custody.rows import CustodyRows
from app.departments.service import DepartmentService
from app.departures.keeping import DepartureBook
from app.departures.undertaking_rows import UndertakingRows
from app.devices.repository import DeviceRepository
from app.disclosure.showing import Showing
from app.effects.cards import CardChange, CardCorrection, Cards
from app.effects.leaving import LeavingCheck, Leftovers
from app.effects.organisation import OrganisationChange
from app.effects.subject_rights import SubjectRight
from app.engagements.repository import EngagementRepository
from app.hr.subjects import People


def directory_effects(
    showing: Showing,
    people: People,
    delegations: DelegationDesk,
    *,
    sealer: Sealer,
    departments: DepartmentService,
    engagements: EngagementRepository,
    calling: PrivilegeRepository,
    custody: CustodyRows,
    devices: DeviceRepository,
    undertakings: UndertakingRows,
    book: DepartureBook,
) -> Mapping[str, Effect]:
    """Make the effects that kinds call by these names."""
    contacts, standings, gate, clock = people.contacts, showing.standings, showing.gate, showing.clock
    cards = Cards(
        contacts=contacts,
        members=people.members,
        writer=people.writer,
        parting=people.parting,
        sealer=sealer,
        standings=standings,
        gate=gate,
        clock=clock,
    )
    leftovers = Leftovers(
        contacts=contacts,
        accounts=people.accounts,
        grants=people.given.grants,
        engagements=engagements,
        standings=standings,
        delegations=delegations.rows,
        calling=calling,
        custody=custody,
        devices=devices,
        undertakings=undertakings,
    )
    return {
        "card_change": CardChange(cards),
        "card_correction": CardCorrection(cards),
        "subject_right": SubjectRight(cards),
        "organisation": OrganisationChange(
            departments=departments, contacts=contacts, persons=delegations.persons, standings=standings, gate=gate
        ),
        "leaving": LeavingCheck(leftovers, book=book, contacts=contacts, standings=standings, gate=gate, clock=clock),
    }
