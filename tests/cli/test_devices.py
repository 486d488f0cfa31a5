"""``duanhao devices`` against a running service: from the box to the scrap heap, and secrets that are told once."""

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio

from app.cli.device_calls import add
from app.cli.numbering import DONE, NOT_DONE, Service
from app.cli.pushing import Credentials
from tests.devices.calls import basic
from tests.support.application import World
from tests.support.shared import add_person
from tests.support.shell import Shell, shell_of


@pytest_asyncio.fixture(loop_scope="session")
async def shell(shared: World) -> AsyncIterator[Shell]:
    """Call the shared company as the IT scripts."""
    async with shell_of(shared, "devices", "it-scripts") as opened:
        yield opened


@pytest.mark.asyncio(loop_scope="session")
async def test_a_telephone_from_the_box_to_the_scrap_heap(shared: World, shell: Shell) -> None:
    person = await add_person(shared)
    words = ("add", "--vendor", "yealink", "--model", "T54W", "--mac", "00-15-65-5C-1A-00", "--label", "前台")
    device, secret = (await shell.does(*words)).split()
    code, output = await shell.run(*words)
    assert (code, "device_exists" in output) == (1, True)
    listed = await shell.does("list", "--mac", "0015655c1a00")
    assert listed == f"{device} in_stock yealink T54W · 前台 · 00:15:65:5c:1a:00"

    async def door(secret: str) -> int:
        anonymous = await shared.as_(None)
        return (await anonymous.get("/v1/phonebooks/yealink", headers=basic(device, secret))).status_code

    assert await door(secret) == 401
    told = await shell.does("assign", device, "--holder", str(person.id))
    assert f"{device} in_use" in told
    assert f"contact {person.id}" in told
    assert await door(secret) == 200
    new = json.loads(await shell.does("rotate-secret", device, "--overlap-hours", "0", "--json"))
    assert (await door(secret), await door(new["secret"])) == (401, 200)
    assert "lost" in await shell.does("lost", device)
    assert await door(new["secret"]) == 401
    code, output = await shell.run("lost", device)
    assert (code, "device_state" in output) == (1, True)
    assert "room B-2" in await shell.does("assign", device, "--holder", "room:B-2")
    assert "in_stock" in await shell.does("return", device)
    assert await shell.does("retire", device) == f"{device} retired 已报废"
    assert (await shell.run("assign", device, "--holder", "department:RD"))[0] == 1
    assert (await shell.run("return", "01890000-0000-7000-8000-000000000000"))[0] == 2
    assert await shell.does("list", "--state", "in_use", "--vendor", "nobody") == "none 无"


def service(answers: Callable[[httpx.Request], httpx.Response]) -> Service:
    """Give a service behind a wire of ours."""

    def connect(url: str) -> httpx.Client:
        return httpx.Client(base_url=url, transport=httpx.MockTransport(answers))

    credentials = Credentials(token="minted")
    return Service(url="http://test", credentials=credentials, connect=connect, sleep=lambda _: None)


def test_what_makes_a_secret_is_not_sent_again_once_it_may_have_arrived(capsys: pytest.CaptureFixture[str]) -> None:
    sent = list[httpx.Request]()

    def loses(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        message = "gone"
        raise httpx.ReadTimeout(message)

    assert add(service(loses), {"vendor": "yealink"}, as_json=False) == NOT_DONE
    assert len(sent) == 1
    assert "the answer was lost" in capsys.readouterr().err


def test_what_makes_a_secret_is_sent_again_where_it_was_refused_and_not_where_nobody_knows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sent = list[httpx.Request]()

    def refuses(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        limited, code = len(sent) < 3, "rate_limited" if len(sent) < 3 else "unavailable"
        return httpx.Response(429 if limited else 503, json={"code": code, "detail": "Later."})

    assert add(service(refuses), {"vendor": "yealink"}, as_json=False) == NOT_DONE
    assert len(sent) == 3
    assert "503 unavailable: Later. (look whether it was done" in capsys.readouterr().err


def test_what_never_left_is_sent_again(capsys: pytest.CaptureFixture[str]) -> None:
    sent = list[httpx.Request]()

    def comes_up(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if len(sent) < 3:
            message = "refused"
            raise httpx.ConnectError(message)
        return httpx.Response(201, json={"id": "one", "secret": "two"})

    assert add(service(comes_up), {"vendor": "yealink"}, as_json=False) == DONE
    assert (len(sent), capsys.readouterr().out) == (3, "one two\n")
