"""``duanhao hr reconcile``: a head-count shown as a table in either language, then applied; the fuse as an exit code of its own."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cli.headcounts import DIFFERS, DONE, FUSE, NOT_DONE, Asked, reconcile
from app.cli.pushing import Credentials
from tests.cli.test_import import Handle, service
from tests.reconciliations.calls import lines, run_all, said
from tests.support.application import World
from tests.support.shared import add_department, add_person


def asked(file: Path, **members: Any) -> Asked:  # noqa: ANN401 — members of the value
    plain = {"format": None, "source": None, "as_of": None, "department": None, "apply": False, "language": "en"}
    return Asked(file=file, **{**plain, **members})


def passing(world: World) -> Handle:
    """Pass what the command sends on to the service in this process, running what it queues."""
    loop = asyncio.get_running_loop()

    async def answered(request: httpx.Request) -> httpx.Response:
        client = await world.as_(None)
        path, headers = request.url.raw_path.decode(), dict(request.headers)
        answer = await client.request(request.method, path, content=request.read(), headers=headers)
        if answer.status_code == 202:
            await run_all(world)
        return httpx.Response(answer.status_code, content=answer.content, headers={"Content-Type": "application/json"})

    return lambda request: asyncio.run_coroutine_threadsafe(answered(request), loop).result(60)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_diff_is_a_table_and_applied_where_that_is_asked(
    shared: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = await add_department(shared, parent="RD")
    one, two, three = [await add_person(shared, department=place) for _ in range(3)]
    file = tmp_path / "people.jsonl"
    file.write_text(lines([said(one, place, title="主管"), said(two, place), said(two, "NO-1", employee_no="X-CLI")]))
    served = service(passing(shared), Credentials(token=await shared.token("hr-system")))

    async def run(**members: Any) -> tuple[int, str, str]:  # noqa: ANN401 — members of the value
        as_json = members.pop("as_json", False)
        code = await asyncio.to_thread(reconcile, served, asked(file, department=place, **members), as_json=as_json)
        return code, *capsys.readouterr()

    code, out, _ = await run()
    assert code == DIFFERS
    assert [f"N{each.number}" in out for each in (one, two, three)] == [True, False, True]
    assert all(word in out for word in ("employee no.", "changes", "title", "leaves", "unknown department", "NO-1 (1)"))
    assert "主管" not in out, "never a value"
    code, out, _ = await run(language="zh")
    assert all(word in out for word in ("工号", "变更", "离职", "部门不存在"))
    file.write_text(lines([said(one, place, title="主管"), said(two, place)]))
    code, out, _ = await run(apply=True)
    assert (code, "2 applied" in out) == (DONE, True)
    code, out, _ = await run(as_json=True)
    assert (code, json.loads(out)["counts"]) == (DONE, {"unchanged": 2})
    file.write_text(lines([said(one, place, employee_no="X-CLI-2", user_name="x.cli.2")]))
    code, out, err = await run(apply=True)
    assert code == FUSE
    assert "the fuse has blown" in err
    assert "hr.mass_leaving" in err
    file.write_text("[]\n")
    code, _, _ = await run()
    assert code == DIFFERS
    file.write_bytes(b"\xff\xfe")
    assert (await run())[0] == NOT_DONE


def test_what_cannot_be_done_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "people.pdf"
    file.write_text("x")

    def strange(request: httpx.Request) -> httpx.Response:
        del request
        return httpx.Response(200, json=["x"])

    assert reconcile(service(strange), asked(file), as_json=False) == NOT_DONE
    assert "--format" in capsys.readouterr().err
    assert reconcile(service(strange), asked(file, format="csv"), as_json=False) == NOT_DONE
    assert capsys.readouterr().err == "duanhao: the answer is not that of a Duanhao service\n"
