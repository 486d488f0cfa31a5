"""Asking the service itself what the MAC of a row covers: its own readers are shown a row that stands in no store, and overheard.

For each table, how its rows are read (or written, where reading wants a session): whatever the service would verify is told, and nothing
after that happens.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, NoReturn
from uuid import UUID

from sqlalchemy import LargeBinary

from app import tables
from app.approvals import (
    decision_repository,
    delegation_repository,
    persons,
    repository,
    roster_repository,
)
from app.approvals.values import Proposed
from app.attachments import repository as attachments
from app.auth import families, loans, one_time_codes, passwords, redirects
from app.auth.repository import AccountRepository, ClientRepository
from app.calling.repository import PrivilegeRepository
from app.campaigns import repository as campaigns
from app.campaigns.rules import Kind as CampaignKind
from app.campaigns.rules import Risk, Silence, Stage
from app.campaigns.rules import State as ItemState
from app.clocks.repository import DeadlineRepository
from app.collection import repository as collection
from app.contacts import photos, proposals
from app.crypto.rows import Rows
from app.crypto.sealed import SealedType
from app.custody import rows as custody
from app.departments.repository import DepartmentRepository
from app.departures.repository import DepartureRepository
from app.departures.undertaking_rows import UndertakingRows
from app.devices import repository as devices
from app.emergency.repository import EmergencyRepository
from app.emergency.sheet_repository import SheetRepository
from app.engagements import repository as engagements
from app.hr import known
from app.hr.sources import SourceRows
from app.imports.repository import ImportRepository
from app.jobs import repository as jobs
from app.kit.models import Id, Instant, Json, new_id
from app.notices import ledger
from app.notices import repository as webhooks
from app.permissions import marks, versions
from app.permissions import repository as grants
from app.policy.simulation_repository import SimulationRepository
from app.provisions.repository import ProvisionRepository
from app.reconciliations.repository import ReconciliationRepository
from app.scim.repository import ScimRepository
from tests.support.clock import NOON

Row = Mapping[str, Any]


class Heard(Exception):
    """What the service would verify or sign: under the name of which table, or none, which values."""

    def __init__(self, table: str | None, values: Sequence[Any]) -> None:
        """Take both."""
        super().__init__(table)
        self.table, self.values = table, tuple(values)


class Ear:
    """A signer, or somebody's own key, that only listens."""

    def verify(self, *given: Any) -> NoReturn:  # noqa: ANN401 — of either
        """Tell what is to be verified: table and values, or the values alone, and a MAC."""
        *table, values, _ = given
        raise Heard(table[0] if table else None, values)

    def sign(self, table: str, values: Sequence[Any]) -> NoReturn:
        """Tell what is to be signed."""
        raise Heard(table, values)


class Shelf:
    """A reader in which a table has one row, whatever is asked of it."""

    dialect: Final = SimpleNamespace(name="shelf")

    def __init__(self, row: Row) -> None:
        """Take the row."""
        self._row = row

    def prepare(self, statement: Any) -> Any:  # noqa: ANN401 — a select
        """Remember which columns are asked for."""
        names = tuple(each.name for each in statement.selected_columns)
        return SimpleNamespace(names=names, row=tuple)

    async def fetch(self, prepared: Any, _: object = None) -> list[tuple[Any, ...]]:  # noqa: ANN401 — as ``prepare`` gave
        """Give the row."""
        return [tuple(self._row[name] for name in prepared.names)]

    fetch_points = fetch


def of(columns: Iterable[Any], row: Row) -> tuple[Any, ...]:
    """Lay a row out in the order of mapped columns, or of names."""
    return tuple(row[each if isinstance(each, str) else getattr(each, "expression", each).name] for each in columns)


def shown(rows: Rows[Any], row: Row) -> object:
    """Show a row to a table that is read as values."""
    return rows.read([of(rows.select().selected_columns, row)])


EAR: Final[Any] = Ear()
NOTHING: Final[Any] = None
EMERGENCY: Final = EmergencyRepository(EAR)
SHEETS: Final = SheetRepository(EAR)
PROVISIONS: Final = ProvisionRepository(EAR, NOTHING)
RECONCILIATIONS: Final = ReconciliationRepository(EAR, NOTHING)
SCIM: Final = ScimRepository(NOTHING, EAR)
ROWS: Final[Mapping[str, Rows[Any]]] = {
    "calling_privilege": PrivilegeRepository(EAR)._rows,
    "deadline": DeadlineRepository(EAR).rows,
    "departure": DepartureRepository(EAR)._rows,
    "undertaking": UndertakingRows(EAR)._confirmed,
    "undertaking_text": UndertakingRows(EAR)._texts,
    "emergency_appointment": EMERGENCY.appointments,
    "emergency_opening": SHEETS.openings,
    "emergency_review": EMERGENCY.reviews,
    "emergency_session": EMERGENCY.sessions,
    "emergency_sheet": SHEETS.sheets,
    "hr_source": SourceRows(EAR).rows,
    "hr_subject": known.rows_of(EAR),
    "import_run": ImportRepository(EAR, NOTHING)._rows,
    "provision": PROVISIONS.provisions,
    "provision_consent": PROVISIONS.consents,
    "provision_package": PROVISIONS.packages,
    "provision_part": PROVISIONS.parts,
    "provision_return": PROVISIONS.returns,
    "reconciliation": RECONCILIATIONS.runs,
    "reconciliation_release": RECONCILIATIONS.releases,
    "scim_group": SCIM.groups,
    "scim_link": SCIM.links,
}
"""Tables whose rows are values (``crypto.rows``)."""


def _grant(row: Row) -> families.Grant:
    family = row["id"] if "id" in row else row["family_id"]
    scopes = frozenset(row["scopes"])
    plain = [row[name] for name in ("acr", "auth_time", "epoch")]
    return families.Grant(family, row["account_id"], row["client_id"], scopes, *plain)


def _code(row: Row) -> families.Code:
    late = [row[name] for name in ("redirect_uri", "challenge", "expires_at", "used_at")]
    return families.Code(row["hash"], _grant(row), *late)


def _decided(row: Row) -> Awaitable[object]:
    item: Any = SimpleNamespace(id=row["item_id"], row_version=row["item_version"], ends_at=row["ends_at"])
    return campaigns.CampaignRepository(EAR).decide(NOTHING, item, row["verdict"], row["person_id"], row["at"])


WITNESSES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "access_grant": lambda row: grants.GrantRepository(EAR, {})._genuine(of(grants._COLUMNS, row)),
    "approval_decision": lambda row: decision_repository.DecisionRepository(EAR, NOTHING).said(Shelf(row), row["id"]),  # type: ignore[arg-type]
    "approval_request": lambda row: repository.RequestRepository(EAR, NOTHING, b"")._genuine(
        of(repository._COLUMNS, row)
    ),
    "approval_value": lambda row: proposals.box_of(
        EAR, row["field"], Proposed(row["envelope"], row["digest"], row["mac"])
    ),
    "attachment": lambda row: attachments.AttachmentRepository(EAR, NOTHING, b"", NOTHING)._genuine(
        [of(attachments._COLUMNS, row)]
    ),
    "authorization_code": lambda row: families.FamilyRepository(EAR).add_code(NOTHING, _code(row)),
    "campaign": lambda row: campaigns.CampaignRepository(EAR)._reviews([of([*campaigns._REVIEW_COLUMNS, "mac"], row)]),
    "campaign_decision": _decided,
    "campaign_item": lambda row: campaigns.CampaignRepository(EAR)._items([of([*campaigns._ITEM_COLUMNS, "mac"], row)]),
    "campaign_opening": lambda row: campaigns.CampaignRepository(EAR).opened(Shelf(row), [row["item_id"]], new_id()),  # type: ignore[arg-type]
    "client": lambda row: ClientRepository(EAR).by_id(Shelf(row), row["client_id"]),  # type: ignore[arg-type]
    "client_handover": lambda row: custody.CustodyRows(EAR)._read([of(custody._HANDOVER, row)]),
    "consent": lambda row: collection._entry(EAR, of([*collection._CONSENT, "proof", "mac"], row)),
    "contact_photo": lambda row: EAR.verify(
        photos._covered(row["contact_id"], row["image"], row["digest"], row["updated_at"]), row["mac"]
    ),
    "delegation": lambda row: delegation_repository.DelegationRepository(EAR)._believed(
        [of(delegation_repository._COLUMNS, row)]
    ),
    "department": lambda row: DepartmentRepository(EAR).tree(Shelf(row), epoch=1),  # type: ignore[arg-type]
    "device": lambda row: devices.DeviceRepository(EAR)._devices([of(devices._DEVICE, row)]),
    "device_assignment": lambda row: devices.DeviceRepository(EAR)._assignments([of(devices._ASSIGNMENT, row)]),
    "device_secret": lambda row: devices.DeviceRepository(EAR).secrets(
        Shelf(row),  # type: ignore[arg-type]
        row["device_id"],
        NOON,
    ),
    "engagement": lambda row: engagements.EngagementRepository(EAR)._facts([of(engagements._FACT_COLUMNS, row)]),
    "engagement_staff": lambda row: engagements.EngagementRepository(EAR)._assigned(
        [of(engagements._STAFF_COLUMNS, row)]
    ),
    "job": lambda row: jobs.JobRepository(EAR)._job(of([*jobs._COLUMNS, "mac"], row)),
    "notice": lambda row: ledger.NoticeLedger(EAR)._notice(of(ledger._COLUMNS, row)),
    "on_call_shift": lambda row: roster_repository.RosterRepository(EAR)._believed(
        [of(roster_repository._COLUMNS, row)]
    ),
    "operator_act": lambda row: custody.CustodyRows(EAR).acts(Shelf(row), row["kind"], row["what"]),  # type: ignore[arg-type]
    "password": lambda row: passwords.PasswordRepository(EAR).of(Shelf(row), row["account_id"]),  # type: ignore[arg-type]
    "person_link": lambda row: persons.Persons(EAR, NOTHING)._believed(of(persons._COLUMNS, row)),
    "policy_activation": lambda row: versions.VersionRepository(EAR)._activation(of(versions._ACTIVATION_COLUMNS, row)),
    "policy_simulation": lambda row: SimulationRepository(EAR).by_id(Shelf(row), row["id"]),  # type: ignore[arg-type]
    "policy_version": lambda row: versions.VersionRepository(EAR)._version(of(versions._VERSION_COLUMNS, row)),
    "privacy_acknowledgement": lambda row: collection.NoticeRows(Shelf(row), EAR)._believed(  # type: ignore[arg-type]
        tuple(row[name] for name in ("notice_id", "contact_id", "at", "mac"))
    ),
    "privacy_notice": lambda row: collection.NoticeRows(Shelf(row), EAR)._notice(  # type: ignore[arg-type]
        of([*collection._NOTICE, "mac"], row)
    ),
    "redirect_uri": lambda row: redirects.RedirectUris(EAR).of(Shelf(row), row["client_id"]),  # type: ignore[arg-type]
    "refresh_token": lambda row: families.FamilyRepository(EAR).add_refresh(
        NOTHING, families.Refresh(**{name: value for name, value in row.items() if name != "mac"})
    ),
    "standing_loan": lambda row: loans.StandingLoans(accounts=NOTHING, signer=EAR).live(
        Shelf(row),  # type: ignore[arg-type]
        SimpleNamespace(id=row["account_id"]),  # type: ignore[arg-type]
        NOON,
    ),
    "standing_mark": lambda row: marks.MarkRepository(EAR)._standing([of(marks._COLUMNS, row)], NOON),
    "token_family": lambda row: families.FamilyRepository(EAR).add_family(
        NOTHING, families.Family(_grant(row), row["expires_at"], row["ended_at"])
    ),
    "totp": lambda row: one_time_codes.OneTimeCodes(signer=EAR, box=NOTHING, clock=NOTHING).of(
        Shelf(row),  # type: ignore[arg-type]
        row["account_id"],
    ),
    "user_account": lambda row: AccountRepository(EAR).by_id(Shelf(row), row["id"]),  # type: ignore[arg-type]
    "webhook": lambda row: webhooks.WebhookRepository(EAR, NOTHING)._believed([of(webhooks._COLUMNS, row)]),
    **{name: partial(shown, rows) for name, rows in ROWS.items()},
}
"""How the service reads one row of each table."""

WORDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "approval_request": {"record": {"b": 1, "a": ["x"]}},
    "campaign": {"kind": next(iter(CampaignKind)), "stage": next(iter(Stage)), "on_silence": next(iter(Silence))},
    "campaign_item": {"risk": next(iter(Risk)), "state": next(iter(ItemState)), "detail": {"b": 1, "a": ["x"]}},
    "job": {"payload": {"b": 1, "a": 2}, "subject": {"kind": "person"}},
    "notice": {
        "body": {"request": {"id": "x", "a": 1}},
        "audience": {"subscribers": True, "roles": ["it"], "people": [str(UUID(int=7))]},
    },
}
"""Columns that hold one of a few words, or a document of a certain shape."""


def a_row(name: str, *, sparse: bool) -> dict[str, Any]:
    """Make a row as the store gives it, with values in every column, or none where a column may be empty."""
    row: dict[str, Any] = {}
    words: dict[str, Any] = {key: next(iter(kind)) for key, kind in (ROWS[name]._words if name in ROWS else {}).items()}
    words |= WORDS.get(name, {})
    for at, column in enumerate(tables.metadata.tables[name].columns):
        if sparse and column.nullable:
            row[column.name] = None
            continue
        value: Any
        match column.type:
            case Id():
                value = new_id()
            case Instant():
                value = NOON.replace(microsecond=at)
            case Json():
                value = ["b", f"a{at}"]
            case SealedType() | LargeBinary():
                value = f"bytes {at}".encode()
            case other:
                value = {str: f"text {at}", int: at + 1, bool: True}.get(other.python_type) or NOON.date()
        word = words.get(column.name, value)
        row[column.name] = word.value if isinstance(word, Enum) else word
    if name == "campaign_item":
        row["key"] = f"{row['kind']}:{row['reference']}:{row['holder_id'] or ''}"
        row["post"] = row["post"] if row["reviewer_id"] else "nobody"
    return row
