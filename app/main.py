"""The application: middleware, problem documents, routers, and the work that runs beside the requests.

``create_app`` takes settings (then it opens everything at start-up and closes it at the end) or an application that is already open, as
tests have. On SQLite the worker's loop runs in this process; on PostgreSQL it is a process of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from fastapi import FastAPI

from app import __version__
from app.api import documentation, health, tokens, v1
from app.composition import Application, open_application
from app.config import Settings
from app.disclosure import refusals
from app.disclosure.guard import DisclosureGuard
from app.kit import logging, problems
from app.kit.edge import RequestEdge
from app.worker import Worker

DESCRIPTION = """A company's contact directory that opens a protected value only after the look is on record.

公司通讯录服务：先留痕，后查看。"""


def _lifespan(settings: Settings, opened: Application | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if opened is not None:
            app.state.application, app.state.tokens = opened, opened.tokens
            yield
            return
        logging.configure(settings.log_level)
        async with open_application(settings) as application:
            app.state.application, app.state.tokens = application, application.tokens
            worker = (
                asyncio.create_task(Worker(application).run()) if application.database.dialect == "sqlite" else None
            )
            try:
                yield
            finally:
                if worker is not None:
                    worker.cancel()
                    with suppress(asyncio.CancelledError):
                        await worker

    return lifespan


def create_app(settings: Settings, application: Application | None = None) -> FastAPI:
    """Build the ASGI application; without ``application`` it opens its own stores when it starts."""
    app = FastAPI(
        title="Duanhao 短号",
        version=__version__,
        summary="Contacts, short numbers, who may see what, and who looked",
        description=DESCRIPTION,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        redirect_slashes=False,
        lifespan=_lifespan(settings, application),
    )
    if application is not None:
        app.state.application, app.state.tokens = application, application.tokens
    app.state.settings = settings
    problems.install(app, refusals.recorder(app))
    app.add_middleware(DisclosureGuard)
    app.add_middleware(RequestEdge, max_body_bytes=settings.http.max_body_bytes)
    for router in (v1.router, tokens.router, health.router, documentation.router):
        app.include_router(router)
    documentation.install(app)
    return app
