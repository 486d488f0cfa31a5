"""The bytes of an envelope: only what we write is read, and no two bindings share a serialisation."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.envelope import (
    HIGHEST_VERSION,
    PADDING_CLASS,
    Envelope,
    EnvelopeError,
    Header,
    aad,
    aad_of_subject,
    encode,
    encode_header,
    field_label,
    pad,
    parse,
    prefixed,
    unpad,
)
from tests.crypto.material import ADA, counted

HANDLE = counted(8)
SOUND = encode(Envelope(header=Header(1, HANDLE, 1), nonce=counted(12), body=counted(32)))

headers = st.builds(
    Header,
    suite=st.just(1),
    handle=st.binary(min_size=8, max_size=8),
    version=st.integers(1, HIGHEST_VERSION),
)
bindings = st.tuples(headers, st.uuids(), st.text(min_size=1, max_size=40))


@given(headers, st.binary(min_size=12, max_size=12), st.integers(1, 9))
def test_what_is_encoded_is_parsed_again(header: Header, nonce: bytes, classes: int) -> None:
    envelope = Envelope(header=header, nonce=nonce, body=counted(16 * classes + 16))
    assert parse(encode(envelope)) == envelope


def reread(data: bytes) -> bytes | None:
    """Parse and encode again; ``None`` when refused."""
    try:
        return encode(parse(data))
    except EnvelopeError:
        return None


@given(st.binary(max_size=120))
def test_what_is_parsed_is_exactly_what_would_be_encoded(data: bytes) -> None:
    for candidate in (data, SOUND[:2] + data, SOUND[:13] + data):
        assert reread(candidate) in (None, candidate)


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", "magic"),
        (b"\xd5", "magic"),
        (b"\xd4\x01" + SOUND[2:], "magic"),
        (b"\xd5\x02" + SOUND[2:], "magic"),
        (SOUND[:2] + b"\x00" + SOUND[3:], "suite"),
        (SOUND[:2] + b"\x02" + SOUND[3:], "suite"),
        (SOUND[:2] + b"\x03" + SOUND[3:], "suite"),
        (SOUND[:11] + b"\x00\x00" + SOUND[13:], "version"),
        (SOUND[:-1], "length"),
        (SOUND + b"\x00", "length"),
        (SOUND[:25] + SOUND[41:], "length"),
    ],
)
def test_anything_else_is_refused_before_any_cryptography(data: bytes, cause: str) -> None:
    with pytest.raises(EnvelopeError, match=r"^not an envelope$") as refused:
        parse(data)
    assert refused.value.cause_code == cause


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(Header(2, HANDLE, 1), counted(12), counted(32)),
        Envelope(Header(1, HANDLE[:7], 1), counted(12), counted(32)),
        Envelope(Header(1, HANDLE, 0), counted(12), counted(32)),
        Envelope(Header(1, HANDLE, HIGHEST_VERSION + 1), counted(12), counted(32)),
        Envelope(Header(1, HANDLE, 1), counted(11), counted(32)),
        Envelope(Header(1, HANDLE, 1), counted(12), counted(16)),
        Envelope(Header(1, HANDLE, 1), counted(12), counted(33)),
    ],
)
def test_an_envelope_that_could_not_be_read_back_is_not_written(envelope: Envelope) -> None:
    with pytest.raises(EnvelopeError):
        encode(envelope)


@given(bindings, bindings)
def test_distinct_bindings_never_serialise_alike(
    one: tuple[Header, UUID, str], other: tuple[Header, UUID, str]
) -> None:
    assert (aad(*one) == aad(*other)) == (one == other)


@given(st.lists(st.binary(max_size=6), max_size=5), st.lists(st.binary(max_size=6), max_size=5))
def test_length_prefixes_keep_apart_what_joins_to_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    joined, also = (b"".join(prefixed(part) for part in parts) for parts in (one, other))
    assert (joined == also) == (one == other)


@given(bindings)
def test_the_binding_names_its_domain_and_every_part(binding: tuple[Header, UUID, str]) -> None:
    header, subject, field = binding
    serialised = aad(header, subject, field)
    assert serialised.startswith(prefixed(b"duanhao:seal:1"))
    assert serialised == aad_of_subject(header, subject) + field_label(field)
    for part in (bytes((header.suite,)), header.handle, subject.bytes, field.encode()):
        assert prefixed(part) in serialised


def test_a_value_without_a_field_name_is_refused() -> None:
    with pytest.raises(ValueError, match="field name"):
        aad(Header(1, HANDLE, 1), ADA, "")


@given(st.binary(max_size=100))
def test_padding_comes_off_as_it_went_on_and_leaves_only_the_class_of_the_length(plain: bytes) -> None:
    padded = pad(plain)
    assert unpad(padded) == plain
    assert len(padded) == (len(plain) // PADDING_CLASS + 1) * PADDING_CLASS


@pytest.mark.parametrize(
    "padded",
    [b"", bytes(16), counted(16, 1), counted(15, 1) + b"\x00", b"x" * 15 + b"\x80\x00", b"\x80" + bytes(31), b"x\x80"],
)
def test_padding_that_pad_never_makes_is_refused(padded: bytes) -> None:
    with pytest.raises(EnvelopeError) as refused:
        unpad(padded)
    assert refused.value.cause_code == "padding"


def test_a_header_is_thirteen_bytes_in_the_documented_order() -> None:
    assert encode_header(Header(1, HANDLE, 258)) == b"\xd5\x01\x01" + HANDLE + b"\x01\x02"
