"""All routers of version 1, one line each."""

from typing import Final

from app.api import audit, departments
from app.contacts import routes as contacts
from app.contacts import routes_writing as contact_writing
from app.hr import routes as hr
from app.kit.routing import GuardedRouter

ROUTERS: Final = (contacts.router, contact_writing.router, departments.router, hr.router, audit.router)

router = GuardedRouter(prefix="/v1")
for each in ROUTERS:
    router.include_router(each)
