"""Who may call what, over the whole application: one row per operation, one column per caller, the answer's status in the cell."""

from typing import Final

import pytest

from app.kit.models import new_id
from tests.support.application import World
from tests.support.problems import quoted

pytestmark = pytest.mark.asyncio(loop_scope="session")

CALLERS: Final = (
    None,
    "staff",
    "head",
    "hr",
    "steward",
    "infosec",
    "ceo",
    "intern",
    "it",
    "hr-system",
    "it-scripts",
    "siem",
    "directory-sync",
)

DEVICE: Final = {"kind": "desk_phone", "vendor": "yealink", "model": "T54W", "department": "NOWHERE"}
EXPORT: Final = {"format": "csv", "action": "contact.reveal"}
CONSENT: Final = {"fields": ["mobile"], "basis": "provision", "purpose": "work_contact"}
WITHDRAWAL: Final = {"fields": ["mobile"], "basis": "provision"}
DELEGATION: Final = {"to": "01936b00-0000-7000-8000-000000000001", "until": "2020-01-01T00:00:00Z"}
REVEAL: Final = {"fields": ["email"], "purpose": "work_contact", "reason": "a reason that is long enough"}
SHIFT: Final = {"person": "01936b00-0000-7000-8000-000000000001", "until": "2099-01-01"}
PASSED_ON: Final = {"to": "01936b00-0000-7000-8000-000000000001"}
REQUEST: Final = {
    "kind": "no.such_kind",
    "subject": {"type": "contact", "id": "01936b00-0000-7000-8000-000000000001"},
    "form": {},
}
EMERGENCY: Final = {"scenario": "safety", "reason": "a reason that is long enough", "departments": ["RD"]}
VERDICT: Final = {"side": "hr", "verdict": "justified", "comment": "a comment that is long enough"}
DEFERRAL: Final = {"reason": "a reason that is long enough", "until": "2099-01-01T00:00:00Z"}
APPOINTMENT: Final = {"person": "01936b00-0000-7000-8000-000000000001", "until": "2099-01-01T00:00:00Z"}
KEY: Final = {"public_key": "duanhao-custodian-1:" + "A" * 86}
RECORDS: Final = {"records": ["{}"]}
RETURN: Final = {"kind": "returned", "evidence": "evidence that is long enough"}
CONFIRMATION: Final = {"decision": "confirm", "comment": "a comment that is long enough"}
LOOKUP: Final = {"numbers": ["13800009999"], "purpose": "work_contact", "reason": "a reason that is long enough"}

#                                                       None staff head  hr  stew  sec  ceo  int   it  hrs  its  siem sync
MATRIX: Final[list[tuple[str, str, object, tuple[int, ...]]]] = [
    ("GET", "/v1/contacts", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/contacts/{core}", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/contacts/{core}/history", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("POST", "/v1/contacts/{core}/reveals", REVEAL, (401, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/contacts",
        {"name": "x", "tags": ["matrix"]},
        (401, 403, 403, 201, 201, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    ("PATCH", "/v1/contacts/{nobody}", {}, (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("DELETE", "/v1/contacts/{nobody}", None, (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("GET", "/v1/contacts/{core}/photo", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 404)),
    ("GET", "/v1/contacts/{core}/vcard", None, (401, 403, 200, 200, 200, 403, 403, 403, 403, 403, 403, 403, 200)),
    ("GET", "/v1/vcards", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("POST", "/v1/contacts/{core}/photo", {}, (401, 403, 403, 415, 415, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("DELETE", "/v1/contacts/{core}/photo", None, (401, 403, 403, 204, 204, 403, 403, 403, 403, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/contacts/{core}/engagements",
        None,
        (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200),
    ),
    (
        "POST",
        "/v1/contacts/{nobody}/engagements",
        {"account": "x", "staff": ["y"]},
        (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "GET",
        "/v1/contacts/{core}/engagements/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 404),
    ),
    (
        "PATCH",
        "/v1/contacts/{nobody}/engagements/{nobody}",
        {},
        (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "DELETE",
        "/v1/contacts/{nobody}/engagements/{nobody}",
        None,
        (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    ("GET", "/v1/request-kinds", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("POST", "/v1/request-previews", REQUEST, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("POST", "/v1/requests", REQUEST, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("GET", "/v1/requests", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/requests/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("GET", "/v1/requests/{nobody}/proposal", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/requests/{nobody}/decisions",
        {"decision": "approve"},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/request-decisions", {}, (401, 422, 422, 422, 422, 422, 422, 422, 422, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/requests/{nobody}/transfers",
        PASSED_ON,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/requests/{nobody}/additions",
        PASSED_ON,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/requests/{nobody}/comments",
        {"text": "x"},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/requests/{nobody}/withdrawals",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/requests/{nobody}/amendments", {}, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/requests/{nobody}/attachments",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "GET",
        "/v1/requests/{nobody}/attachments",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "GET",
        "/v1/requests/{nobody}/attachments/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/attachments", None, (401, 415, 415, 415, 415, 415, 415, 415, 415, 403, 403, 403, 403)),
    ("GET", "/v1/attachments", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/attachments/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("DELETE", "/v1/attachments/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("POST", "/v1/requests/{nobody}/returns", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/requests/{nobody}/revocations",
        {"reason": "x"},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/emergency-sessions", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("POST", "/v1/emergency-sessions", EMERGENCY, (401, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("GET", "/v1/emergency-sessions/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    (
        "DELETE",
        "/v1/emergency-sessions/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-sessions/{nobody}/confirmations",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-sessions/{nobody}/renewals",
        {},
        (401, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-sessions/{nobody}/reviews",
        VERDICT,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-sessions/{nobody}/deferrals",
        DEFERRAL,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "GET",
        "/v1/emergency-sessions/{nobody}/call-list",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/emergency-eligibility", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/emergency-eligibility",
        APPOINTMENT,
        (401, 403, 403, 403, 403, 422, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "DELETE",
        "/v1/emergency-eligibility/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-eligibility/{nobody}/confirmations",
        None,
        (401, 403, 403, 404, 403, 404, 404, 403, 403, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-eligibility/{nobody}/keys",
        KEY,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/emergency-sheets", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/emergency-sheets/{nobody}/content",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/emergency-sheets/{nobody}/openings",
        RECORDS,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/provisions", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/provisions/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/provisions/{nobody}/packages",
        {},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/provisions/{nobody}/returns",
        RETURN,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/provisions/{nobody}/return-confirmations",
        CONFIRMATION,
        (401, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    ("GET", "/v1/webhooks", None, (401, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403, 403)),
    ("POST", "/v1/webhooks", {}, (401, 403, 403, 403, 403, 403, 403, 403, 422, 403, 403, 403, 403)),
    ("GET", "/v1/webhooks/{nobody}", None, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403)),
    ("PATCH", "/v1/webhooks/{nobody}", {}, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403)),
    ("DELETE", "/v1/webhooks/{nobody}", None, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/webhooks/{nobody}/secret-rotations",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/webhooks/{nobody}/pings", None, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/webhooks/{nobody}/deliveries",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/webhook-deliveries/{nobody}", None, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/webhook-deliveries/{nobody}/replays",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/engagements", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("POST", "/v1/engagements/batches", {}, (401, 403, 403, 422, 422, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("GET", "/v1/history-purges", None, (401, 403, 403, 403, 200, 200, 403, 403, 403, 403, 403, 403, 403)),
    ("GET", "/v1/history-purges/{nobody}", None, (401, 403, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/history-purges/{nobody}/keys",
        None,
        (401, 403, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403),
    ),
    ("GET", "/v1/campaigns", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("POST", "/v1/campaigns", {}, (401, 422, 422, 422, 422, 422, 422, 422, 422, 403, 403, 403, 403)),
    ("GET", "/v1/campaigns/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("DELETE", "/v1/campaigns/{nobody}", None, (401, 403, 403, 404, 404, 404, 403, 403, 403, 403, 403, 403, 403)),
    ("GET", "/v1/campaigns/{nobody}/items", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/campaigns/{nobody}/items/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/campaigns/{nobody}/items/{nobody}/decisions",
        {"verdict": "keep"},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/campaigns/{nobody}/decisions",
        {"keep": "low_risk"},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/me/card-confirmations", None, (401, 201, 201, 201, 201, 201, 201, 201, 201, 403, 403, 403, 403)),
    ("GET", "/v1/me", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/me/viewed-by", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/clients", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/clients/crm", None, (401, 404, 404, 404, 404, 200, 404, 404, 200, 403, 403, 403, 403)),
    ("POST", "/v1/clients/crm/secrets", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("GET", "/v1/me/totp", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("POST", "/v1/me/totp", None, (401, 401, 401, 401, 401, 401, 401, 401, 401, 403, 403, 403, 403)),
    ("DELETE", "/v1/me/totp", None, (401, 401, 401, 401, 401, 401, 401, 401, 401, 403, 403, 403, 403)),
    ("POST", "/v1/me/totp/confirmations", {}, (401, 422, 422, 422, 422, 422, 422, 422, 422, 403, 403, 403, 422)),
    ("GET", "/v1/fields", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/tags", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("POST", "/v1/tags", {}, (401, 403, 403, 422, 422, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("DELETE", "/v1/tags/nowhere", None, (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403)),
    ("GET", "/v1/roles", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/roles/hr/holders", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/tiers", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/grants", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/grants?holder={nobody}", None, (401, 403, 403, 403, 403, 200, 403, 403, 200, 403, 403, 403, 403)),
    ("DELETE", "/v1/grants/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("GET", "/v1/delegations", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/delegations?person={nobody}", None, (401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 403)),
    ("POST", "/v1/delegations", DELEGATION, (401, 422, 422, 422, 422, 422, 422, 422, 422, 403, 403, 403, 403)),
    ("GET", "/v1/delegations/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("DELETE", "/v1/delegations/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403)),
    ("GET", "/v1/on-call-rosters/hr", None, (401, 403, 403, 200, 200, 200, 403, 403, 403, 403, 403, 403, 403)),
    ("POST", "/v1/on-call-rosters/hr/shifts", SHIFT, (401, 403, 403, 403, 422, 403, 403, 403, 403, 403, 403, 403, 403)),
    (
        "DELETE",
        "/v1/on-call-rosters/hr/shifts/{nobody}",
        None,
        (401, 403, 403, 403, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/requests/{nobody}/reveals",
        REVEAL,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/lookups", LOOKUP, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/departments", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("POST", "/v1/departments", {}, (401, 403, 403, 422, 422, 403, 403, 403, 422, 403, 403, 403, 403)),
    ("GET", "/v1/collection-forms", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/privacy-notices", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("POST", "/v1/privacy-notices", {}, (401, 403, 403, 422, 422, 403, 403, 403, 403, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/privacy-notices/{nobody}/acknowledgements",
        None,
        (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/privacy-notices/{nobody}/acknowledgements",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("GET", "/v1/contacts/{core}/consents", None, (401, 404, 404, 200, 200, 200, 404, 404, 404, 403, 403, 403, 404)),
    (
        "POST",
        "/v1/contacts/{core}/consents",
        CONSENT,
        (401, 404, 404, 422, 422, 403, 404, 404, 404, 403, 403, 403, 403),
    ),
    (
        "POST",
        "/v1/contacts/{core}/consents/withdrawals",
        WITHDRAWAL,
        (401, 404, 404, 422, 422, 403, 404, 404, 404, 403, 403, 403, 403),
    ),
    ("POST", "/v1/hr/events", {}, (401, 403, 403, 403, 403, 403, 403, 403, 403, 422, 403, 403, 403)),
    ("POST", "/v1/hr/events/batches", {}, (401, 403, 403, 403, 403, 403, 403, 403, 403, 422, 403, 403, 403)),
    ("GET", "/v1/hr/events", None, (401, 403, 403, 403, 403, 403, 403, 403, 403, 200, 403, 403, 403)),
    ("GET", "/v1/hr/events/{nobody}", None, (401, 403, 403, 403, 403, 403, 403, 403, 403, 404, 403, 403, 403)),
    ("GET", "/v1/number-domains", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403)),
    ("POST", "/v1/number-domains", {}, (401, 403, 403, 403, 403, 403, 403, 403, 422, 403, 422, 403, 403)),
    ("GET", "/v1/number-domains/nowhere", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("PATCH", "/v1/number-domains/nowhere", {}, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403)),
    ("GET", "/v1/reserved-numbers", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403)),
    ("POST", "/v1/reserved-numbers", {}, (401, 403, 403, 403, 403, 403, 403, 403, 422, 403, 422, 403, 403)),
    ("DELETE", "/v1/reserved-numbers/77", None, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403)),
    ("POST", "/v1/number-validations", {}, (401, 422, 422, 422, 422, 422, 422, 422, 422, 403, 422, 403, 403)),
    ("GET", "/v1/number-pools", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403)),
    ("POST", "/v1/number-pools", {}, (401, 403, 403, 403, 403, 403, 403, 403, 422, 403, 422, 403, 403)),
    ("GET", "/v1/number-pools/nowhere", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("PATCH", "/v1/number-pools/nowhere", {}, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403)),
    ("GET", "/v1/number-pools/nowhere/ranges", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("POST", "/v1/number-pools/nowhere/ranges", {}, (401, 403, 403, 403, 403, 403, 403, 403, 422, 403, 422, 403, 403)),
    (
        "POST",
        "/v1/number-pools/nowhere/ranges",
        {"start": "70", "end": "71"},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "GET",
        "/v1/number-pools/nowhere/available",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403),
    ),
    (
        "GET",
        "/v1/number-pools/nowhere/utilisation",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403),
    ),
    (
        "GET",
        "/v1/number-pools/nowhere/forecast",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/number-pools/nowhere/allocations",
        {"holder": {"id": "x"}},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    ("GET", "/v1/numbers", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403)),
    ("GET", "/v1/numbers/99", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("GET", "/v1/numbers/99/history", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("GET", "/v1/devices", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403)),
    ("POST", "/v1/devices", DEVICE, (401, 403, 403, 403, 403, 403, 403, 403, 422, 403, 422, 403, 403)),
    ("GET", "/v1/devices/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    (
        "PATCH",
        "/v1/devices/{nobody}",
        {"label": "x"},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403),
    ),
    ("DELETE", "/v1/devices/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("POST", "/v1/devices/{nobody}/secrets", {}, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    (
        "POST",
        "/v1/devices/{nobody}/assignments",
        {"holder": {"id": "x"}},
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403),
    ),
    ("POST", "/v1/devices/{nobody}/returns", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("POST", "/v1/devices/{nobody}/losses", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    ("GET", "/v1/calling-privileges", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200, 403, 403)),
    ("GET", "/v1/calling-privileges/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403)),
    (
        "DELETE",
        "/v1/calling-privileges/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404, 403, 403),
    ),
    ("POST", "/v1/numbers/99/releases", {}, (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403)),
    (
        "POST",
        "/v1/numbers/99/transfers",
        {"to": {"type": "department", "id": "RD"}},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/numbers/99/swaps",
        {"with": "98"},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/numbers/99/restorations",
        {},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/numbers/99/confirmations",
        {},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/numbers/99/blocks",
        {"reason": "other"},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "DELETE",
        "/v1/numbers/99/blocks",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/numbers/99/reservations",
        {"purpose": "xx"},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "DELETE",
        "/v1/numbers/99/reservations",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/numbers/99/retirements",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "POST",
        "/v1/number-holds",
        {"pool": "nowhere", "purpose": "xx"},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "PATCH",
        "/v1/number-holds/{nobody}",
        {"minutes": 5},
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    (
        "DELETE",
        "/v1/number-holds/{nobody}",
        None,
        (401, 403, 403, 403, 403, 403, 403, 403, 404, 403, 404, 403, 403),
    ),
    ("GET", "/v1/policy", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/policy/versions", None, (401, 403, 403, 403, 403, 200, 403, 403, 200, 403, 403, 403, 403)),
    ("POST", "/v1/policy/versions", {}, (401, 403, 403, 403, 403, 422, 403, 403, 422, 403, 403, 403, 403)),
    ("GET", "/v1/policy/versions/{nobody}", None, (401, 403, 403, 403, 403, 404, 403, 403, 404, 403, 403, 403, 403)),
    ("GET", "/v1/policy/activations", None, (401, 403, 403, 403, 403, 200, 403, 403, 200, 403, 403, 403, 403)),
    (
        "POST",
        "/v1/policy/simulations",
        {"candidate": {}},
        (401, 403, 403, 403, 403, 422, 403, 403, 422, 403, 403, 403, 403),
    ),
    ("GET", "/v1/policy/simulations/{nobody}", None, (401, 403, 403, 403, 403, 404, 403, 403, 404, 403, 403, 403, 403)),
    (
        "GET",
        "/v1/calendar?from=2026-02-09&to=2026-02-28",
        None,
        (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200),
    ),
    (
        "GET",
        "/v1/calendar/due-dates?from=2026-02-13T17:59:59Z&days=3",
        None,
        (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200),
    ),
    ("GET", "/v1/calendar/revisions", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    (
        "GET",
        "/v1/calendar/revisions/{nobody}",
        None,
        (401, 404, 404, 404, 404, 404, 404, 404, 404, 403, 403, 403, 404),
    ),
    (
        "POST",
        "/v1/calendar/revisions",
        {"source": "x"},
        (401, 403, 403, 422, 422, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    (
        "DELETE",
        "/v1/calendar/days/2026-03-03",
        None,
        (401, 403, 403, 404, 404, 403, 403, 403, 403, 403, 403, 403, 403),
    ),
    ("GET", "/v1/jobs", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 200)),
    ("GET", "/v1/jobs/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404)),
    ("GET", "/v1/jobs/{nobody}/rows", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404)),
    ("DELETE", "/v1/jobs/{nobody}", None, (401, 404, 404, 404, 404, 404, 404, 404, 404, 404, 404, 403, 404)),
    ("GET", "/v1/access-events", None, (401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 200, 403)),
    ("GET", "/v1/access-events/{nobody}", None, (401, 403, 403, 403, 403, 404, 403, 403, 403, 403, 403, 404, 403)),
    ("GET", "/v1/access-events/summary", None, (401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 200, 403)),
    ("POST", "/v1/access-events/exports", EXPORT, (401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 200, 403)),
    ("GET", "/v1/access-log/checkpoint", None, (401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 200, 403)),
    (
        "GET",
        "/v1/contacts/{core}/access-report",
        None,
        (401, 403, 403, 403, 403, 200, 403, 403, 403, 403, 403, 403, 403),
    ),
    ("GET", "/v1/me/access-report", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403)),
    ("GET", "/v1/policy/clauses", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    ("GET", "/v1/policy/page", None, (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200)),
    (
        "POST",
        "/v1/policy/explanations",
        {"contact": "{core}"},
        (401, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 200),
    ),
    ("GET", "/livez", None, (200,) * 13),
    ("GET", "/readyz", None, (200,) * 13),
    ("GET", "/.well-known/jwks.json", None, (200,) * 13),
    ("GET", "/openapi.json", None, (200,) * 13),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "statuses"), MATRIX, ids=[f"{each[0]} {each[1]}" for each in MATRIX]
)
async def test_each_caller_gets_exactly_what_the_matrix_says(
    shared: World,
    method: str,
    path: str,
    body: object,
    statuses: tuple[int, ...],
) -> None:
    at = path.format(core=shared.people["core"], nobody=new_id())
    if isinstance(body, dict) and "contact" in body:
        body = {**body, "contact": str(shared.people["core"])}
    found = []
    for caller in CALLERS:
        answer = await (await shared.as_(caller)).request(method, at, json=body, headers={"If-Match": "*"})
        found.append(answer.status_code)
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert quoted(answer) == []
    assert dict(zip(CALLERS, found, strict=True)) == dict(zip(CALLERS, statuses, strict=True))
