"""The list of parts against the store: every column that can name a person is claimed by a part, or says why it is nobody's to lose."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Column

from app.departments.tree import Node, Tree
from app.departures.departing import former
from app.departures.parts import BY_HAND, MOVING, PARTS, Fate, Part
from app.departures.repository import Departure, Removal
from app.kit.models import Id
from app.tables import metadata
from tests.support.clock import NOON

RECORD: Final = "a record of what was, never changed by who goes"
OF_CARD: Final = "goes with the card: sealed under its key, or derived from it"

CLAIMED: Final[Mapping[str, Part | str]] = {
    "access_grant.account_id": Part.GRANTS,
    "access_grant.contact_id": "what the grant shows; a card that nobody sees shows nothing",
    "approval_comment.author_id": RECORD,
    "approval_decision.actor_id": RECORD,
    "approval_decision.person_id": RECORD,
    "approval_decision.requester_id": RECORD,
    "approval_request.beneficiary_id": Part.GAINED,
    "approval_request.requester_id": Part.FILED,
    "approval_request.subject_id": Part.ABOUT,
    "approval_task.person_id": Part.ASKED,
    "approval_value.contact_id": OF_CARD,
    "attachment.owner_id": "ends with its request, or by itself when it was never filed",
    "authorization_code.account_id": Part.SESSIONS,
    "calling_privilege.contact_id": Part.PRIVILEGES,
    "campaign.started_by": RECORD,
    "campaign_decision.person_id": RECORD,
    "campaign_item.account_id": RECORD,
    "campaign_item.decided_by": RECORD,
    "campaign_item.holder_id": "moot when it is answered: what it asked about is gone",
    "campaign_item.reviewer_id": Part.REVIEWS,
    "campaign_opening.person_id": RECORD,
    "client.owner_id": Part.SERVICE_ACCOUNTS,
    "client_handover.acting_id": Part.SERVICE_ACCOUNTS,
    "client_handover.former_id": RECORD,
    "consent.contact_id": OF_CARD,
    "contact.backup_contact_id": "somebody else's card, which the personnel system keeps; who is asked looks past who is gone",
    "contact.dotted_manager_id": "as ``backup_contact_id``",
    "contact.id": Part.CARD,
    "contact.manager_id": "as ``backup_contact_id``",
    "contact_change.contact_id": RECORD,
    "contact_department.contact_id": Part.CARD,
    "contact_key.contact_id": OF_CARD,
    "contact_photo.contact_id": OF_CARD,
    "contact_tag.contact_id": OF_CARD,
    "deadline.contact_id": RECORD,
    "delegation.delegate_id": Part.DELEGATIONS,
    "delegation.filed_by": RECORD,
    "delegation.principal_id": Part.DELEGATIONS,
    "department.deputy_id": Part.POSITIONS,
    "department.head_id": Part.POSITIONS,
    "department_key.contact_id": OF_CARD,
    "departure.contact_id": RECORD,
    "departure.to_id": "whoever leaves after having taken over is a departure of their own, with what they have by then",
    "device.answerable_id": "whoever hands it over; who left meanwhile is overdue, and IT is told",
    "device_assignment.holder_id": Part.DEVICES,
    "emergency_appointment.confirmed_by": RECORD,
    "emergency_appointment.ended_by": RECORD,
    "emergency_appointment.named_by": RECORD,
    "emergency_appointment.person_id": Part.EMERGENCY,
    "emergency_opening.custodian_id": RECORD,
    "emergency_review.reviewer_id": RECORD,
    "emergency_session.actor_id": Part.EMERGENCY,
    "emergency_session.confirmed_by": RECORD,
    "emergency_session.deferred_by": RECORD,
    "emergency_session.ended_by": RECORD,
    "emergency_sheet.custodian_id": "sealed to a key that was theirs; none is made any more",
    "engagement.contact_id": "the customer",
    "engagement_staff.contact_id": "the customer",
    "engagement_staff.staff_id": Part.CUSTOMERS,
    "erasure.contact_id": RECORD,
    "import_run.contact_id": "goes on with the rights of now, which are none",
    "history_key.subject_id": RECORD,
    "hr_event.contact_id": RECORD,
    "number_assignment.holder_id": Part.NUMBERS,
    "on_call_shift.filed_by": RECORD,
    "on_call_shift.person_id": Part.SHIFTS,
    "operator_act.whom": RECORD,
    "password.account_id": "compared with nothing: the account has no password any more",
    "person_link.contact_id": RECORD,
    "person_link.person_id": RECORD,
    "posting_ordinal.contact_id": "a number in sets that are made anew; who has no keys any longer has none in the next",
    "privacy_acknowledgement.contact_id": RECORD,
    "provision.confirmed_by": RECORD,
    "provision.declared_by": RECORD,
    "provision.requester_id": RECORD,
    "provision.responsible_id": Part.PROVISIONS,
    "provision_consent.contact_id": "what was consented to outlives the employment, until it is withdrawn",
    "provision_package.made_by": RECORD,
    "provision_part.contact_id": RECORD,
    "provision_return.person_id": RECORD,
    "reconciliation.released_by": RECORD,
    "reconciliation_row.contact_id": RECORD,
    "scim_link.contact_id": "what a provisioning client calls somebody; it goes when the card is archived",
    "search_tag.contact_id": OF_CARD,
    "standing_loan.account_id": Part.GRANTS,
    "standing_mark.account_id": "a cap: it stays, and is there again when somebody comes back",
    "token_family.account_id": Part.SESSIONS,
    "totp.account_id": "a second proof without a first one proves nothing",
    "undertaking.contact_id": RECORD,
    "user_account.contact_id": Part.CARD,
}
"""Every column that holds the id of a person or of an account, and which part claims it."""

WORDS: Final = (
    "contact_", "person_", "account_", "holder_", "owner_", "reviewer_", "actor_", "requester_", "beneficiary_", "staff_", "head_",
    "deputy_", "manager_", "dotted_", "backup_", "custodian_", "principal_", "delegate_", "responsible_", "former_", "acting_", "other_",
)  # fmt: skip
BY: Final = ("_by", "whom", "answerable_id", "to_id")


def names_a_person(column: Column[Any]) -> bool:
    """Tell by its name, or by what it refers to, whether a column of ids can hold a person's."""
    name, table = column.name, column.table.name
    if any(key.column.table.name == "contact" for key in column.foreign_keys):
        return True
    if f"{table}.{name}" in {"contact.id", "approval_comment.author_id", "history_key.subject_id"}:
        return True
    return name.startswith(WORDS) or name.endswith(BY)


def test_every_column_that_names_a_person_is_claimed_and_no_claim_is_stale() -> None:
    columns = [each for table in metadata.tables.values() if table.schema is None for each in table.columns]
    named = {str(each) for each in columns if isinstance(each.type, Id) and names_a_person(each)}
    assert named - CLAIMED.keys() == set()
    assert CLAIMED.keys() - {str(each) for each in columns} == set()


def test_every_part_is_there_for_something_and_says_what_becomes_of_it() -> None:
    assert set(PARTS) == set(Part)
    kept_elsewhere = {Part.HOLDS}
    assert set(Part) - {each for each in CLAIMED.values() if isinstance(each, Part)} == kept_elsewhere
    for part, becomes in PARTS.items():
        assert becomes.leaving not in {Fate.STAYS, Fate.BY_PLACE}, f"{part}: nobody who left has anything"
        assert becomes.en
        assert becomes.zh


def test_a_move_touches_what_the_list_says() -> None:
    assert set(MOVING) | BY_HAND == {part for part, becomes in PARTS.items() if becomes.moving is not Fate.STAYS}


def node(code: str, parent: Node | None, head: UUID | None = None, deputy: UUID | None = None) -> Node:
    above = None if parent is None else parent.id
    return Node(uuid4(), code, code, above, head, deputy, 0, "", "", protected=False)


@pytest.mark.parametrize(
    ("before", "after", "ended"),
    [
        ("RD", "SALES", {"RD", "LAB"}),
        ("LAB", "SALES", {"RD", "LAB"}),
        ("LAB", "RD", {"LAB"}),
        ("RD", "LAB", set[str]()),
        ("SALES", "RD", set[str]()),
        ("RD", None, {"TOP", "RD", "LAB"}),
        (None, "RD", set[str]()),
    ],
)
def test_positions_of_the_former_place_end_and_those_above_the_new_one_stay(
    before: str | None, after: str | None, ended: set[str]
) -> None:
    me = uuid4()
    top = node("TOP", None, head=me)
    rd, sales = node("RD", top, deputy=me), node("SALES", top)
    lab, other = node("LAB", rd, head=me), node("OTHER", None, head=me)
    tree = Tree([top, rd, sales, lab, other])
    places = () if before is None else (tree.by_code[before].id,)
    found = former(tree, me, places, None if after is None else tree.by_code[after].id)
    assert {each.code for each in found} == ended


def test_how_a_removal_stands_is_asked_of_the_row_alone() -> None:
    gone = Departure(
        id=uuid4(),
        contact_id=uuid4(),
        department_id=None,
        to_id=None,
        tag=None,
        ended=(),
        left_at=NOON,
        remove_by=NOON + timedelta(days=7),
    )
    assert gone.removal(NOON) is Removal.WAITING
    assert gone.removal(gone.remove_by) is Removal.OVERDUE
    assert replace(gone, archived_at=NOON).removal(gone.remove_by) is Removal.ARCHIVED
    assert replace(gone, returned_at=NOON).removal(gone.remove_by) is Removal.RETURNED
