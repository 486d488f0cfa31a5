"""A pool that hands out no connection which has ended.

The driver learns of the end of a connection when the server or the network says so; asking the server at every checkout, as
``pool_pre_ping`` does, costs three round trips for each transaction and finds no more than that. One that ends later fails its statement,
which is ``Unavailable`` and takes the connection out of the pool.
"""

from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine


def only_alive(engine: AsyncEngine) -> AsyncEngine:
    """Let the pool of an asyncpg engine replace connections that have ended."""
    event.listen(engine.sync_engine, "checkout", _refuse_ended)
    return engine


def _refuse_ended(connection: Any, record: object, proxy: object) -> None:  # noqa: ANN401 — SQLAlchemy's face of a driver connection
    del record, proxy
    if connection.driver_connection.is_closed():
        raise DisconnectionError
