"""What the MAC of a row covers, table by table: the knowledge of all writers in one place, for an examination that trusts none of them.

Pure over values as they stand in the store. A cover is every column of the table in the table's order, but the MAC and what stands
``beside`` it (bookkeeping that nobody decides by); lists count as tuples, documents in their canonical form. The few tables that cover
something else say so themselves. Whoever adds a table with a column ``mac`` adds a line here, which a test demands and proves.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import Table

from app.campaigns.repository import UNSEALED
from app.clocks.repository import DEADLINE
from app.contacts.fields import CATALOGUE
from app.contacts.record import RowShape
from app.crypto.rowmac import RowValue
from app.custody.desk import CUSTODY
from app.departures.repository import DEPARTURE
from app.departures.undertaking_rows import UNDERTAKING
from app.emergency.repository import EMERGENCY
from app.hr.sources import HR_SOURCE
from app.provisions.repository import PROVISION

Values = Mapping[str, Any]
_DATES: Final = frozenset({"created_at", "updated_at"})


@dataclass(frozen=True, slots=True)
class Cover:
    """Under which key the rows of a table are signed, and what of them.

    ``label`` names the key of the whole table; where there is none, ``person`` is the column of whose own key it is. ``values`` lays out
    what is covered of a row's columns, for tables where that is not simply all of them.
    """

    label: str | None = None
    person: str | None = None
    beside: frozenset[str] = frozenset()
    values: Callable[[Values], tuple[RowValue, ...]] | None = None

    def columns(self, table: Table) -> tuple[str, ...]:
        """Name the columns that are covered, in the table's order."""
        return tuple(each.name for each in table.columns if each.name != "mac" and each.name not in self.beside)

    def of(self, row: Values) -> tuple[RowValue, ...]:
        """Lay out what is covered of a row: the values of ``columns`` by name."""
        return tuple(map(_plain, row.values())) if self.values is None else self.values(row)


def _plain(value: Any) -> RowValue:  # noqa: ANN401 — a column's value
    match value:
        case list():
            return tuple(value)
        case dict():
            return _canonical(value)
        case _:
            return value  # type: ignore[no-any-return]  # what else a column gives is covered as it is


def _canonical(value: Any) -> bytes:  # noqa: ANN401 — any JSON
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _grant(row: Values) -> tuple[RowValue, ...]:
    """Lay it out; rows from before there were scopes cover none, and only those that lift cover that they do."""
    identity, account, contact, department, kind, value, names, *others, lifts = row.values()
    scope = (contact, department) if kind is None else (contact, department, kind, value)
    return (identity, account, *scope, tuple(names), *others, *(("lifts",) if lifts else ()))


def _sorted(row: Values) -> tuple[RowValue, ...]:
    return tuple(tuple(sorted(each)) if isinstance(each, list) else each for each in row.values())


def _client(row: Values) -> tuple[RowValue, ...]:
    """Lay it out so that what a client does not have adds nothing: rows from before it was invented still verify."""
    *first, exchanges, owner = _sorted(row)
    return (*first, *(("exchanges",) if exchanges else ()), *(() if owner is None else ("owner", owner)))


def _code(row: Values) -> tuple[RowValue, ...]:
    """Lay out the sign-in first, as a family's, and what is the code's own after it."""
    own = ("redirect_uri", "challenge", "expires_at", "used_at")
    first = {name: value for name, value in row.items() if name not in own}
    return (*_sorted(first), *(row[name] for name in own))


def _job(row: Values) -> tuple[RowValue, ...]:
    """Lay out who asked for what; progress and outcome are the runs' own."""
    return tuple(_canonical(value) if name in {"payload", "subject"} else value for name, value in row.items())


def _version(row: Values) -> tuple[RowValue, ...]:
    return tuple(_digest(value) if name == "source" else value for name, value in row.items())


def _simulation(row: Values) -> tuple[RowValue, ...]:
    return tuple(_digest(value) if isinstance(value, str) else value for value in row.values())


def _item(row: Values) -> tuple[RowValue, ...]:
    return tuple(_canonical(value).decode() if name == "detail" else _plain(value) for name, value in row.items())


def _proposal(row: Values) -> tuple[RowValue, ...]:
    return ("contact.proposal", row["field"], row["digest"], row["envelope"])


def _consent(row: Values) -> tuple[RowValue, ...]:
    return ("consent", *(value for name, value in row.items() if name != "proof"), row["proof"])


def _photo(row: Values) -> tuple[RowValue, ...]:
    return ("contact_photo", row["contact_id"].bytes, row["image"], row["digest"], row["updated_at"])


def _contact(row: Values) -> tuple[RowValue, ...]:
    """Lay it out as the read path does; raises ``RowUnreadable`` for a column that the service never writes so."""
    plain = (row.get(name) for name in RowShape.PLAIN)
    sealed = (row[field.column] for field in CATALOGUE.protected)
    no_key = (b"", 0, 0, b"")
    return RowShape((*plain, *sealed, row["digests"], b"", *no_key)).covered


_CONTACT: Final = frozenset(
    {"kind", "worker_kind", "status", "secrecy", "user_name_key", "department_id", "memberships", "row_version"}
    | {"id", "tags", "contract_until", "consented", "digests", "mac"}
    | {field.column for field in CATALOGUE.protected}
)


def covers(tables: Mapping[str, Table]) -> Mapping[str, Cover]:
    """Give the cover of every table that has one; a contact's covers what policy reads, whatever else its row says."""
    return {
        **COVERS,
        "contact": Cover(
            person="id",
            beside=frozenset(each.name for each in tables["contact"].columns) - _CONTACT,
            values=_contact,
        ),
    }


COVERS: Final[Mapping[str, Cover]] = {
    "access_grant": Cover("access_grant", beside=frozenset({"created_at"}), values=_grant),
    "approval_decision": Cover("approval"),
    "approval_request": Cover("approval"),
    "approval_value": Cover(person="contact_id", beside=frozenset({"request_id"}), values=_proposal),
    "attachment": Cover("attachment"),
    "authorization_code": Cover("token_family", values=_code),
    "calling_privilege": Cover("calling"),
    "campaign": Cover("campaign", beside=frozenset(UNSEALED)),
    "campaign_decision": Cover("campaign"),
    "campaign_item": Cover("campaign", values=_item),
    "campaign_opening": Cover("campaign"),
    "client": Cover("client", beside=_DATES, values=_client),
    "client_handover": Cover(CUSTODY),
    "consent": Cover(person="contact_id", values=_consent),
    "contact_photo": Cover(person="contact_id", values=_photo),
    "deadline": Cover(DEADLINE),
    "delegation": Cover("delegation"),
    "department": Cover("department", beside=_DATES),
    "departure": Cover(DEPARTURE),
    "device": Cover("device"),
    "device_assignment": Cover("device"),
    "device_secret": Cover("device"),
    "emergency_appointment": Cover(EMERGENCY),
    "emergency_opening": Cover(EMERGENCY),
    "emergency_review": Cover(EMERGENCY),
    "emergency_session": Cover(EMERGENCY, beside=frozenset({"next_at"})),
    "emergency_sheet": Cover(EMERGENCY, beside=frozenset({"box"})),
    "engagement": Cover("engagement", beside=_DATES),
    "engagement_staff": Cover("engagement"),
    "hr_source": Cover(HR_SOURCE),
    "hr_subject": Cover("hr_subject"),
    "import_run": Cover(
        "import",
        beside=frozenset({"state", "done", "total", "counts", "proposals", "problem", "finished_at"}),
    ),
    "job": Cover(
        "job",
        beside=frozenset(
            {"state", "done", "total", "started_at", "finished_at", "heartbeat_at", "owner", "attempts"}
            | {"result", "problem"}
        ),
        values=_job,
    ),
    "notice": Cover("notice", beside=frozenset({"resource", "version", "created_at", "spread_at"})),
    "on_call_shift": Cover("on_call_shift"),
    "operator_act": Cover(CUSTODY),
    "password": Cover("password"),
    "person_link": Cover("person_link"),
    "policy_activation": Cover("policy"),
    "policy_simulation": Cover("policy", values=_simulation),
    "policy_version": Cover("policy", beside=frozenset({"canonical"}), values=_version),
    "privacy_acknowledgement": Cover("privacy_notice"),
    "privacy_notice": Cover("privacy_notice"),
    "provision": Cover(PROVISION, beside=frozenset({"state", "next_at"})),
    "provision_consent": Cover(PROVISION),
    "provision_package": Cover(PROVISION),
    "provision_part": Cover(PROVISION),
    "provision_return": Cover(PROVISION),
    "reconciliation": Cover(
        "reconciliation",
        beside=frozenset({"state", "done", "total", "counts", "outcomes", "notes", "problem", "finished_at"}),
    ),
    "reconciliation_release": Cover("reconciliation"),
    "redirect_uri": Cover("redirect_uri", beside=frozenset({"created_at"})),
    "refresh_token": Cover("token_family"),
    "scim_group": Cover("scim"),
    "scim_link": Cover("scim"),
    "standing_loan": Cover("standing_loan"),
    "standing_mark": Cover("standing_mark", beside=frozenset({"created_at"})),
    "token_family": Cover("token_family", values=_sorted),
    "totp": Cover("totp"),
    "undertaking": Cover(UNDERTAKING),
    "undertaking_text": Cover(UNDERTAKING),
    "user_account": Cover("user_account", beside=_DATES),
    "webhook": Cover("webhook", beside=frozenset({"updated_at"})),
}
"""The cover of each table with a MAC but ``contact``, whose columns are not known without its table."""
