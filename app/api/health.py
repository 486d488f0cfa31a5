"""Probes: alive means the loop turns; ready means the log can be written, the store read, and the keys used."""

from typing import Literal, Protocol

import orjson
from fastapi import Request, Response
from sqlalchemy import literal, select

from app.audit.writer import AccessLog
from app.kit.db import Database
from app.kit.errors import Unavailable
from app.kit.problems import responses
from app.kit.routing import GuardedRouter, public
from app.kit.schemas import Output

router = GuardedRouter(tags=["probes"])


class Parts(Protocol):
    """What readiness looks at."""

    database: Database
    log: AccessLog


class Alive(Output):
    """The process answers."""

    status: Literal["alive"]


class Ready(Output):
    """Every part can serve."""

    status: Literal["ready"]


class NotReady(Unavailable):
    """At least one part cannot serve; ``parts`` names them."""

    code, title, title_zh = "not_ready", "A part of the service cannot serve", "服务组件不可用"


@router.get("/livez", summary="Is the process alive?", response_model=Alive)
@public("a probe: says nothing but that the process answers")
async def livez() -> Response:
    """Answer while the event loop turns."""
    return Response(b'{"status":"alive"}', media_type="application/json")


@router.get("/readyz", summary="Can it serve?", response_model=Ready, responses=responses(NotReady))
@public("a probe: names parts of the service, no data")
async def readyz(request: Request) -> Response:
    """Answer 200 while log, store and keys can serve, else 503 with the parts that cannot."""
    parts: Parts = request.app.state.application
    broken = [] if parts.log.healthy else ["access_log"]
    try:
        await parts.database.reader.fetch(parts.database.reader.prepare(select(literal(1))))
    except Unavailable:
        broken.append("database")
    if broken:
        raise NotReady(parts=broken)
    return Response(orjson.dumps({"status": "ready"}), media_type="application/json")
