"""The nightly sheet: made through the gate, sealed to its custodian, opened away from the service for a reason that comes back."""

import json
import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from app.audit.events import encode_event
from app.cli.numbering import Service
from app.cli.pushing import Credentials
from app.cli.sheets import make_keys, open_sheet, upload
from app.crypto.parcels import NotOpened
from app.emergency.sealing import (
    NOTHING_BEFORE,
    CustodianKeys,
    RecordInvalid,
    hash_of,
    read_public,
    read_record,
    seal_sheet,
)
from app.kit.models import new_id
from tests.emergency.crisis import ELIGIBILITY, SHEETS, Crisis
from tests.support.clock import NOON
from tests.support.company import PEOPLE, SECRETS
from tests.support.problems import faults, problem

WHY: Final = "The service is down and the plant manager must be called"


async def custodian(crisis: Crisis, keys: CustodianKeys, who: str = "outsider", *, second: str | None = None) -> str:
    """Appoint a custodian and give their key; give the id of the appointment."""
    (appointment,) = await crisis.appoint(who, office="custodian")
    path = f"{ELIGIBILITY}/{appointment}"
    given = await crisis.call(who, "POST", f"{path}/keys", {"public_key": keys.public_text()})
    assert given.status_code == 200, given.text
    if second:
        assert (await crisis.call(second, "POST", f"{path}/confirmations")).status_code == 200
    return appointment


async def fetched(crisis: Crisis, who: str = "outsider") -> tuple[str, bytes]:
    """Fetch the newest sheet; give its id and content."""
    items = (await crisis.call(who, "GET", SHEETS)).json()["items"]
    answer = await crisis.call(who, "GET", f"{SHEETS}/{items[0]['id']}/content")
    assert answer.status_code == 200, answer.text
    return items[0]["id"], answer.content


class TestMaking:
    async def test_one_a_night_for_each_custodian_with_a_key(self, crisis: Crisis) -> None:
        keys = CustodianKeys.new()
        await crisis.tag_key_people("colleague", "steward")
        await crisis.appoint("staff", office="custodian")
        assert await crisis.sweep() == 0
        await custodian(crisis, keys)
        crisis.clock.move_to(NOON.replace(hour=16, minute=5))
        assert await crisis.sweep() == 0, "at five past midnight here the night's are not made yet"
        crisis.clock.advance(hours=2)
        assert await crisis.sweep() == 1
        crisis.clock.advance(hours=1)
        assert await crisis.sweep() == 0
        identity, box = await fetched(crisis)
        content = keys.open(box).content
        assert (content["day"], content["for"]) == ("2026-11-21", PEOPLE["outsider"].full_name)
        assert identity in content["watermark"]
        people = {each["name"]: each["fields"] for each in content["people"]}
        assert people.keys() == {PEOPLE["colleague"].full_name, PEOPLE["steward"].full_name}
        assert people[PEOPLE["colleague"].full_name]["mobile"] == PEOPLE["colleague"].mobile
        assert all("personal_mobile" not in each for each in people.values())
        assert not any(secret.encode() in box for secret in SECRETS)
        (look,) = await crisis.events("emergency.sheet")
        assert (look.purpose, look.actor_id) == ("emergency", str(crisis.world.people["outsider"]))

    async def test_the_next_night_replaces_the_last(self, crisis: Crisis) -> None:
        await crisis.tag_key_people("colleague")
        await custodian(crisis, CustodianKeys.new())
        found = []
        for _ in range(2):
            crisis.clock.advance(days=1)
            assert await crisis.sweep() == 1
            found.append((await fetched(crisis))[0])
        listed = (await crisis.call("infosec", "GET", SHEETS)).json()["items"]
        assert [(each["id"], each["available"]) for each in listed] == [(found[1], True), (found[0], False)]
        problem(await crisis.call("outsider", "GET", f"{SHEETS}/{found[0]}/content"), 404, "not_found")

    async def test_executives_are_on_it_where_a_second_person_stands_behind_it(self, crisis: Crisis) -> None:
        await crisis.tag_key_people("ceo", "colleague")
        keys = CustodianKeys.new()
        appointment = await custodian(crisis, keys)
        path = f"{ELIGIBILITY}/{appointment}/confirmations"
        crisis.clock.advance(days=1)
        assert await crisis.sweep() == 1
        for who, code in (("infosec", "emergency_own_part"), ("staff", "not_permitted")):
            problem(await crisis.call(who, "POST", path), 403, code)
        assert (await crisis.call("hr", "POST", path)).status_code == 200
        before = {each["name"]: each["fields"] for each in keys.open((await fetched(crisis))[1]).content["people"]}
        crisis.clock.advance(days=1)
        assert await crisis.sweep() == 1
        after = {each["name"]: each["fields"] for each in keys.open((await fetched(crisis))[1]).content["people"]}
        ceo = PEOPLE["ceo"].full_name
        assert "mobile" not in before[ceo]
        assert after[ceo]["mobile"] == PEOPLE["ceo"].mobile

    async def test_a_sheet_is_its_custodians_alone(self, crisis: Crisis) -> None:
        await crisis.tag_key_people("colleague")
        await custodian(crisis, CustodianKeys.new())
        crisis.clock.advance(days=1)
        await crisis.sweep()
        identity, _ = await fetched(crisis)
        for who in ("infosec", "hr", "staff", "ceo"):
            problem(await crisis.call(who, "GET", f"{SHEETS}/{identity}/content"), 404, "not_found")
            body = {"records": ["{}"]}
            problem(await crisis.call(who, "POST", f"{SHEETS}/{identity}/openings", body), 404, "not_found")
        assert (await crisis.call("staff", "GET", SHEETS)).json()["items"] == []

    async def test_who_is_no_custodian_any_more_fetches_nothing(self, crisis: Crisis) -> None:
        await crisis.tag_key_people("colleague")
        appointment = await custodian(crisis, CustodianKeys.new())
        crisis.clock.advance(days=1)
        await crisis.sweep()
        identity, _ = await fetched(crisis)
        assert (await crisis.call("infosec", "DELETE", f"{ELIGIBILITY}/{appointment}")).status_code == 204
        problem(await crisis.call("outsider", "GET", f"{SHEETS}/{identity}/content"), 404, "not_found")
        crisis.clock.advance(days=1)
        assert await crisis.sweep() == 0

    async def test_who_left_gets_none(self, crisis: Crisis) -> None:
        await crisis.tag_key_people("colleague")
        await custodian(crisis, CustodianKeys.new())
        hr = await crisis.world.as_("hr")
        path = f"/v1/contacts/{crisis.world.people['outsider']}"
        assert (await hr.delete(path, headers={"If-Match": "*"})).status_code == 204
        crisis.clock.advance(days=1)
        assert await crisis.sweep() == 0

    async def test_a_key_is_given_by_its_custodian_after_a_second_proof(self, crisis: Crisis) -> None:
        (appointment,) = await crisis.appoint("outsider", office="custodian")
        path, body = f"{ELIGIBILITY}/{appointment}/keys", {"public_key": CustodianKeys.new().public_text()}
        problem(await crisis.call("infosec", "POST", path, body), 404, "not_found")
        refused = await crisis.call("outsider", "POST", path, body, proof=False)
        problem(refused, 401, "insufficient_user_authentication")
        useless = {"public_key": "duanhao-custodian-1:" + "A" * 86}
        problem(await crisis.call("outsider", "POST", path, useless), 422, "emergency_key_not_usable")
        (opener,) = await crisis.appoint("outsider")
        problem(await crisis.call("outsider", "POST", f"{ELIGIBILITY}/{opener}/keys", body), 404, "not_found")
        assert (await crisis.call("outsider", "POST", path, body)).status_code == 200


class TestBringingBack:
    async def ready(self, crisis: Crisis, tmp_path: Path) -> tuple[str, Path, Path]:
        key, sheet = tmp_path / "custodian.key", tmp_path / "today.sheet"
        make_keys(key)
        await crisis.tag_key_people("colleague")
        await custodian(crisis, CustodianKeys.read(key.read_text()))
        crisis.clock.advance(days=1)
        await crisis.sweep()
        identity, box = await fetched(crisis)
        sheet.write_bytes(box)
        return identity, key, sheet

    def line(self, crisis: Crisis, key: Path, sheet: Path, **members: Any) -> str:  # noqa: ANN401 — members of a record
        """Sign an opening."""
        keys = CustodianKeys.read(key.read_text())
        opened = keys.open(sheet.read_bytes())
        given = {"identity": new_id(), "at": crisis.clock.now(), "previous": NOTHING_BEFORE, **members}
        return keys.record(opened, WHY, **given).decode()

    async def test_records_go_into_the_log_once_with_their_reason(self, crisis: Crisis, tmp_path: Path) -> None:
        identity, key, sheet = await self.ready(crisis, tmp_path)
        path = f"{SHEETS}/{identity}/openings"
        first = self.line(crisis, key, sheet)
        second = self.line(crisis, key, sheet, previous=hash_of(first.encode()))
        lost = self.line(crisis, key, sheet, previous=bytes(31) + b"\x01")
        for records, wanted in (
            ([first, second], {"taken": 2, "known": 0, "gaps": 0}),
            ([first, second], {"taken": 0, "known": 2, "gaps": 0}),
            ([second, lost], {"taken": 1, "known": 1, "gaps": 1}),
        ):
            answer = await crisis.call("outsider", "POST", path, {"records": records})
            assert (answer.status_code, answer.json()) == (200, wanted)
        events = await crisis.events("emergency.sheet.open")
        assert [(each.query or {})["gap"] for each in events] == [False, False, True]
        assert all(WHY.encode() not in encode_event(each) for each in events)
        assert [each.roles for each in await crisis.told() if each.type == "sheet_used"] == [["infosec"]] * 2

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda line: line.replace("plant manager", "plant managing"),
            lambda line: line.replace('"v":1', '"v":2'),
            lambda line: "[]" + line[:0],
            lambda line: line[:-2],
            lambda line: line.replace('"previous":"00', '"previous":"01'),
        ],
    )
    async def test_what_the_custodian_has_not_signed_is_refused_with_all_of_it(
        self, crisis: Crisis, tmp_path: Path, spoil: Callable[[str], str]
    ) -> None:
        identity, key, sheet = await self.ready(crisis, tmp_path)
        good = self.line(crisis, key, sheet)
        body = {"records": [good, spoil(self.line(crisis, key, sheet))]}
        answer = await crisis.call("outsider", "POST", f"{SHEETS}/{identity}/openings", body)
        problem(answer, 422, "emergency_record_invalid")
        assert faults(answer) == [("/records/1", "emergency_record_invalid")]
        assert await crisis.events("emergency.sheet.open") == []

    async def test_another_sheets_record_and_one_of_the_future_are_none_of_this(
        self, crisis: Crisis, tmp_path: Path
    ) -> None:
        identity, key, sheet = await self.ready(crisis, tmp_path)
        keys = CustodianKeys.read(key.read_text())
        elsewhere = keys.open(
            seal_sheet(
                keys.public, b"{}", sheet_id=new_id(), custodian_id=crisis.world.people["outsider"], day=NOON.date()
            )
        )
        at = crisis.clock.now()
        foreign = keys.record(elsewhere, WHY, identity=new_id(), at=at, previous=NOTHING_BEFORE).decode()
        early = self.line(crisis, key, sheet, at=at + timedelta(hours=1))
        for line in (foreign, early):
            answer = await crisis.call("outsider", "POST", f"{SHEETS}/{identity}/openings", {"records": [line]})
            problem(answer, 422, "emergency_record_invalid")


class TestAwayFromTheService:
    def sealed(self, keys: CustodianKeys) -> bytes:
        people = [{"name": "曾小林", "department": {"name": "研发"}, "fields": {"mobile": "13800002102"}}]
        content = {"day": "2026-11-21", "for": "解东", "watermark": "解东 · 2026-11-21", "people": people}
        raw = json.dumps(content, ensure_ascii=False).encode()
        return seal_sheet(keys.public, raw, sheet_id=UUID(int=7), custodian_id=UUID(int=8), day=NOON.date())

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        assert make_keys(tmp_path / "key") == 0
        keys = CustodianKeys.read((tmp_path / "key").read_text())
        (tmp_path / "sheet").write_bytes(self.sealed(keys))
        return tmp_path

    def opened(self, folder: Path, *, reason: str = WHY, as_json: bool = False) -> int:
        return open_sheet(folder / "sheet", folder / "key", reason, folder / "records", as_json=as_json)

    def test_a_key_file_is_for_its_owner_and_never_written_over(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        key = folder / "key"
        before = key.read_bytes()
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert make_keys(key) == 2
        assert key.read_bytes() == before
        capsys.readouterr()
        assert make_keys(folder / "another") == 0
        public = capsys.readouterr().out.strip()
        assert read_public(public) == CustodianKeys.read((folder / "another").read_text()).public

    def test_an_opening_is_recorded_and_told(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        assert self.opened(folder) == 0
        assert self.opened(folder, as_json=True) == 0
        told = capsys.readouterr().out
        assert "曾小林" in told
        assert "mobile 手机: 13800002102" in told
        lines = (folder / "records").read_text().splitlines()
        keys = CustodianKeys.read((folder / "key").read_text())
        first, second = [read_record(line, keys.public) for line in lines]
        assert (first.reason, first.previous) == (WHY, NOTHING_BEFORE)
        assert second.previous == first.digest
        assert stat.S_IMODE((folder / "records").stat().st_mode) == 0o600

    @pytest.mark.parametrize("reason", ["", "   ", "abc", "x" * 501])
    def test_no_reason_no_sheet(self, folder: Path, capsys: pytest.CaptureFixture[str], reason: str) -> None:
        capsys.readouterr()
        assert self.opened(folder, reason=reason) == 2
        assert capsys.readouterr().out == ""
        assert not (folder / "records").exists()

    def test_what_cannot_be_recorded_is_not_shown(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        capsys.readouterr()
        (folder / "records").mkdir()
        assert self.opened(folder) == 2
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("at", [0, 30, 60, -1, -20])
    def test_a_sheet_that_was_touched_does_not_open(
        self, folder: Path, capsys: pytest.CaptureFixture[str], at: int
    ) -> None:
        capsys.readouterr()
        touched = bytearray((folder / "sheet").read_bytes())
        touched[at] ^= 1
        (folder / "sheet").write_bytes(touched)
        assert self.opened(folder) == 2
        assert capsys.readouterr().out == ""
        assert not (folder / "records").exists()

    def test_another_custodians_sheet_names_the_key_that_it_needs(self, folder: Path) -> None:
        other = CustodianKeys.new()
        with pytest.raises(NotOpened, match="sealed to the key"):
            other.open((folder / "sheet").read_bytes())
        for rubbish in (b"", b"duanhao-emergency-sheet-1\n", b"duanhao-emergency-sheet-1\n{}\n" + bytes(99), bytes(99)):
            with pytest.raises(NotOpened, match="no emergency sheet"):
                other.open(rubbish)
        with pytest.raises(NotOpened, match="no key file"):
            CustodianKeys.read("something else")
        with pytest.raises(RecordInvalid):
            read_record("{}", other.public)

    def test_two_sheets_of_one_content_have_nothing_in_common(self, folder: Path) -> None:
        keys = CustodianKeys.read((folder / "key").read_text())
        one, other = self.sealed(keys), self.sealed(keys)
        header = one.index(b"}\n") + 2
        assert one[:header] == other[:header]
        assert one[header : header + 44] != other[header : header + 44]
        assert json.loads(one.splitlines()[1])["key"] in repr(keys)

    def test_records_are_brought_back_sheet_by_sheet(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for _ in range(2):
            self.opened(folder)
        capsys.readouterr()
        sent = list[tuple[str, int]]()

        def answer(request: httpx.Request) -> httpx.Response:
            records = json.loads(request.content)["records"]
            sent.append((request.url.path, len(records)))
            return httpx.Response(200, json={"taken": len(records), "known": 0, "gaps": 0})

        def connect(url: str) -> httpx.Client:
            return httpx.Client(base_url=url, transport=httpx.MockTransport(answer))

        service = Service(url="http://duanhao.test", credentials=Credentials(token="t"), connect=connect)
        assert upload(service, folder / "records") == 0
        assert sent == [(f"/v1/emergency-sheets/{UUID(int=7)}/openings", 2)]
        assert capsys.readouterr().out.startswith("2 uploaded")
        (folder / "records").write_text("no record\n")
        assert upload(service, folder / "records") == 2
        assert upload(service, folder / "nowhere") == 2
