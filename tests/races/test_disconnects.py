"""A caller who hangs up at any moment has seen nothing that is not on record."""

import asyncio
import contextlib
import random

import orjson
import pytest

from tests.races.stored import event_ids, indexes
from tests.support.server import Company, Server, founded, serving
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow

CALLS = 400


async def hang_up(server: Server, company: Company, chance: random.Random) -> bytes:
    """Ask for a card or a page and break the connection off after a random moment or byte; give what was seen."""
    port = int(server.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = chance.choice([f"/v1/contacts/{company.people['colleague']}", "/v1/contacts?limit=14"])
    head = f"GET {path} HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer {company.tokens['staff']}\r\n\r\n"
    writer.write(head.encode())
    await writer.drain()
    seen = b""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(chance.choice([0, 0.001, 0.002, 0.004, 0.008, 0.02, 0.2])):
            while True:
                more = await reader.read(chance.choice([1, 64, 4096]))
                if not more:
                    break
                seen += more
    writer.transport.abort()
    return seen


def test_whatever_a_caller_saw_before_hanging_up_is_on_record(store: TestStore) -> None:
    company = founded(store)
    chance = random.Random(20261121)

    async def load(server: Server) -> list[bytes]:
        seen = []
        for _ in range(CALLS // 8):
            seen += await asyncio.gather(*(hang_up(server, company, chance) for _ in range(8)))
        return seen

    with serving(store) as server:
        seen = asyncio.run(load(server))
    stored = set(event_ids(store))
    answered = 0
    for text in seen:
        if b"\r\n\r\n" not in text or b"200 OK" not in text:
            assert b"138" not in text, "a value before an answer"
            continue
        body = text.partition(b"\r\n\r\n")[2]
        if b'"disclosure"' in body and body.endswith(b"}"):
            answered += 1
            assert orjson.loads(body)["disclosure"]["event_id"] in stored
    began = [text for text in seen if b"200 OK" in text]
    assert len(stored) >= len(began), "fewer events than answers that began"
    assert answered > 10
    assert indexes(store) == list(range(len(stored)))
