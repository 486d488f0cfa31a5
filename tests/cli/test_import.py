"""``duanhao import``: a file handed in, waited for and told; against the service itself, and against answers that no service gives."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.importing import DONE, NOT_DONE, SOME_NOT, Asked, hand_in
from app.cli.numbering import Service
from app.cli.pushing import Credentials
from tests.imports.calls import run_all, sheet
from tests.numbers.calls import add_pool
from tests.support.application import World
from tests.support.shared import add_person

Handle = Callable[[httpx.Request], httpx.Response]


def service(handle: Handle, credentials: Credentials | None = None) -> Service:
    def connect(url: str) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(handle), base_url=url)

    found = credentials or Credentials(token="t")
    return Service(url="http://service.test", credentials=found, connect=connect, sleep=lambda _: None)


def asked(file: Path, **members: Any) -> Asked:  # noqa: ANN401 — members of the value
    plain = {
        "kind": "number_plan",
        "format": None,
        "domain": "main",
        "profile": "generic",
        "dry_run": True,
        "overrule": False,
    }
    return Asked(file=file, **{**plain, **members})


def passing(world: World) -> Handle:
    """Pass what the command sends on to the service in this process, running what it queues."""
    loop = asyncio.get_running_loop()

    async def answered(request: httpx.Request) -> httpx.Response:
        client = await world.as_(None)
        answer = await client.request(
            request.method,
            request.url.raw_path.decode(),
            content=request.read(),
            headers=dict(request.headers),
        )
        if answer.status_code == 202:
            await run_all(world)
        return httpx.Response(answer.status_code, content=answer.content, headers={"Content-Type": "application/json"})

    return lambda request: asyncio.run_coroutine_threadsafe(answered(request), loop).result(30)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_file_is_rehearsed_and_taken_over(
    shared: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pool, one = await add_pool(shared, 5), await add_person(shared)
    file = tmp_path / "plan.csv"
    file.write_text(sheet([(pool.digits(0), f"N{one.number}"), (pool.digits(9), f"N{one.number}")]), encoding="gb18030")
    served = service(passing(shared), Credentials(token=await shared.token("it-scripts")))
    assert await asyncio.to_thread(hand_in, served, asked(file), as_json=False) == SOME_NOT
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"line 3: {pool.digits(9)} no_such_number: No range")
    assert out[1] == f"no range has 号段缺失: {pool.digits(9)}-{pool.digits(9)} (1)"
    assert out[2] == "dry run 试运行: 1 adopted 已写入, 0 unchanged 无变化, 0 conflict 冲突, 1 problem 有误"
    file.write_text(sheet([(pool.digits(0), f"N{one.number}")]))
    assert await asyncio.to_thread(hand_in, served, asked(file, dry_run=False), as_json=False) == DONE
    assert capsys.readouterr().out.startswith("applied 已执行: 1 adopted")
    assert await asyncio.to_thread(hand_in, served, asked(file, dry_run=False), as_json=True) == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["counts"], told["rows"], told["state"]) == ({"unchanged": 1}, [], "done")


@pytest.mark.asyncio(loop_scope="session")
async def test_people_are_taken_over_by_a_profile(
    shared: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, file = await add_person(shared), tmp_path / "people.csv"
    file.write_text(f"姓名,帐号,职位,性别\n,{one.name},工程师,女\n")
    served = service(passing(shared), Credentials(token=await shared.token("hr")))
    people = asked(file, kind="contacts", profile="wecom", dry_run=False)
    assert await asyncio.to_thread(hand_in, served, people, as_json=False) == DONE
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("性别: It is not collected here")
    assert out[1].startswith("applied 已执行: 1 adopted 已写入")


def test_what_cannot_be_done_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.pdf"
    file.write_text("x")

    def refused(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(403, json={"code": "not_permitted", "detail": "So it is", "errors": []})

    def strange(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, json=["x"])

    assert hand_in(service(refused), asked(file), as_json=False) == NOT_DONE
    assert "--format" in capsys.readouterr().err
    assert hand_in(service(refused), asked(file, format="csv"), as_json=False) == NOT_DONE
    assert capsys.readouterr().err == "duanhao: 403 not_permitted: So it is\n"
    assert hand_in(service(strange), asked(file, format="csv"), as_json=False) == NOT_DONE
    assert hand_in(service(refused), asked(tmp_path / "none.csv"), as_json=False) == NOT_DONE


def test_a_token_that_ends_while_one_waits_is_got_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.xml"
    file.write_text("<a/>")
    signed, looks = list[str](), 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal looks
        if request.url.path == "/oauth/token":
            signed.append("token")
            return httpx.Response(200, json={"access_token": f"t{len(signed)}"})
        if request.method == "POST":
            return httpx.Response(202, json={"id": "i"})
        looks += 1
        if looks == 2 and request.headers["Authorization"] == "Bearer t1":
            return httpx.Response(401, json={"code": "unauthenticated", "errors": []})
        done = looks > 2
        failed: dict[str, Any] = {
            "state": "failed",
            "problem": "import_stopped",
            "counts": {},
            "proposals": None,
            "dry_run": True,
        }
        if request.url.path.endswith("/rows"):
            return httpx.Response(200, json={"items": [], "next": None})
        return httpx.Response(200, json={"id": "i", "finished_at": "now" if done else None, **failed})

    credentials = Credentials(client_id="it-scripts", client_secret="s")
    assert hand_in(service(handle, credentials), asked(file), as_json=False) == NOT_DONE
    assert capsys.readouterr().err == "duanhao: the import failed 导入失败: import_stopped\n"
    assert len(signed) == 2
