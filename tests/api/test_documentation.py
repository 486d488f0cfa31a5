"""The documentation page needs nobody but this service: every address in it is its own, and its policy lets it ask nobody else.

Looked at in a Chromium with no network but the loopback interface as well; what a machine can hold for good is here.
"""

import re
from html.parser import HTMLParser
from typing import Final

import httpx
import pytest

from app.config import Settings
from app.main import create_app

ABSOLUTE: Final = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


class Addresses(HTMLParser):
    """Collects what a page loads or leads to, and whatever script or style stands inside of it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag
        for name in ("src", "href", "action", "data", "srcset", "poster", "content"):
            value = given.get(name)
            if value is not None and (name != "content" or "http-equiv" in given):
                self.found.append(value)
        self.inline += [name for name in given if name.startswith("on") or name == "style"]

    def handle_endtag(self, tag: str) -> None:
        del tag
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside in {"script", "style"} and data.strip():
            self.inline.append(data)


@pytest.fixture
def client() -> httpx.AsyncClient:
    """Give a client without a token; no store is opened."""
    transport = httpx.ASGITransport(create_app(Settings()))
    return httpx.AsyncClient(transport=transport, base_url="http://duanhao.test")


async def read(client: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await client.get(path)
    assert answer.status_code == 200, path
    return answer


async def addresses(client: httpx.AsyncClient) -> list[str]:
    parser = Addresses()
    parser.feed((await read(client, "/docs")).text)
    assert parser.inline == []
    return parser.found


async def test_every_address_of_the_page_is_served_here(client: httpx.AsyncClient) -> None:
    found = await addresses(client)
    assert len(found) == 4
    for each in found:
        assert not ABSOLUTE.match(each), each
        kind = (await read(client, each)).headers["Content-Type"].partition(";")[0]
        assert kind in {"text/javascript", "text/css", "image/png"}


async def test_the_style_loads_nothing_from_outside(client: httpx.AsyncClient) -> None:
    (path,) = [each for each in await addresses(client) if each.endswith(".css")]
    style = (await read(client, path)).text
    assert "@import" not in style
    loaded = re.findall(r"url\(\s*[\"']?([^)\"']+)", style)
    assert [each for each in loaded if ABSOLUTE.match(each) and not each.startswith("data:")] == []


async def test_the_page_is_started_with_our_own_document(client: httpx.AsyncClient) -> None:
    start = (await read(client, "/docs/assets/start.js")).text
    assert re.findall(r'"(/[^"]*)"', start) == ["/openapi.json"]
    assert "validatorUrl: null" in start
    assert not re.search(r"https?:", start)


async def test_the_policy_lets_the_page_ask_nobody_else(client: httpx.AsyncClient) -> None:
    policy = (await read(client, "/docs")).headers["Content-Security-Policy"]
    sources = {directive.split()[0]: directive.split()[1:] for directive in policy.split(";")}
    assert sources["default-src"] == ["'none'"]
    assert {"script-src", "style-src", "connect-src"} <= sources.keys()
    assert sources["script-src"] == sources["connect-src"] == ["'self'"]
    allowed = {source for given in sources.values() for source in given}
    assert allowed <= {"'none'", "'self'", "'unsafe-inline'", "data:"}


async def test_the_document_refers_to_nothing_outside(client: httpx.AsyncClient) -> None:
    document = await read(client, "/openapi.json")
    assert "servers" not in document.json()
    references = re.findall(r'"\$ref":\s*"([^"]+)"', document.text)
    assert len(references) > 50
    assert [each for each in references if not each.startswith("#/")] == []
