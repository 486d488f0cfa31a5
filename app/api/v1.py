"""All routers of version 1, one line each, in the order in which a request is matched: what is asked most stands first."""

from typing import Final

from app.api import audit, departments
from app.contacts import routes as contacts
from app.contacts import routes_writing as contact_writing
from app.hr import routes as hr

ROUTERS: Final = (contacts.router, contact_writing.router, departments.router, hr.router, audit.router)
