"""All routers of version 1, one line each."""

from typing import Final

from app.contacts import routes as contacts
from app.kit.routing import GuardedRouter

ROUTERS: Final = (contacts.router,)

router = GuardedRouter(prefix="/v1")
for each in ROUTERS:
    router.include_router(each)
