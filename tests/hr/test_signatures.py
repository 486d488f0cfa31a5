"""Signed events: what is read of the headers, whose signature fits, and what nobody gets in with, over HTTP on both engines."""

import base64
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from app.audit.repository import EventFilter
from app.auth.clients import NewClient
from app.hr import signatures
from app.hr.models import HrEvent
from app.hr.source_errors import SignatureRefused, SourceExists, SourceNotFound, SourceUnfit, TooManySources
from app.hr.sources import MOST
from app.notices import signing
from tests.hr.calls import kept, post
from tests.hr.events import joined, left
from tests.policy.tampering import Intruder
from tests.support.application import World
from tests.support.clock import NOON
from tests.support.problems import faults, problem
from tests.support.shared import Company

SECRET: Final = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER: Final = "whsec_" + base64.b64encode(bytes(32)).decode()
BODY: Final = b'{"id":"evt-1"}'
PATH: Final = "/v1/hr/events"


def raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def headers(*secrets: str, body: bytes = BODY, at: datetime = NOON) -> dict[str, str]:
    return signing.headers("msg_1", body, secrets or (SECRET,), at)


def fits(given: Mapping[str, str], body: bytes = BODY, *secrets: str, now: datetime = NOON) -> bool:
    return signatures.matches(signatures.read(raw(given), now), body, secrets or (SECRET,))


def test_the_signature_is_that_of_the_specification() -> None:
    sent = headers()
    signed = f"msg_1.{int(NOON.timestamp())}.".encode() + BODY
    expected = base64.b64encode(hmac.digest(bytes(range(32)), signed, "sha256")).decode()
    assert sent["webhook-signature"] == f"v1,{expected}"
    assert fits(sent)


@pytest.mark.parametrize(
    ("signers", "live", "expected"),
    [
        ((SECRET,), (SECRET,), True),
        ((SECRET,), (OTHER, SECRET), True),
        ((OTHER, SECRET), (SECRET,), True),
        ((OTHER, SECRET), (OTHER, SECRET), True),
        ((OTHER,), (SECRET,), False),
        ((SECRET,), (), False),
    ],
    ids=["one", "newer-and-older", "both-signed", "both", "another", "none-live"],
)
def test_either_live_secret_fits(signers: tuple[str, ...], live: tuple[str, ...], *, expected: bool) -> None:
    attempt = signatures.read(raw(headers(*signers)), NOON)
    assert signatures.matches(attempt, BODY, live) is expected


@pytest.mark.parametrize(
    ("seconds", "accepted"),
    [(0, True), (300, True), (-300, True), (301, False), (-301, False), (86_400, False), (-31_536_000, False)],
)
def test_the_attempt_is_of_now(seconds: int, *, accepted: bool) -> None:
    sent = headers(at=NOON + timedelta(seconds=seconds))
    if accepted:
        assert fits(sent)
        return
    with pytest.raises(SignatureRefused) as refused:
        fits(sent)
    assert refused.value.reason == "time"


def without(name: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda sent: {each: value for each, value in sent.items() if each != name}


def put(name: str, value: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda sent: {**sent, name: value}


def signed_as(write: Callable[[str], str]) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda sent: {**sent, "webhook-signature": write(sent["webhook-signature"])}


NOW: Final = str(int(NOON.timestamp()))
HOSTILE: Final[Mapping[str, Callable[[dict[str, str]], dict[str, str]]]] = {
    "no id": without("webhook-id"),
    "no time": without("webhook-timestamp"),
    "no signature": without("webhook-signature"),
    "empty id": put("webhook-id", ""),
    "id with a space": put("webhook-id", "msg 1"),
    "id with a control": put("webhook-id", "msg\t1"),
    "long id": put("webhook-id", "m" * 129),
    "another id": put("webhook-id", "msg_2"),
    "empty time": put("webhook-timestamp", ""),
    "time as a float": put("webhook-timestamp", f"{NOW}.0"),
    "time with a sign": put("webhook-timestamp", f"+{NOW}"),
    "time with a zero": put("webhook-timestamp", f"0{NOW}"),
    "time with an underscore": put("webhook-timestamp", f"{NOW[:3]}_{NOW[3:]}"),
    "time in other digits": put("webhook-timestamp", "".join(chr(0x660 + int(each)) for each in NOW)),
    "time not a number": put("webhook-timestamp", "nan"),
    "time without end": put("webhook-timestamp", "9" * 40),
    "time in milliseconds": put("webhook-timestamp", f"{NOW}000"),
    "another time": put("webhook-timestamp", str(int(NOW) + 1)),
    "empty signature": put("webhook-signature", ""),
    "signature without version": signed_as(lambda each: each.removeprefix("v1,")),
    "another version": signed_as(lambda each: each.replace("v1,", "v1a,")),
    "version in capitals": signed_as(lambda each: each.replace("v1", "V1")),
    "cut": signed_as(lambda each: each[:-8]),
    "hexadecimal": signed_as(lambda each: "v1," + base64.b64decode(each[3:]).hex()),
    "in url-safe letters": signed_as(lambda each: each[:-3] + "-_="),
    "two commas": signed_as(lambda each: each.replace("v1,", "v1,,")),
    "a comma between": signed_as(lambda each: f"{each},{each}"),
    "zeros": put("webhook-signature", "v1," + base64.b64encode(bytes(32)).decode()),
    "of nothing": put("webhook-signature", "v1,"),
    "nine": signed_as(lambda each: " ".join([each] * 9)),
    "too long": signed_as(lambda each: f"{each} v2,{'x' * 1024}"),
    "with a token": put("authorization", "Bearer x"),
}


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_what_is_not_whole_fits_nothing(what: str) -> None:
    with suppress(SignatureRefused):
        assert not fits(HOSTILE[what](headers())), what


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_header_that_is_there_twice_is_neither(name: str) -> None:
    sent = raw(headers())
    with pytest.raises(SignatureRefused) as refused:
        signatures.read([*sent, *(each for each in sent if each[0] == name.encode())], NOON)
    assert refused.value.reason == "repeated"


def test_a_signature_of_another_scheme_beside_ours_is_passed_over() -> None:
    sent = headers()
    assert fits({**sent, "webhook-signature": f"v1a,abc v2,def {sent['webhook-signature']}"})


@given(st.binary(max_size=60), st.binary(min_size=1, max_size=3), st.integers(0, 59))
def test_no_other_body_fits(body: bytes, change: bytes, at: int) -> None:
    """Of bytes that are no UTF-8 nothing is signed at all."""
    try:
        sent = headers(body=body)
    except UnicodeDecodeError:
        sent = headers()
        assert not fits(sent, body)
        return
    assert fits(sent, body)
    assert not fits(sent, body[:at] + change + body[at:])


shared_run = pytest.mark.asyncio(loop_scope="session")


@dataclass(slots=True)
class Sender:
    """A source at ``world`` with its secrets, newest first."""

    world: World
    name: str
    secrets: list[str] = field(default_factory=list)

    def event(self, **members: Any) -> dict[str, Any]:  # noqa: ANN401 — of an event
        return {**left("E0000"), "source": self.name, **members}

    async def send(self, body: object, path: str = PATH, **changed: str | None) -> httpx.Response:
        content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        sent = signing.headers("msg_2", content, self.secrets, datetime.now(UTC))
        named = {each.replace("_", "-"): value for each, value in changed.items()}
        whole = {"Content-Type": "application/json", **sent, **named}
        client = await self.world.as_(None)
        return await client.post(
            path, content=content, headers={each: value for each, value in whole.items() if value is not None}
        )


async def source(world: World, name: str, client_id: str = "hr-system") -> Sender:
    """Register a source, as two operators do."""
    async with world.application.database.unit_of_work() as unit:
        return Sender(world, name, [await world.application.hr.sources.add(unit.session, name, client_id)])


@pytest.fixture
def named(request: pytest.FixtureRequest) -> str:
    """Give a name that no other test uses."""
    return f"signed-{crc32(request.node.name.encode())}"


async def end(sender: Sender) -> None:
    async with sender.world.application.database.unit_of_work() as unit:
        await sender.world.application.hr.sources.disable(unit.session, sender.name)


@shared_run
async def test_a_signed_event_is_applied_as_its_service_account_and_marked(shared: World, named: str) -> None:
    sender = await source(shared, named)
    body = {**joined("S1001", mobile="13700061001"), "source": named}
    answer = await sender.send(body)
    assert (answer.status_code, answer.json()["state"]) == (202, "applied"), answer.text
    assert (await sender.send(body)).headers["Idempotency-Replayed"] == "true", "dedupe stays on source and id"
    again = await (await shared.as_("hr-system")).post(PATH, json=body)
    assert again.headers["Idempotency-Replayed"] == "true", "whichever way it is sent"
    row = await kept(shared, body["id"])
    assert (row.client_id, row.source) == ("hr-system", named)
    (known,) = [
        each
        for each in await shared.application.hr.sources.all(shared.application.database.reader)
        if each.name == named
    ]
    await shared.settle()
    log = await (await shared.as_("siem")).get("/v1/access-events", params={"action": "hr.event", "limit": 5})
    assert log.status_code == 200, log.text
    about = [each for each in log.json()["items"] if [one["id"] for one in each["contacts"]] == [str(row.contact_id)]]
    assert [each["actor"]["id"] for each in about] == ["hr-system"]
    one = await (await shared.as_("siem")).get(f"/v1/access-events/{about[0]['id']}")
    assert one.json()["query"]["signed"] == str(known.id)
    await end(sender)


@shared_run
async def test_a_batch_is_signed_as_a_whole(shared: World, named: str) -> None:
    sender = await source(shared, named)
    mine, strange = sender.event(), {**sender.event(), "source": "https://other.example.com"}
    told = await sender.send({"events": [mine, sender.event()]}, f"{PATH}/batches")
    assert told.status_code == 202, told.text
    assert sum(told.json()["counts"].get(state, 0) for state in ("applied", "waiting", "failed")) == 2
    problem(await sender.send({"events": [sender.event(), strange]}, f"{PATH}/batches"), 401, "signature_refused")
    problem(await sender.send(mine, f"{PATH}/batches"), 422, "invalid_request")
    await end(sender)


@shared_run
async def test_two_secrets_are_taken_until_the_older_one_ends(shared: World, named: str) -> None:
    sender, sources = await source(shared, named), shared.application.hr.sources
    first = Sender(shared, named, list(sender.secrets))

    async def rotated(overlap: timedelta) -> Sender:
        async with shared.application.database.unit_of_work() as unit:
            return Sender(shared, named, [await sources.rotate(unit.session, named, overlap=overlap)])

    second = await rotated(timedelta(days=1))
    both = Sender(shared, named, [*second.secrets, *first.secrets])
    for each in (first, second, both):
        assert (await each.send(sender.event())).status_code == 202
    third = await rotated(timedelta())
    for over in (first, second):
        problem(await over.send(sender.event()), 401, "signature_refused")
    assert (await third.send(sender.event())).status_code == 202
    assert (await Sender(shared, named, [*third.secrets, *first.secrets]).send(sender.event())).status_code == 202
    await end(sender)
    problem(await third.send(sender.event()), 401, "signature_refused")
    renewed = await source(shared, named)
    problem(await third.send(sender.event()), 401, "signature_refused")
    assert (await renewed.send(sender.event())).status_code == 202
    await end(renewed)


OLD: Final = str(int(datetime(2026, 1, 5, tzinfo=UTC).timestamp()))


@shared_run
@pytest.mark.parametrize(
    "what",
    [
        "unknown source",
        "wrong secret",
        "old capture",
        "tampered",
        "not utf-8",
        "another source",
        "with a token",
        "no id",
    ],
)
async def test_whatever_is_wrong_is_told_alike_and_stores_nothing(shared: World, named: str, what: str) -> None:
    sender = await source(shared, named)
    body = json.dumps(sender.event()).encode()
    stranger = Sender(shared, named, [SECRET])
    match what:
        case "unknown source" | "wrong secret":
            name = named if what == "wrong secret" else "nobody-is-called-so"
            answer = await stranger.send({**sender.event(), "source": name})
        case "old capture":
            sent = signing.headers("msg_2", body, sender.secrets, datetime.now(UTC) - timedelta(minutes=6))
            answer = await sender.send(body, **{each.replace("-", "_"): value for each, value in sent.items()})
        case "tampered":
            sent = signing.headers("msg_2", body, sender.secrets, datetime.now(UTC))
            answer = await sender.send(
                body.replace(b"E0000", b"E2101"), **{each.replace("-", "_"): value for each, value in sent.items()}
            )
        case "not utf-8":
            sent = signing.headers("msg_2", body, sender.secrets, datetime.now(UTC))
            answer = await (await shared.as_(None)).post(PATH, content=b"\xff" + body, headers=sent)
        case "another source":
            answer = await sender.send({**sender.event(), "source": "https://hr.example.com"})
        case "with a token":
            answer = await sender.send(body, Authorization=f"Bearer {await shared.token('hr-system')}")
        case _:
            answer = await sender.send(body, webhook_id=None)
    problem(answer, 401, "signature_refused")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="duanhao"'
    told = {key: value for key, value in answer.json().items() if key not in {"request_id", "instance"}}
    reference = await stranger.send(sender.event())
    assert told == {key: value for key, value in reference.json().items() if key not in {"request_id", "instance"}}
    async with shared.application.database.session() as session:
        assert await session.scalar(select(func.count()).where(HrEvent.source.in_([named, "nobody-is-called-so"]))) == 0
    await end(sender)


@shared_run
async def test_a_signature_gives_no_more_than_its_account(shared: World, named: str) -> None:
    application, client_id = shared.application, f"payroll-{named[-6:]}"
    async with application.database.unit_of_work() as unit:
        new = NewClient(client_id, "Payroll", scopes=("hr:write", "contacts:read"), ceiling="C1")
        await application.clients.add(unit.session, new)
    sender = await source(shared, named, client_id)
    client = await shared.as_(None)
    content = b""
    sent = signing.headers("msg_3", content, sender.secrets, datetime.now(UTC))
    problem(await client.get("/v1/contacts", headers=sent), 401, "token_required")
    problem(await client.get(PATH, headers=sent), 401, "token_required")
    attempt = signatures.read(raw(signing.headers("msg_4", BODY, sender.secrets, NOON)), NOON)
    subject = await application.hr.sources.signer(application.database.reader, attempt, BODY)
    assert (subject.client_id, subject.scopes) == (client_id, frozenset({"hr:write"})), (
        "and no other scope of the account"
    )
    assert (await sender.send(sender.event())).status_code == 202
    async with application.database.unit_of_work() as unit:
        await application.clients.disable(unit.session, client_id)
    problem(await sender.send(sender.event()), 403, "forbidden")
    await end(sender)


@shared_run
async def test_a_body_that_is_signed_and_cannot_be_read_is_told_its_faults(shared: World, named: str) -> None:
    sender = await source(shared, named)
    for body in (b"{", b"[]", b"[" * 5000, b"null"):
        problem(await sender.send(body), 422, "invalid_request")
    assert faults(await sender.send(sender.event(subject=None)))
    large = await sender.send(b'{"source":"' + b"x" * 2_000_000 + b'"}')
    problem(large, 413, "body_too_large")
    await end(sender)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_row_that_was_edited_past_us_signs_nothing(company: Company, named: str) -> None:
    sender, intruder = await source(company.world, named), Intruder(company.store)
    await intruder.run("UPDATE hr_source SET client_id = ? WHERE name = ?", "it-scripts", named)
    problem(await sender.send(sender.event()), 401, "signature_refused")
    await intruder.run("UPDATE hr_source SET client_id = ? WHERE name = ?", "hr-system", named)
    assert (await sender.send(sender.event())).status_code == 202
    other = await source(company.world, f"{named}-2")
    await intruder.run(
        "UPDATE hr_source SET secret = (SELECT secret FROM hr_source WHERE name = ?) WHERE name = ?", other.name, named
    )
    problem(await sender.send(sender.event()), 401, "signature_refused")
    problem(await Sender(company.world, named, other.secrets).send(sender.event()), 401, "signature_refused")
    await end(other)
    await intruder.run("DELETE FROM hr_source WHERE name = ?", named)


@shared_run
async def test_what_can_be_no_source(shared: World, named: str) -> None:
    sources = shared.application.hr.sources
    async with shared.application.database.unit_of_work() as unit:
        session = unit.session
        for name, client_id in (
            ("", "hr-system"),
            ("x" * 65, "hr-system"),
            ("a\nb", "hr-system"),
            (" a", "hr-system"),
            (named, "nobody-at-all"),
            (named, "it-scripts"),
        ):
            with pytest.raises(SourceUnfit):
                await sources.add(session, name, client_id)
        with pytest.raises(SourceNotFound):
            await sources.rotate(session, named)
        with pytest.raises(SourceNotFound):
            await sources.disable(session, named)
        await sources.add(session, named, "hr-system")
        with pytest.raises(SourceExists):
            await sources.add(session, named, "hr-system")
        with pytest.raises(ValueError, match="30 days"):
            await sources.rotate(session, named, overlap=timedelta(days=31))
        kept_now = sum(each.state == "active" for each in await sources.all(session))
        for at in range(MOST - kept_now):
            await sources.add(session, f"{named}-{at}", "hr-system")
        with pytest.raises(TooManySources):
            await sources.add(session, f"{named}-more", "hr-system")
        await session.rollback()


async def strange(world: World, client_id: str) -> str:
    """Make a service account that may send events, and for which no source is registered."""
    async with world.application.database.unit_of_work() as unit:
        await world.application.clients.add(unit.session, NewClient(client_id, "Stranger", scopes=("hr:write",)))
    return client_id


async def ledger_of(world: World, source: str) -> int:
    async with world.application.database.session() as session:
        return await session.scalar(select(func.count()).where(HrEvent.source == source)) or 0


@shared_run
async def test_a_registered_name_is_its_accounts_alone(shared: World, named: str) -> None:
    sender, stranger = await source(shared, named), await strange(shared, f"s-{named}")
    mine, other = sender.event(), {**sender.event(), "source": f"{named}-of-nobody"}
    problem(await post(shared, sender.event(), as_=stranger), 403, "foreign_source")
    assert await ledger_of(shared, named) == 0
    batch = [sender.event(), other, {**sender.event(), "source": "reconcile:x"}]
    told = await (await shared.as_(stranger)).post(f"{PATH}/batches", json={"events": batch})
    assert told.status_code == 202, told.text
    items = [(each["state"], (each["problem"] or {}).get("code")) for each in told.json()["items"]]
    assert items == [("refused", "foreign_source"), ("waiting", "unknown_subject"), ("refused", "invalid_request")]
    assert await ledger_of(shared, named) == 0
    assert (await post(shared, mine)).status_code == 202, "its account may send with a token too"
    await end(sender)
    problem(await post(shared, sender.event(), as_=stranger), 403, "foreign_source")
    await end(await source(shared, named, stranger))
    assert (await post(shared, sender.event(), as_=stranger)).status_code == 202, "registered anew, for another"
    problem(await post(shared, sender.event()), 403, "foreign_source")
    assert await ledger_of(shared, named) == 2
    await shared.settle()
    found = (await shared.application.events.search(EventFilter(action="hr.event"), limit=20)).events
    refused = [each.event.client_id for each in found if each.event.code == "foreign_source"]
    assert Counter(refused) == {stranger: 3, "hr-system": 1}


@shared_run
async def test_a_name_that_nobody_registered_is_of_whoever_sent_in_it_first(shared: World, named: str) -> None:
    stranger, event = await strange(shared, f"t-{named}"), {**left("E9777"), "source": named}
    assert (await post(shared, event, as_=stranger)).status_code == 202
    others = [{**left("E9777"), "source": named}, event]
    for each in others:
        problem(await post(shared, each), 403, "foreign_source")
    told = (await (await shared.as_("hr-system")).post(f"{PATH}/batches", json={"events": others})).json()
    assert [(each["state"], each["problem"]["code"]) for each in told["items"]] == [("refused", "foreign_source")] * 2
    assert (await post(shared, {**left("E9777"), "source": named}, as_=stranger)).status_code == 202
    assert await ledger_of(shared, named) == 2
    await end(await source(shared, named))
    assert (await post(shared, others[0])).status_code == 202, "registered for another, it is theirs"
    problem(await post(shared, {**left("E9777"), "source": named}, as_=stranger), 403, "foreign_source")


@shared_run
async def test_accounts_that_shared_a_name_before_names_had_owners_go_on(shared: World, named: str) -> None:
    one, other = await strange(shared, f"u-{named}"), await strange(shared, f"v-{named}")
    bodies = [{**left("E9777"), "source": named} for _ in range(2)]
    for body in bodies:
        assert (await post(shared, body, as_=one)).status_code == 202
    async with shared.application.database.unit_of_work() as unit:
        theirs = update(HrEvent).where(HrEvent.event_id == bodies[1]["id"]).values(client_id=other)
        await unit.session.execute(theirs)
    for each in (one, other):
        assert (await post(shared, {**left("E9777"), "source": named}, as_=each)).status_code == 202
    problem(await post(shared, {**left("E9777"), "source": named}), 403, "foreign_source")


@pytest.mark.asyncio(loop_scope="session")
async def test_a_name_whose_row_was_edited_past_us_is_nobodys(company: Company, named: str) -> None:
    sender, intruder = await source(company.world, named), Intruder(company.store)
    await intruder.run("UPDATE hr_source SET client_id = ? WHERE name = ?", "it-scripts", named)
    problem(await post(company.world, sender.event()), 403, "foreign_source")
    await intruder.run("DELETE FROM hr_source WHERE name = ?", named)
