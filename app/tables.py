"""Every table of the service in one metadata, for migrations and tests."""

from app.approvals import delegation_models, person_models, roster_models
from app.approvals import models as approval_models
from app.attachments import models as attachment_models
from app.audit import models as audit_models
from app.auth import models as auth_models
from app.calendar import models as calendar_models
from app.calling import models as calling_models
from app.campaigns import models as campaign_models
from app.clocks import models as clock_models
from app.collection import models as collection_models
from app.contacts import models as contact_models
from app.crypto import models as crypto_models
from app.custody import models as custody_models
from app.departments import models as department_models
from app.departures import models as departure_models
from app.devices import models as device_models
from app.emergency import models as emergency_models
from app.engagements import models as engagement_models
from app.history import models as history_models
from app.hr import models as hr_models
from app.hr import source_models as hr_source_models
from app.imports import models as import_models
from app.jobs import models as job_models
from app.kit import records as kit_records
from app.kit.models import Base
from app.notices import models as notice_models
from app.numbers import models as number_models
from app.numbers import plan_models
from app.permissions import models as permission_models
from app.policy import models as policy_models
from app.postings import models as posting_models
from app.provisions import models as provision_models
from app.reconciliations import models as reconciliation_models
from app.scim import models as scim_models
from app.traces import models as trace_models

metadata = Base.metadata
MODULES = (
    approval_models,
    attachment_models,
    audit_models,
    auth_models,
    calendar_models,
    calling_models,
    campaign_models,
    clock_models,
    collection_models,
    contact_models,
    crypto_models,
    custody_models,
    delegation_models,
    department_models,
    departure_models,
    device_models,
    emergency_models,
    engagement_models,
    history_models,
    hr_models,
    hr_source_models,
    import_models,
    job_models,
    kit_records,
    notice_models,
    number_models,
    permission_models,
    person_models,
    plan_models,
    policy_models,
    reconciliation_models,
    roster_models,
    posting_models,
    provision_models,
    trace_models,
    scim_models,
)
"""The modules that declare tables; a test holds this list to the files named ``models.py``."""
