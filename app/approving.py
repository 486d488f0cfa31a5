"""How approvals are made from what the rest of the application has: positions and people, sealing, days, telling.

Apart from ``assembly`` because approvals ask something of nearly everything, and nothing asks anything of them.
"""

from collections.abc import Callable

from app.approvals.advancing import Calendar
from app.approvals.chains import Chains
from app.approvals.decision_repository import DecisionRepository
from app.approvals.delegation_desk import DelegationDesk
from app.approvals.desk import ApprovalDesk, Company, Keys
from app.approvals.repository import RequestRepository
from app.approvals.rosters import RosterDesk
from app.approvals.telling import RequestTeller
from app.attachments.desk import AttachmentDesk
from app.attachments.keeping import StagedFiles
from app.attachments.repository import AttachmentRepository
from app.auth.accounts import UserAccounts
from app.auth.roles import Role
from app.calling.service import CallingPrivileges
from app.contacts.organisation import CompanyOrganisation
from app.contacts.proposals import ProposalBoxes
from app.contacts.repository import ContactRepository
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.crypto.secretbox import SecretBox
from app.departments.repository import DepartmentRepository
from app.disclosure.acquaintances import Acquaintances
from app.disclosure.showing import Showing
from app.effects.appeals import Appeal
from app.effects.desk import EffectDesk
from app.effects.lines import LinePrivilege
from app.effects.numbers import number_effects
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.notices.service import Notices
from app.numbers.service import NumberService
from app.permissions.outcomes import Tier
from app.permissions.standing import Viewer


def oversees_requests(viewer: Viewer) -> bool:
    """Tell whether everybody's requests are told to ``viewer``: to security and audit."""
    standing = viewer.standing
    return standing.kind == "person" and (standing.tier is Tier.T5 or Role.AUDITOR in standing.roles)


def attachment_rows(key: Callable[[str], bytes], sealer: Sealer) -> AttachmentRepository:
    """Make the rows of attachments."""
    signer, box = RowSigner(key("attachment")), SecretBox(key("attachment-box"))
    return AttachmentRepository(signer, box, key("attachment-digest"), sealer)


def attachment_desk(
    showing: Showing,
    approvals: ApprovalDesk,
    *,
    key: Callable[[str], bytes],
    sealer: Sealer,
    database: Database,
    idempotency: Idempotency,
) -> AttachmentDesk:
    """Make the desk of attachments."""
    rows = attachment_rows(key, sealer)
    return AttachmentDesk(showing, rows=rows, attaching=approvals.attaching, database=database, idempotency=idempotency)


def approval_desk(
    showing: Showing,
    *,
    chains: Chains,
    key: Callable[[str], bytes],
    sealer: Sealer,
    database: Database,
    idempotency: Idempotency,
    contacts: ContactRepository,
    accounts: UserAccounts,
    departments: DepartmentRepository,
    effects: EffectDesk,
    calendar: Calendar,
    delegations: DelegationDesk,
    rosters: RosterDesk,
    notices: Notices,
    giving: NumberService,
    calling: CallingPrivileges,
) -> ApprovalDesk:
    """Make the desk of approvals."""
    signer, box, persons = RowSigner(key("approval")), SecretBox(key("approval-box")), delegations.persons
    appeal = Appeal(
        RequestRepository(signer, box, key("approval-digest")),
        DecisionRepository(signer, box),
        persons=persons,
        calendar=calendar,
        clock=showing.clock,
    )
    organisation = CompanyOrganisation(contacts, accounts, departments)
    numbers = number_effects(service=giving, organisation=organisation, clock=showing.clock)
    lines = {"line_privilege": LinePrivilege(privileges=calling, organisation=organisation, clock=showing.clock)}
    company = Company(
        organisation=organisation,
        persons=persons,
        stand_ins=delegations.service,
        absences=delegations.service,
        rosters=rosters,
        people=Acquaintances(contacts, showing.gate),
        boxes=ProposalBoxes(sealer),
        files=StagedFiles(attachment_rows(key, sealer), showing.clock),
        calendar=calendar,
        teller=RequestTeller(notices),
        oversees=oversees_requests,
    )
    return ApprovalDesk(
        showing,
        chains=chains,
        effects={**effects.effects, **numbers, **lines, "appeal": appeal},
        checks=effects.checks,
        company=company,
        keys=Keys(rows=key("approval"), box=key("approval-box"), digests=key("approval-digest")),
        database=database,
        idempotency=idempotency,
    )
