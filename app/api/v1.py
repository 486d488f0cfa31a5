"""All routers of version 1, one line each, in the order in which a request is matched: what is asked most stands first."""

from typing import Final

from app.api import (
    audit,
    audit_reports,
    calendar,
    calendar_revisions,
    client_secrets,
    departments,
    request_proposals,
    standing,
    totp,
)
from app.approvals import routes as approvals
from app.approvals import routes_acting, routes_delegations, routes_rosters
from app.attachments import routes as attachments
from app.calling import routes as calling
from app.campaigns import routes as campaigns
from app.campaigns import routes_answering
from app.changes import routes as changes
from app.clocks import routes as clocks
from app.collection import routes as collection
from app.collection import routes_consents, routes_notices
from app.contacts import routes as contacts
from app.contacts import routes_export, routes_own, routes_photo, routes_suggestions, routes_tags, routes_vcard
from app.contacts import routes_writing as contact_writing
from app.departures import routes as departures
from app.departures import routes_undertakings
from app.devices import routes as devices
from app.devices import routes_holding as device_holding
from app.emergency import routes as emergencies
from app.emergency import routes_eligibility, routes_following, routes_sheets
from app.engagements import routes as engagements
from app.engagements import routes_writing as engagement_writing
from app.history import routes as history
from app.hr import routes as hr
from app.hr import routes_settling as hr_settling
from app.imports import routes as imports
from app.jobs import routes as jobs
from app.lookups import routes as lookups
from app.notices import routes as webhooks
from app.notices import routes_deliveries
from app.notices import routes_writing as webhook_writing
from app.numbers import routes as numbers
from app.numbers import (
    routes_checks,
    routes_domains,
    routes_giving,
    routes_holds,
    routes_moving,
    routes_pools,
    routes_ranges,
    routes_siding,
)
from app.phonebooks import routes as phonebooks
from app.policy import routes as policy
from app.policy import routes_explanations, routes_reports, routes_simulations
from app.provisions import routes as provisions
from app.reconciliations import routes as reconciliations
from app.switching import routes as switching

ROUTERS: Final = (
    contacts.router,
    routes_suggestions.router,
    contact_writing.router,
    routes_own.router,
    totp.router,
    client_secrets.router,
    routes_photo.router,
    routes_vcard.router,
    routes_export.router,
    routes_tags.router,
    changes.router,
    lookups.router,
    phonebooks.router,
    departments.router,
    standing.router,
    approvals.router,
    routes_acting.router,
    request_proposals.router,
    attachments.router,
    engagements.router,
    engagement_writing.router,
    routes_delegations.router,
    routes_rosters.router,
    campaigns.router,
    routes_answering.router,
    collection.router,
    routes_notices.router,
    routes_consents.router,
    emergencies.router,
    routes_following.router,
    routes_eligibility.router,
    routes_sheets.router,
    history.router,
    provisions.router,
    calling.router,
    clocks.router,
    departures.router,
    routes_undertakings.router,
    devices.router,
    device_holding.router,
    hr.router,
    reconciliations.router,
    hr_settling.router,
    numbers.router,
    routes_giving.router,
    routes_moving.router,
    routes_siding.router,
    routes_holds.router,
    routes_domains.router,
    routes_pools.router,
    routes_checks.router,
    routes_ranges.router,
    imports.router,
    switching.router,
    policy.router,
    routes_simulations.router,
    calendar.router,
    calendar_revisions.router,
    jobs.router,
    webhooks.router,
    webhook_writing.router,
    routes_deliveries.router,
    audit_reports.router,
    audit.router,
    routes_explanations.router,
    routes_reports.router,
)
