"""The formats do not drift: today's code makes yesterday's bytes, and a second implementation can read them."""

import hashlib
import hmac
import json
from struct import pack
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.crypto.datakey import WrappedDataKey
from app.crypto.providers import EnvProvider, encode_root
from tests.crypto import vectors
from tests.crypto.material import ADA, Vault, counted

ANSWERS: dict[str, Any] = json.loads(vectors.FILE.read_text(encoding="utf-8"))


def test_todays_code_gives_the_known_answers() -> None:
    assert vectors.produce() == ANSWERS
    assert vectors.FILE.read_text(encoding="utf-8") == vectors.text()


def joined(*parts: bytes) -> bytes:
    """Join length-prefixed parts, written again from the description alone."""
    return b"".join(pack(">I", len(part)) + part for part in parts)


@pytest.mark.parametrize("answer", ANSWERS["envelopes"], ids=lambda answer: answer["field"])
def test_a_second_implementation_opens_every_known_envelope(answer: dict[str, str]) -> None:
    raw = bytes.fromhex(ANSWERS["data_key"]["raw"])
    envelope, subject, field = bytes.fromhex(answer["envelope"]), UUID(answer["subject"]), answer["field"].encode()
    assert envelope[:3] == b"\xd5\x01\x01"
    handle, version = envelope[3:11], envelope[11:13]
    binding = joined(b"duanhao:seal:1", b"\x01", handle, version, subject.bytes, field)
    padded = AESGCM(raw[:32]).decrypt(envelope[13:25], envelope[25:], binding)
    assert len(padded) % 16 == 0
    plain, marker, zeros = padded.rpartition(b"\x80")
    assert (marker, zeros.strip(b"\x00"), plain.decode()) == (b"\x80", b"", answer["value"])
    digest = hmac.new(raw[32:], b"duanhao:digest:1" + joined(field) + plain, hashlib.sha256).digest()
    assert digest[:16].hex() == answer["digest"]


def test_a_second_implementation_unwraps_the_known_data_key_and_checks_the_known_row() -> None:
    known = ANSWERS["wrapped_data_key"]
    wrapped, handle = bytes.fromhex(known["wrapped"]), bytes.fromhex(ANSWERS["data_key"]["handle"])
    binding = joined(b"duanhao:datakey:1", ADA.bytes, handle, b"\x00\x01", pack(">I", known["kek_version"]))
    raw = AESGCM(bytes.fromhex(known["kek"])).decrypt(wrapped[:12], wrapped[12:], binding)
    assert raw.hex() == ANSWERS["data_key"]["raw"]
    encoded = bytes.fromhex(ANSWERS["row"]["encoded"])
    own = hmac.new(raw[32:], b"duanhao:rowmac:1" + encoded, hashlib.sha256).hexdigest()
    assert own == ANSWERS["row"]["own_key"]


def test_a_second_implementation_derives_the_known_mac_keys() -> None:
    index = counted(32, 65)
    for label, key in ANSWERS["mac_key"].items():
        info = joined(b"duanhao:mackey:1", label.encode())
        assert hmac.new(index, info + b"\x01", hashlib.sha256).hexdigest() == key


def test_the_service_opens_what_it_wrapped_and_sealed_then() -> None:
    vault = Vault()
    known = ANSWERS["wrapped_data_key"]
    wrapped = WrappedDataKey(counted(8, 16), 1, known["kek_version"], bytes.fromhex(known["wrapped"]))
    answers = [answer for answer in ANSWERS["envelopes"] if answer["subject"] == str(ADA)]
    boxes = [(answer["field"], bytes.fromhex(answer["envelope"])) for answer in answers]
    permit = vault.permit({ADA: [field for field, _ in boxes]})
    assert vault.opener.open_fields(permit, ADA, wrapped, boxes) == [answer["value"] for answer in answers]


def test_the_provider_unwraps_what_it_wrapped_then() -> None:
    provider = EnvProvider("ROOT", environ={"ROOT": encode_root(counted(32, 7))})
    wrapped = bytes.fromhex(ANSWERS["root"]["wrapped"])
    assert provider.unwrap(wrapped, joined(b"duanhao:kek:1", b"field", pack(">I", 1))) == counted(32, 9)
