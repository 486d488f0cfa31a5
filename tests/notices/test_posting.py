"""The connection goes to the address that was judged, at every sending anew; TLS is with the name; nobody else is asked for the way."""

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.notices.posting import Poster, PostFailed, looked_up
from app.notices.targets import Reach, TargetRefused, target
from tests.notices.office import LOOP, Office
from tests.support.receivers import receiving

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME: Final = "hooks.example.com"


class Names:
    """A name server that says something else each time it is asked, the last thing for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del host, port
        self.asked += 1
        found = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if not found:
            raise OSError
        return found


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a certificate of ``name``; give what serves with it, and what believes it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + made.public_bytes(serialization.Encoding.PEM)
    file.write_bytes(pem)
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serves.load_cert_chain(file)
    return serves, ssl.create_default_context(cafile=str(file))


async def failure(poster: Poster, url: str) -> str:
    try:
        await poster.post(target(url, poster.reach), b"{}", {})
    except PostFailed as failed:
        return failed.failure
    finally:
        await poster.close()
    return "none"


async def test_a_name_that_moves_inside_after_it_was_judged_is_not_followed() -> None:
    """The classic of DNS rebinding: a public address for the check, the loopback address for the connection."""
    async with receiving() as receiver:
        names = Names(["93.184.216.34"], ["127.0.0.1"])
        poster = Poster(Reach(ports=frozenset({receiver.port})), resolver=names)
        url = f"https://{NAME}:{receiver.port}/"
        assert (await poster.check(url)).host == NAME
        assert await failure(poster, url) == "target_refused"
        assert (names.asked, receiver.connections) == (2, 0)


async def test_one_request_asks_for_its_name_once(tmp_path: Path) -> None:
    serves, believes = certificate(tmp_path, NAME)
    async with receiving(tls=serves) as receiver:
        names = Names(["127.0.0.1"], ["127.0.0.2"])
        poster = Poster(LOOP, resolver=names, trust=believes)
        posted = await poster.post(
            target(f"https://{NAME}:{receiver.port}/x?y=z", LOOP), b'{"a":1}', {"webhook-id": "1"}
        )
        await poster.close()
        assert (posted.status, names.asked) == (204, 1)
        (got,) = receiver.got
        assert got.headers["host"] == f"{NAME}:{receiver.port}"
        assert (got.path, got.body) == ("/x?y=z", b'{"a":1}')


@pytest.mark.parametrize(
    "found", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "10.0.0.1"], ["::1", "169.254.169.254"]]
)
async def test_one_bad_address_among_good_ones_is_enough(found: list[str]) -> None:
    async with receiving() as receiver:
        reach = Reach(ports=frozenset({receiver.port}))
        assert (
            await failure(Poster(reach, resolver=Names(found)), f"https://{NAME}:{receiver.port}/") == "target_refused"
        )
        assert receiver.connections == 0


async def test_the_certificate_must_be_the_names_though_the_connection_is_to_an_address(tmp_path: Path) -> None:
    serves, believes = certificate(tmp_path, "other.example.com")
    async with receiving(tls=serves) as receiver:
        poster = Poster(LOOP, resolver=Names(["127.0.0.1"]), trust=believes)
        assert await failure(poster, f"https://{NAME}:{receiver.port}/") == "tls_failed"
        assert receiver.got == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    serves, _ = certificate(tmp_path, NAME)
    async with receiving(tls=serves) as receiver:
        poster = Poster(LOOP, resolver=Names(["127.0.0.1"]))
        assert await failure(poster, f"https://{NAME}:{receiver.port}/") == "tls_failed"


async def test_a_name_that_stands_for_nothing() -> None:
    assert await failure(Poster(Reach(), resolver=Names([])), f"https://{NAME}/") == "unresolvable"


async def test_the_next_address_is_tried_when_one_refuses() -> None:
    async with receiving() as receiver:
        poster = Poster(LOOP, resolver=Names(["127.0.0.2", "127.0.0.1"]))
        assert await failure(poster, f"http://{NAME}:{receiver.port}/") == "none"


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver, receiving() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await failure(Poster(LOOP), receiver.url()) == "none"
        assert (receiver.connections, proxy.connections) == (1, 0)


async def test_no_more_of_an_answer_is_read_than_was_asked_for() -> None:
    async with receiving([(200, {}, b"x" * 100_000)]) as receiver:
        poster = Poster(LOOP)
        called = target(receiver.url(), LOOP)
        assert (await poster.post(called, b"", {})).body == b""
        assert (await poster.post(called, b"", {}, read=10)).body == b"x" * 10
        await poster.close()


async def test_the_systems_resolver_is_asked_for_addresses() -> None:
    assert set(await looked_up("localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(TargetRefused):
        await Poster(Reach()).check("https://localhost/")


async def test_a_delivery_judges_anew_and_connects_to_nobody(office: Office) -> None:
    """What was registered while its name was public is not called once the name leads inside."""
    async with receiving() as receiver:
        names = Names(["93.184.216.34"], ["127.0.0.1"])
        reach = Reach(ports=frozenset({receiver.port}))
        inner = office.poster(reach=reach, resolver=names)
        office.desk.keeper._poster = inner
        office.use(office.desk.made_courier(inner, chance=lambda: 0))
        made = await office.register(f"https://{NAME}:{receiver.port}/")
        await office.tell()
        await office.run()
        (delivery,) = await office.deliveries(made)
        assert (delivery["outcome"], delivery["status"], receiver.connections) == ("target_refused", None, 0)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "http://hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://2130706433/",
        "file:///etc/passwd",
        "https://inside.example.com/",
    ],
)
async def test_an_address_inside_cannot_be_registered_or_changed_to(office: Office, url: str) -> None:
    async def inside(host: str, port: int) -> Sequence[str]:
        del port
        return ["10.0.0.1"] if host == "inside.example.com" else ["93.184.216.34"]

    office.desk.keeper._poster = office.poster(reach=Reach(), resolver=inside)
    keeper = await office.keeper()
    body: dict[str, Any] = {"label": "x", "url": url, "types": ["request.*"]}
    refused = [await keeper.post("/v1/webhooks", json=body)]
    made = await office.register("https://hooks.example.com/")
    refused.append(await keeper.patch(f"/v1/webhooks/{made['id']}", json={"url": url}, headers={"If-Match": "*"}))
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (422, "webhook_target_refused")
        assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/url"]
        assert url not in answer.text
    assert len((await keeper.get("/v1/webhooks")).json()["items"]) == 1
