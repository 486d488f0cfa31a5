"""Every route of the application, with what guards it: a new one, or one whose guard changed, has to be written down here."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import pytest
from fastapi import Depends, FastAPI

from app.config import Settings
from app.kit.routing import GuardedRoute, GuardedRouter, UnguardedRouteError, public
from app.main import create_app
from app.permissions.guard import LookGuard, ViewerGuard

PUBLIC: Final = "public"

INVENTORY: Final = {
    ("GET", "/v1/contacts"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/contacts"): ("WriteGuard", ("contacts:write",), False),
    ("GET", "/v1/contacts/{id}"): ("LookGuard", ("contacts:read",), True),
    ("PATCH", "/v1/contacts/{id}"): ("WriteGuard", ("contacts:write",), False),
    ("DELETE", "/v1/contacts/{id}"): ("WriteGuard", ("contacts:write",), False),
    ("POST", "/v1/contacts/{id}/reveals"): ("LookGuard", ("contacts:reveal",), True),
    ("GET", "/v1/contacts/{id}/history"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/contacts/{id}/photo"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/contacts/{id}/card.vcf"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/vcards"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/contact-exports/{format}"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/contacts/{id}/photo"): ("WriteGuard", ("contacts:write",), False),
    ("DELETE", "/v1/contacts/{id}/photo"): ("WriteGuard", ("contacts:write",), False),
    ("GET", "/v1/contacts/{id}/engagements"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/contacts/{id}/engagements"): ("WriteGuard", ("engagements:write",), False),
    ("GET", "/v1/contacts/{id}/engagements/{engagement}"): ("LookGuard", ("contacts:read",), True),
    ("PATCH", "/v1/contacts/{id}/engagements/{engagement}"): ("WriteGuard", ("engagements:write",), False),
    ("DELETE", "/v1/contacts/{id}/engagements/{engagement}"): ("WriteGuard", ("engagements:write",), False),
    ("GET", "/v1/request-kinds"): ("KindsGuard", ("approvals:use",), False),
    ("POST", "/v1/request-previews"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/requests"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/requests"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/requests/{id}"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/requests/{id}/proposal"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/requests/{id}/decisions"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/transfers"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/additions"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/comments"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/withdrawals"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/amendments"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/returns"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/revocations"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/attachments"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/requests/{id}/attachments"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/requests/{id}/attachments/{attachment}"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/attachments"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/attachments"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/attachments/{id}"): ("LookGuard", ("approvals:use",), True),
    ("DELETE", "/v1/attachments/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/request-decisions"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/engagements"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/engagements/batches"): ("WriteGuard", ("engagements:write",), False),
    ("GET", "/v1/history-purges"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/history-purges/{id}"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/history-purges/{id}/keys"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/campaigns"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/campaigns"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/campaigns/{id}"): ("LookGuard", ("contacts:read",), True),
    ("DELETE", "/v1/campaigns/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/campaigns/{id}/items"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/campaigns/{id}/items/{item}"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/campaigns/{id}/items/{item}/decisions"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/campaigns/{id}/decisions"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/me/card-confirmations"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/me"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/me/viewed-by"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/me/totp"): ("OwnProofGuard", ("contacts:read",), False),
    ("POST", "/v1/me/totp"): ("OwnProofGuard", ("contacts:read",), False),
    ("DELETE", "/v1/me/totp"): ("OwnProofGuard", ("contacts:read",), False),
    ("POST", "/v1/me/totp/confirmations"): ("OwnProofGuard", ("contacts:read",), False),
    ("GET", "/v1/clients"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/clients/{id}"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/clients/{id}/secrets"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/fields"): ("GuideGuard", ("contacts:read",), False),
    ("GET", "/v1/changes"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/tags"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/tags"): ("WriteGuard", ("contacts:write",), False),
    ("DELETE", "/v1/tags/{tag}"): ("WriteGuard", ("contacts:write",), False),
    ("GET", "/v1/suggestions"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/roles"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/roles/{role}/holders"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/tiers"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/grants"): ("LookGuard", ("contacts:read",), True),
    ("DELETE", "/v1/grants/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/delegations"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/delegations"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/delegations/{id}"): ("LookGuard", ("approvals:use",), True),
    ("DELETE", "/v1/delegations/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/on-call-rosters/{role}"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/on-call-rosters/{role}/shifts"): ("WriteGuard", ("approvals:use",), False),
    ("DELETE", "/v1/on-call-rosters/{role}/shifts/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/requests/{id}/reveals"): ("LookGuard", ("contacts:reveal",), True),
    ("POST", "/v1/lookups"): ("LookGuard", ("contacts:lookup", "contacts:reveal"), True),
    ("GET", "/v1/phonebooks/{vendor}"): ("DeviceGuard", (), True),
    ("GET", "/v1/phonebooks/{vendor}/phonebook.xml"): ("DeviceGuard", (), True),
    ("GET", "/v1/caller-names/{digits}"): ("CallerNameGuard", ("caller-names:read",), True),
    ("GET", "/v1/departments"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/departments"): ("WriteGuard", ("departments:write",), False),
    ("GET", "/v1/departments/{id}"): ("LookGuard", ("contacts:read",), True),
    ("PATCH", "/v1/departments/{id}"): ("WriteGuard", ("departments:write",), False),
    ("DELETE", "/v1/departments/{id}"): ("WriteGuard", ("departments:write",), False),
    ("GET", "/v1/collection-forms"): ("TextGuard", ("contacts:read",), False),
    ("GET", "/v1/privacy-notices"): ("TextGuard", ("contacts:read",), False),
    ("POST", "/v1/privacy-notices"): ("WriteGuard", ("contacts:write",), False),
    ("GET", "/v1/privacy-notices/{id}/acknowledgements"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/privacy-notices/{id}/acknowledgements"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/departures"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/departures/{id}"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/confidentiality-undertakings"): ("TextGuard", ("contacts:read",), False),
    ("POST", "/v1/confidentiality-undertakings"): ("WriteGuard", ("contacts:write",), False),
    ("POST", "/v1/confidentiality-undertakings/{id}/confirmations"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/contacts/{id}/consents"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/contacts/{id}/consents"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/contacts/{id}/consents/withdrawals"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/emergency-sessions"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/emergency-sessions"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/emergency-sessions/{id}"): ("LookGuard", ("contacts:read",), True),
    ("DELETE", "/v1/emergency-sessions/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/emergency-sessions/{id}/confirmations"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/emergency-sessions/{id}/renewals"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/emergency-sessions/{id}/reviews"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/emergency-sessions/{id}/deferrals"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/emergency-sessions/{id}/call-list"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/emergency-eligibility"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/emergency-eligibility"): ("WriteGuard", ("approvals:use",), False),
    ("DELETE", "/v1/emergency-eligibility/{id}"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/emergency-eligibility/{id}/confirmations"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/emergency-eligibility/{id}/keys"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/emergency-sheets"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/emergency-sheets/{id}/content"): ("LookGuard", ("contacts:read",), True),
    ("POST", "/v1/emergency-sheets/{id}/openings"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/provisions"): ("LookGuard", ("approvals:use",), True),
    ("GET", "/v1/provisions/{id}"): ("LookGuard", ("approvals:use",), True),
    ("POST", "/v1/provisions/{id}/packages"): ("PackageGuard", ("approvals:use",), True),
    ("POST", "/v1/provisions/{id}/returns"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/provisions/{id}/return-confirmations"): ("WriteGuard", ("approvals:use",), False),
    ("POST", "/v1/hr/events/{id}/replays"): ("IntakeGuard", ("hr:settle", "hr:write"), False),
    ("POST", "/v1/hr/events/{id}/skips"): ("IntakeGuard", ("hr:settle", "hr:write"), False),
    ("POST", "/v1/hr/events"): ("IntakeGuard", ("hr:write",), False),
    ("POST", "/v1/hr/events/batches"): ("IntakeGuard", ("hr:write",), False),
    ("GET", "/v1/hr/events"): ("LookGuard", ("hr:settle", "hr:write"), True),
    ("GET", "/v1/hr/events/{id}"): ("LookGuard", ("hr:settle", "hr:write"), True),
    ("GET", "/v1/number-domains"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/number-domains"): ("WriteGuard", ("numbers:admin",), False),
    ("GET", "/v1/number-domains/{id}"): ("LookGuard", ("numbers:read",), True),
    ("PATCH", "/v1/number-domains/{id}"): ("WriteGuard", ("numbers:admin",), False),
    ("GET", "/v1/reserved-numbers"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/reserved-numbers"): ("WriteGuard", ("numbers:admin",), False),
    ("DELETE", "/v1/reserved-numbers/{digits}"): ("WriteGuard", ("numbers:admin",), False),
    ("POST", "/v1/number-validations"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/number-checks"): ("LookGuard", ("numbers:admin",), True),
    ("POST", "/v1/number-reconciliations"): ("LookGuard", ("numbers:admin",), True),
    ("GET", "/v1/number-exports/{format}"): ("LookGuard", ("numbers:export",), True),
    ("GET", "/v1/number-pools"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/number-pools"): ("WriteGuard", ("numbers:admin",), False),
    ("GET", "/v1/number-pools/{id}"): ("LookGuard", ("numbers:read",), True),
    ("PATCH", "/v1/number-pools/{id}"): ("WriteGuard", ("numbers:admin",), False),
    ("GET", "/v1/number-pools/{id}/ranges"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/number-pools/{id}/ranges"): ("WriteGuard", ("numbers:admin",), False),
    ("PATCH", "/v1/number-pools/{id}/ranges/{range}"): ("WriteGuard", ("numbers:admin",), False),
    ("GET", "/v1/number-pools/{id}/available"): ("LookGuard", ("numbers:read",), True),
    ("GET", "/v1/number-pools/{id}/utilisation"): ("LookGuard", ("numbers:read",), True),
    ("GET", "/v1/number-pools/{id}/forecast"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/number-pools/{id}/allocations"): ("WriteGuard", ("numbers:allocate",), False),
    ("GET", "/v1/numbers"): ("LookGuard", ("numbers:read",), True),
    ("GET", "/v1/numbers/{digits}"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/numbers/{digits}/releases"): ("WriteGuard", ("numbers:allocate",), False),
    ("POST", "/v1/numbers/{digits}/transfers"): ("WriteGuard", ("numbers:allocate",), False),
    ("POST", "/v1/numbers/{digits}/swaps"): ("WriteGuard", ("numbers:allocate",), False),
    ("POST", "/v1/numbers/{digits}/restorations"): ("WriteGuard", ("numbers:allocate",), False),
    ("POST", "/v1/numbers/{digits}/confirmations"): ("WriteGuard", ("numbers:allocate",), False),
    ("POST", "/v1/numbers/{digits}/blocks"): ("WriteGuard", ("numbers:allocate",), False),
    ("DELETE", "/v1/numbers/{digits}/blocks"): ("WriteGuard", ("numbers:admin",), False),
    ("POST", "/v1/numbers/{digits}/reservations"): ("WriteGuard", ("numbers:admin",), False),
    ("DELETE", "/v1/numbers/{digits}/reservations"): ("WriteGuard", ("numbers:admin",), False),
    ("POST", "/v1/numbers/{digits}/retirements"): ("WriteGuard", ("numbers:admin",), False),
    ("GET", "/v1/number-holds"): ("LookGuard", ("numbers:read",), True),
    ("GET", "/v1/number-holds/{id}"): ("LookGuard", ("numbers:read",), True),
    ("POST", "/v1/number-holds"): ("WriteGuard", ("numbers:allocate",), False),
    ("PATCH", "/v1/number-holds/{id}"): ("WriteGuard", ("numbers:allocate",), False),
    ("DELETE", "/v1/number-holds/{id}"): ("WriteGuard", ("numbers:allocate",), False),
    ("GET", "/v1/numbers/{digits}/history"): ("LookGuard", ("numbers:read",), True),
    ("GET", "/v1/devices"): ("LookGuard", ("devices:read",), True),
    ("POST", "/v1/devices"): ("WriteGuard", ("devices:write",), False),
    ("GET", "/v1/devices/{id}"): ("LookGuard", ("devices:read",), True),
    ("PATCH", "/v1/devices/{id}"): ("WriteGuard", ("devices:write",), False),
    ("DELETE", "/v1/devices/{id}"): ("WriteGuard", ("devices:write",), False),
    ("POST", "/v1/devices/{id}/secrets"): ("WriteGuard", ("devices:write",), False),
    ("POST", "/v1/devices/{id}/assignments"): ("WriteGuard", ("devices:write",), False),
    ("POST", "/v1/devices/{id}/returns"): ("WriteGuard", ("devices:write",), False),
    ("POST", "/v1/devices/{id}/losses"): ("WriteGuard", ("devices:write",), False),
    ("POST", "/v1/hr/reconciliations"): ("WriteGuard", ("hr:write",), False),
    ("GET", "/v1/hr/reconciliations"): ("LookGuard", ("contacts:read", "hr:write"), True),
    ("GET", "/v1/hr/reconciliations/{id}"): ("LookGuard", ("contacts:read", "hr:write"), True),
    ("GET", "/v1/hr/reconciliations/{id}/rows"): ("LookGuard", ("contacts:read", "hr:write"), True),
    ("POST", "/v1/hr/reconciliations/{id}/applications"): ("WriteGuard", ("hr:write",), False),
    ("POST", "/v1/imports"): ("WriteGuard", ("contacts:write", "hr:write", "numbers:admin"), False),
    ("GET", "/v1/imports"): ("LookGuard", ("contacts:write", "hr:write", "numbers:admin"), True),
    ("GET", "/v1/imports/{id}"): ("LookGuard", ("contacts:write", "hr:write", "numbers:admin"), True),
    ("GET", "/v1/imports/{id}/rows"): ("LookGuard", ("contacts:write", "hr:write", "numbers:admin"), True),
    ("GET", "/v1/calling-privileges"): ("LookGuard", ("numbers:read",), True),
    ("GET", "/v1/calling-privileges/{id}"): ("LookGuard", ("numbers:read",), True),
    ("DELETE", "/v1/calling-privileges/{id}"): ("WriteGuard", ("numbers:read",), False),
    ("GET", "/v1/deadlines"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/deadlines/summary"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/deadlines/{id}"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/policy"): ("RulesGuard", ("contacts:read",), False),
    ("GET", "/v1/policy/versions"): ("LookGuard", ("access-log:read", "policy:admin"), True),
    ("POST", "/v1/policy/versions"): ("WriteGuard", ("policy:admin",), False),
    ("GET", "/v1/policy/versions/{id}"): ("LookGuard", ("access-log:read", "policy:admin"), True),
    ("GET", "/v1/policy/activations"): ("LookGuard", ("access-log:read", "policy:admin"), True),
    ("POST", "/v1/policy/simulations"): ("WriteGuard", ("access-log:read", "policy:admin"), False),
    ("GET", "/v1/policy/simulations/{id}"): ("LookGuard", ("access-log:read", "policy:admin"), True),
    ("GET", "/v1/calendar"): ("CalendarGuard", ("contacts:read",), False),
    ("GET", "/v1/calendar/due-dates"): ("CalendarGuard", ("contacts:read",), False),
    ("GET", "/v1/calendar/revisions"): ("CalendarGuard", ("contacts:read",), False),
    ("GET", "/v1/calendar/revisions/{id}"): ("CalendarGuard", ("contacts:read",), False),
    ("POST", "/v1/calendar/revisions"): ("WriteGuard", ("approvals:use",), False),
    ("DELETE", "/v1/calendar/days/{day}"): ("WriteGuard", ("approvals:use",), False),
    ("GET", "/v1/jobs"): ("LookGuard", ("contacts:read", "hr:write", "numbers:admin", "policy:admin"), True),
    ("GET", "/v1/jobs/{id}"): ("LookGuard", ("contacts:read", "hr:write", "numbers:admin", "policy:admin"), True),
    ("GET", "/v1/jobs/{id}/rows"): ("LookGuard", ("contacts:read", "hr:write", "numbers:admin", "policy:admin"), True),
    ("DELETE", "/v1/jobs/{id}"): ("WriteGuard", ("contacts:read", "hr:write", "numbers:admin", "policy:admin"), False),
    ("GET", "/v1/webhooks"): ("LookGuard", ("webhooks:admin",), True),
    ("POST", "/v1/webhooks"): ("WriteGuard", ("webhooks:admin",), False),
    ("GET", "/v1/webhooks/{id}"): ("LookGuard", ("webhooks:admin",), True),
    ("PATCH", "/v1/webhooks/{id}"): ("WriteGuard", ("webhooks:admin",), False),
    ("DELETE", "/v1/webhooks/{id}"): ("WriteGuard", ("webhooks:admin",), False),
    ("POST", "/v1/webhooks/{id}/secret-rotations"): ("WriteGuard", ("webhooks:admin",), False),
    ("POST", "/v1/webhooks/{id}/pings"): ("WriteGuard", ("webhooks:admin",), False),
    ("GET", "/v1/webhooks/{id}/deliveries"): ("LookGuard", ("webhooks:admin",), True),
    ("GET", "/v1/webhook-deliveries/{id}"): ("LookGuard", ("webhooks:admin",), True),
    ("POST", "/v1/webhook-deliveries/{id}/replays"): ("WriteGuard", ("webhooks:admin",), False),
    ("GET", "/v1/access-events"): ("LookGuard", ("access-log:read",), True),
    ("GET", "/v1/access-events/{id}"): ("LookGuard", ("access-log:read",), True),
    ("GET", "/v1/access-events/summary"): ("LookGuard", ("access-log:read",), True),
    ("POST", "/v1/access-events/exports"): ("LookGuard", ("access-log:read",), True),
    ("GET", "/v1/access-log/checkpoint"): ("LookGuard", ("access-log:read",), True),
    ("POST", "/v1/policy/explanations"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/contacts/{id}/access-report"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/me/access-report"): ("LookGuard", ("contacts:read",), True),
    ("GET", "/v1/policy/clauses"): ("RulesGuard", ("contacts:read",), False),
    ("GET", "/v1/policy/page"): ("RulesGuard", ("contacts:read",), False),
    ("POST", "/v1/policy/mask-strengths"): ("WriteGuard", ("access-log:read", "policy:admin"), False),
    ("POST", "/oauth/token"): (PUBLIC, (), False),
    ("GET", "/oauth/authorize"): (PUBLIC, (), False),
    ("POST", "/oauth/authorize"): (PUBLIC, (), False),
    ("POST", "/oauth/revoke"): (PUBLIC, (), False),
    ("POST", "/oauth/introspect"): (PUBLIC, (), False),
    ("GET", "/.well-known/jwks.json"): (PUBLIC, (), False),
    ("GET", "/.well-known/oauth-authorization-server"): (PUBLIC, (), False),
    ("GET", "/scim/v2/ServiceProviderConfig"): ("DescriptionGuard", ("scim",), False),
    ("GET", "/scim/v2/ResourceTypes"): ("DescriptionGuard", ("scim",), False),
    ("GET", "/scim/v2/ResourceTypes/{name}"): ("DescriptionGuard", ("scim",), False),
    ("GET", "/scim/v2/Schemas"): ("DescriptionGuard", ("scim",), False),
    ("GET", "/scim/v2/Schemas/{name}"): ("DescriptionGuard", ("scim",), False),
    **{
        (method, path): ("ProvisioningGuard", ("scim",), True)
        for path in ("/scim/v2", "/scim/v2/{path:path}")
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
    },
    ("GET", "/livez"): (PUBLIC, (), False),
    ("GET", "/readyz"): (PUBLIC, (), False),
    ("GET", "/docs"): (PUBLIC, (), False),
    ("GET", "/docs/assets/{name}"): (PUBLIC, (), False),
}

CHECKED_BY_HAND: Final = frozenset({"/openapi.json"})
"""What the framework serves itself: the description of the API, which holds no data."""


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """Build the application; nothing is opened."""
    return create_app(Settings())


def routes(found: Iterable[Any]) -> Iterator[Any]:
    """Walk routers in routers."""
    for route in found:
        inner = getattr(route, "original_router", None)
        if inner is None:
            yield route
        else:
            yield from routes(inner.routes)


def described(app: FastAPI) -> set[tuple[str, str]]:
    """List what OpenAPI describes."""
    return {(method.upper(), path) for path, operations in app.openapi()["paths"].items() for method in operations}


def test_every_route_is_written_down_with_its_guard(app: FastAPI) -> None:
    whole = {path for _, path in INVENTORY}
    found: dict[tuple[str, str], tuple[str, tuple[str, ...], bool]] = {}
    for route in routes(app.routes):
        if route.path in CHECKED_BY_HAND:
            continue
        assert isinstance(route, GuardedRoute), route.path
        (path,) = [each for each in whole if each in {route.path, f"/v1{route.path}"}]
        for method in route.methods or ():
            if route.public_reason is not None:
                assert len(route.public_reason) > 10
                assert route.guards == []
                found[method, path] = (PUBLIC, (), False)
                continue
            (guard,) = route.guards
            found[method, path] = (type(guard).__name__, tuple(sorted(guard.scopes)), guard.discloses)
    assert found == INVENTORY


def test_openapi_describes_all_of_them_but_the_documentation_and_what_describes_itself(app: FastAPI) -> None:
    assert described(app) == {place for place in INVENTORY if not place[1].startswith(("/docs", "/scim"))}


def test_every_operation_has_a_summary_and_names_its_problems(app: FastAPI) -> None:
    for path, operations in app.openapi()["paths"].items():
        for method, operation in operations.items():
            place = f"{method} {path}"
            assert operation["summary"], place
            guard, scopes, _ = INVENTORY[method.upper(), path]
            if guard == PUBLIC:
                continue
            refused = {"401", "403", "503"} if scopes else {"401", "503"}
            assert refused <= set(operation["responses"]), place
            for status, response in operation["responses"].items():
                if not status.startswith(("4", "5")):
                    continue
                (content,) = response["content"].items()
                assert content[0] == "application/problem+json", place
                assert content[1]["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}, place
                for code, example in content[1]["examples"].items():
                    assert example["value"]["code"] == code
                    assert str(example["value"]["status"]) == status


def test_a_route_without_a_guard_is_refused_when_it_is_declared() -> None:
    router = GuardedRouter()
    with pytest.raises(UnguardedRouteError, match="/open"):

        @router.get("/open")
        async def forgotten() -> None: ...


def test_a_route_cannot_be_guarded_and_public() -> None:
    router = GuardedRouter()
    with pytest.raises(UnguardedRouteError, match="/both"):

        @router.get("/both", dependencies=[Depends(ViewerGuard("contacts:read"))])
        @public("somebody could not decide")
        async def both() -> None: ...


def test_a_guard_deep_inside_a_dependency_counts() -> None:
    async def inner(viewer: Any = Depends(LookGuard("contacts:read"))) -> Any:  # noqa: ANN401, B008 — FastAPI's own form
        return viewer

    router = GuardedRouter()

    @router.get("/deep")
    async def deep(viewer: Any = Depends(inner)) -> None:  # noqa: ANN401, B008 — FastAPI's own form
        del viewer

    (route,) = router.routes
    assert isinstance(route, GuardedRoute)
    assert [guard.scopes for guard in route.guards] == [frozenset({"contacts:read"})]


def test_guards_disclose_unless_they_say_otherwise() -> None:
    class Forgetful(ViewerGuard):
        """A guard whose author thought of nothing."""

    assert Forgetful("x").discloses
