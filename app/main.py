"""The application: middleware, problem documents, routers, and the work that runs beside the requests.

``create_app`` takes settings (then it opens everything at start-up and closes it at the end) or an application that is already open, as
tests have. On SQLite the worker's loop runs in this process; on PostgreSQL it is a process of its own.
"""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from app import __version__
from app.api import documentation, health, sign_in, token_status, tokens, v1
from app.application import Application
from app.attachments.access import UPLOADS as ATTACHMENTS
from app.composition import open_application
from app.config import Settings
from app.disclosure import refusals
from app.disclosure.guard import DisclosureGuard
from app.imports.access import UPLOADS as IMPORTS
from app.kit import logging, problems
from app.kit.cors import Cors
from app.kit.edge import RequestEdge
from app.kit.parts import Parts
from app.kit.shortcut import Shortcut
from app.opening import limiter
from app.reconciliations.access import UPLOADS as RECONCILIATIONS
from app.scim import routes as scim
from app.scim.answers import ScimErrors
from app.switching.access import DUMPS
from app.worker import Worker

DESCRIPTION = """A company's contact directory that opens a protected value only after the look is on record.

公司通讯录服务：先留痕，后查看。"""

_NO_TELEMETRY: Final[TelemetryConfig] = {"tracing": False, "metrics": False, "logs": False}
"""FastAPI's own spans would carry paths and query strings to whoever the environment names."""
_COLLECT_AFTER: Final = (50_000, 20, 20)
_SWITCH_SECONDS: Final = 0.001
"""How long a thread may keep another from the interpreter. The log's and the readers' threads take a lock of it after every call of SQLite;
at Python's default of 5 ms a batch of the log waits longer for the interpreter than for the disk."""


def _lifespan(settings: Settings, opened: Application | None) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if opened is not None:
            app.state.application, app.state.tokens = opened, opened.tokens
            yield
            return
        logging.configure(settings.log_level)
        sys.setswitchinterval(_SWITCH_SECONDS)
        async with open_application(settings) as application:
            app.state.application, app.state.tokens = application, application.tokens
            await application.prepare()
            _settle_memory()
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


def _settle_memory() -> None:
    """Leave what start-up made out of every further garbage collection, and collect less often.

    What a request allocates is freed by reference counts; walking the whole process for it took a quarter of a look (benchmarks, P1).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    gc.enable()


def create_app(settings: Settings, application: Application | None = None) -> FastAPI:
    """Build the ASGI application; without ``application`` it opens its own stores when it starts.

    Routes are added flat: each level of included routers is matched for every request, and ours carry their whole path themselves.
    """
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
        telemetry=_NO_TELEMETRY,
        lifespan=_lifespan(settings, application),
    )
    if application is not None:
        app.state.application, app.state.tokens = application, application.tokens
    app.state.settings = settings
    answer = problems.install(app, refusals.recorder(app))
    app.add_middleware(Shortcut, routes=app.router.routes, answer=answer)
    app.add_middleware(DisclosureGuard)
    app.add_middleware(
        RequestEdge,
        max_body_bytes=settings.http.max_body_bytes,
        uploads=(ATTACHMENTS, IMPORTS, RECONCILIATIONS, DUMPS),
        https_only=settings.env == "production",
        addresses=limiter(settings, "address"),
        cors=Cors(settings.http.cors_origins) if settings.http.cors_origins else None,
    )
    app.add_middleware(ScimErrors)
    routers = (
        *v1.ROUTERS,
        scim.router,
        tokens.router,
        token_status.router,
        sign_in.router,
        health.router,
        documentation.router,
    )
    for router in routers:
        app.router.routes.extend(router.routes)
    documentation.install(app)
    app.router.middleware_stack = Parts(app.router)
    return app
