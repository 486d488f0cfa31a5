"""What a permit opens, and everything that stays shut, always with the same error."""

import os
import warnings
from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.crypto.datakey import DataKey, WrappedDataKey
from app.crypto.errors import KeyUnavailable, PermitRefused, SealBroken
from app.crypto.permit import Permit
from app.crypto.rowmac import RowValue
from tests.crypto.material import ADA, BEN, NUMBER, Vault, counted

MESSAGE = "A protected value cannot be opened"


def opened(
    vault: Vault, wrapped: WrappedDataKey, envelope: bytes, *, field: str = "mobile", subject: UUID = ADA
) -> str:
    """Open one field with a permit for it."""
    permit = vault.permit({subject: [field]})
    return vault.opener.open_fields(permit, subject, wrapped, [(field, envelope)])[0]


def cause_of(attempt: Callable[[], object]) -> str:
    """Run an attempt that must fail as every other does; give the cause that the security log was told."""
    with capture_logs() as logs, pytest.raises(SealBroken) as broken:
        attempt()
    error = broken.value
    assert (str(error), error.detail, error.status, error.code) == (MESSAGE, MESSAGE, 500, "seal_broken")
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    (event,) = logs
    assert event["event"] == "seal_broken"
    assert event["cause_code"] == error.cause_code
    assert NUMBER not in repr(event)
    return error.cause_code


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=80), max_size=5))
def test_values_come_back_as_they_were_sealed_and_in_order(vault: Vault, values: dict[str, str]) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    boxes = [(name, sealer.seal(name, value).envelope) for name, value in values.items()]
    assert vault.opener.open_fields(vault.permit({ADA: values}), ADA, wrapped, boxes) == list(values.values())


@pytest.mark.parametrize("value", ["", "\x00", "\x80\x00", "x" * 15, "x" * 16, "王小明 😀", "a\u0301"])
def test_awkward_values_come_back_too(vault: Vault, value: str) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    assert opened(vault, wrapped, sealer.seal("mobile", value).envelope) == value


@pytest.mark.parametrize(("length", "size"), [(0, 57), (1, 57), (11, 57), (15, 57), (16, 73), (31, 73), (32, 89)])
def test_the_length_of_a_box_tells_only_a_class_of_sixteen(vault: Vault, length: int, size: int) -> None:
    sealer, _ = vault.sealer.new(ADA)
    assert len(sealer.seal("mobile", "x" * length).envelope) == size


def test_text_without_a_utf8_form_is_refused_without_being_repeated(vault: Vault) -> None:
    sealer, _ = vault.sealer.new(ADA)
    for use in (sealer.seal, sealer.digest):
        with pytest.raises(ValueError, match=r"^the value has no UTF-8 form$") as refused:
            use("mobile", NUMBER + "\ud800")
        assert not isinstance(refused.value, UnicodeError)
        assert refused.value.__cause__ is None


def test_every_single_flipped_bit_fails_alike(vault: Vault) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    envelope = sealer.seal("mobile", NUMBER).envelope
    whole = int.from_bytes(envelope, "big")
    causes = [
        cause_of(partial(opened, vault, wrapped, (whole ^ 1 << bit).to_bytes(len(envelope), "big")))
        for bit in range(8 * len(envelope))
    ]
    assert len(causes) == 8 * 73
    assert set(causes) == {"magic", "suite", "handle", "version", "tag"}


def test_every_truncation_and_extension_fails_alike(vault: Vault) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    envelope = sealer.seal("mobile", NUMBER).envelope
    shapes = [envelope[:size] for size in range(len(envelope))]
    shapes += [envelope[start:] for start in range(1, len(envelope))]
    shapes += [envelope + bytes(more) for more in range(1, 33)]
    causes = {cause_of(partial(opened, vault, wrapped, shape)) for shape in shapes}
    assert causes == {"magic", "length", "tag"}


def test_a_box_stays_with_its_person_its_field_and_its_key(vault: Vault) -> None:
    ada, adas = vault.sealer.new(ADA)
    ben, bens = vault.sealer.new(BEN)
    other, others = vault.sealer.new(ADA)
    box, foreign = ada.seal("mobile", NUMBER).envelope, ben.seal("mobile", NUMBER).envelope
    assert opened(vault, adas, box) == NUMBER
    assert cause_of(lambda: opened(vault, bens, box, subject=BEN)) == "handle"
    assert cause_of(lambda: opened(vault, adas, foreign)) == "handle"
    assert cause_of(lambda: opened(vault, others, box)) == "handle"
    assert cause_of(lambda: opened(vault, adas, box, field="email")) == "tag"
    assert cause_of(lambda: opened(vault, adas, box[:25] + foreign[25:])) == "tag"
    assert cause_of(lambda: opened(vault, adas, other.seal("mobile", NUMBER).envelope)) == "handle"


def test_a_box_of_another_version_of_the_key_stays_shut(vault: Vault) -> None:
    raw, handle = counted(64), counted(8)
    old, new = (DataKey(subject=ADA, handle=handle, version=version, raw=raw) for version in (1, 2))
    wrapped = new.wrap(vault.keyring._ciphers["field", 1], 1)
    assert opened(vault, wrapped, new.seal("mobile", NUMBER).envelope) == NUMBER
    box = old.seal("mobile", NUMBER).envelope
    assert cause_of(lambda: opened(vault, wrapped, box)) == "version"
    assert cause_of(lambda: opened(vault, wrapped, box[:11] + b"\x00\x02" + box[13:])) == "tag"


@pytest.mark.parametrize("cached", [False, True])
def test_a_wrapped_key_that_was_moved_or_altered_is_refused_even_with_the_true_one_in_the_cache(
    *, cached: bool
) -> None:
    vault = Vault()
    ada, adas = vault.sealer.new(ADA)
    _, bens = vault.sealer.new(BEN)
    box = ada.seal("mobile", NUMBER).envelope
    if cached:
        assert opened(vault, adas, box) == NUMBER
    moved = [
        bens,
        WrappedDataKey(handle=adas.handle, version=1, kek_version=1, wrapped=bens.wrapped),
        WrappedDataKey(handle=bens.handle, version=1, kek_version=1, wrapped=adas.wrapped),
        WrappedDataKey(handle=adas.handle, version=2, kek_version=1, wrapped=adas.wrapped),
        WrappedDataKey(handle=adas.handle, version=0, kek_version=1, wrapped=adas.wrapped),
        WrappedDataKey(handle=adas.handle[:7], version=1, kek_version=1, wrapped=adas.wrapped),
        WrappedDataKey(handle=adas.handle, version=1, kek_version=1, wrapped=adas.wrapped[:-1]),
        WrappedDataKey(handle=adas.handle, version=1, kek_version=1, wrapped=b""),
        *(
            WrappedDataKey(
                handle=adas.handle,
                version=1,
                kek_version=1,
                wrapped=(int.from_bytes(adas.wrapped, "big") ^ 1 << bit).to_bytes(len(adas.wrapped), "big"),
            )
            for bit in range(0, 8 * len(adas.wrapped), 7)
        ),
    ]
    assert {cause_of(partial(opened, vault, wrapped, box)) for wrapped in moved} == {"data_key"}
    assert opened(vault, adas, box) == NUMBER


def test_person_and_wrapped_key_and_box_swapped_together_stay_shut(vault: Vault) -> None:
    ben, bens = vault.sealer.new(BEN)
    assert cause_of(lambda: opened(vault, bens, ben.seal("mobile", NUMBER).envelope)) == "data_key"


def test_a_wrapped_key_under_a_kek_that_is_not_loaded_is_unavailable_not_broken(vault: Vault) -> None:
    _, adas = vault.sealer.new(ADA)
    later = WrappedDataKey(handle=adas.handle, version=1, kek_version=9, wrapped=adas.wrapped)
    with pytest.raises(KeyUnavailable, match="version 9") as unavailable:
        opened(vault, later, b"")
    assert unavailable.value.status == 503
    assert unavailable.value.detail == "A key is not available"


def test_nonces_never_repeat_across_people_fields_and_forks(vault: Vault) -> None:
    sealers = [vault.sealer.new(subject)[0] for subject in (ADA, BEN)]
    nonces = {sealer.seal("mobile", NUMBER).envelope[13:25] for sealer in sealers for _ in range(20_000)}
    assert len(nonces) == 40_000
    readable, writable = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # newer Pythons warn of threads; the child only seals and ends
        child = os.fork()
    if child == 0:
        os.write(writable, sealers[0].seal("mobile", NUMBER).envelope[13:25])
        os._exit(0)
    os.waitpid(child, 0)
    nonces.add(os.read(readable, 12))
    nonces.add(sealers[0].seal("mobile", NUMBER).envelope[13:25])
    os.close(readable)
    os.close(writable)
    assert len(nonces) == 40_002


@pytest.mark.parametrize("cause", ["subject", "field", "expired", "none", "lookalike"])
def test_a_permit_that_does_not_cover_it_all_opens_nothing(vault: Vault, cause: str) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    boxes = [(name, sealer.seal(name, NUMBER).envelope) for name in ("mobile", "email")]
    permits: dict[str, object] = {
        "subject": vault.permit({BEN: ["mobile", "email"]}),
        "field": vault.permit({ADA: ["mobile"], BEN: ["email"]}),
        "expired": vault.permit({ADA: ["mobile", "email"]}, seconds=0),
        "none": None,
        "lookalike": type("Permit", (), {"fields_of": lambda *_, **__: frozenset({"mobile", "email"})})(),
    }
    permit: Permit = permits[cause]  # type: ignore[assignment]  # some of them are no permits, which is the point
    with capture_logs() as logs, pytest.raises(PermitRefused) as refused:
        vault.opener.open_fields(permit, ADA, wrapped, boxes)
    expected = {"none": "forged", "lookalike": "forged"}.get(cause, cause)
    assert refused.value.cause_code == expected
    assert [(event["event"], event["cause_code"]) for event in logs] == [("permit_refused", expected)]
    assert vault.opener.opened == 0


def test_a_permit_is_good_until_it_ends_and_not_after(vault: Vault) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    boxes = [("mobile", sealer.seal("mobile", NUMBER).envelope)]
    permit = vault.permit({ADA: ["mobile"]}, seconds=5)
    vault.clock.now += 4.999
    assert vault.opener.open_fields(permit, ADA, wrapped, boxes) == [NUMBER]
    vault.clock.now += 0.001
    with pytest.raises(PermitRefused):
        vault.opener.open_fields(permit, ADA, wrapped, boxes)


def test_one_broken_box_among_sound_ones_gives_nothing_and_counts_nothing(vault: Vault) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    sound = sealer.seal("mobile", NUMBER).envelope
    permit = vault.permit({ADA: ["mobile", "email"]})
    assert (
        cause_of(lambda: vault.opener.open_fields(permit, ADA, wrapped, [("mobile", sound), ("email", sound)])) == "tag"
    )
    assert vault.opener.opened == 0
    assert vault.opener.open_fields(permit, ADA, wrapped, [("mobile", sound)] * 3) == [NUMBER] * 3
    assert vault.opener.opened == 3


def test_the_security_log_names_person_field_and_cause_and_no_value(vault: Vault) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    envelope = sealer.seal("mobile", NUMBER).envelope
    with capture_logs() as logs, pytest.raises(SealBroken):
        opened(vault, wrapped, envelope[:-1] + bytes((envelope[-1] ^ 1,)))
    assert logs == [
        {
            "event": "seal_broken",
            "log_level": "error",
            "subject_id": str(ADA),
            "field": "mobile",
            "cause_code": "tag",
        }
    ]


def test_padding_and_text_that_we_never_write_fail_alike_behind_a_true_tag(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    key = vault.keyring.unlock(ADA, wrapped)
    for plain in (bytes(16), b"\x80" + bytes(31), b"\xff\x80" + bytes(14)):
        box = key.header + counted(12) + key.cipher.encrypt(counted(12), plain, key.bound + b"\0\0\0\x06mobile")
        assert cause_of(partial(opened, vault, wrapped, box)) == "plaintext"


def test_digests_differ_per_person_and_per_field_and_compare_values_unopened(vault: Vault) -> None:
    (ada, adas), (ben, _) = vault.sealer.new(ADA), vault.sealer.new(BEN)
    digest = ada.digest("mobile", NUMBER)
    assert len(digest) == 16
    assert len({digest, ada.digest("email", NUMBER), ben.digest("mobile", NUMBER), ada.digest("mobile", "")}) == 4
    again = vault.sealer.existing(ADA, adas)
    assert again.matches("mobile", NUMBER, digest)
    assert not again.matches("mobile", NUMBER + " ", digest)
    assert not again.matches("email", NUMBER, digest)
    assert not again.matches("mobile", NUMBER, None)


def test_a_digest_cannot_be_shifted_between_field_name_and_value(vault: Vault) -> None:
    ada, _ = vault.sealer.new(ADA)
    assert ada.digest("mobile", "x1") != ada.digest("mobilex", "1")


COLUMNS: tuple[RowValue, ...] = ("contact", ADA, 3, "employee", "normal", None)


def test_a_row_whose_tier_was_edited_in_the_store_is_not_intact_and_raises_an_alarm(vault: Vault) -> None:
    sealer, wrapped = vault.sealer.new(ADA)
    box = sealer.seal("mobile", NUMBER).envelope
    mac = sealer.mac((*COLUMNS, box))
    assert vault.opener.row_intact(ADA, wrapped, (*COLUMNS, box), mac)
    edited: list[tuple[tuple[RowValue, ...], bytes | None]] = [
        (("contact", ADA, 3, "employee", "executive", None, box), mac),
        (("contact", BEN, 3, "employee", "normal", None, box), mac),
        ((*COLUMNS, sealer.seal("mobile", NUMBER).envelope), mac),
        ((*COLUMNS, box), None),
        ((*COLUMNS, box), mac[:16]),
    ]
    for columns, found in edited:
        with capture_logs() as logs:
            assert not vault.opener.row_intact(ADA, wrapped, columns, found)
        assert [(event["event"], event["field"], event["cause_code"]) for event in logs] == [
            ("seal_broken", "(row)", "row_mac")
        ]
        assert not sealer.verify(columns, found)


def test_a_row_mac_under_another_persons_key_does_not_hold(vault: Vault) -> None:
    (ada, adas), (ben, _) = vault.sealer.new(ADA), vault.sealer.new(BEN)
    assert vault.opener.row_intact(ADA, adas, COLUMNS, ada.mac(COLUMNS))
    assert not vault.opener.row_intact(ADA, adas, COLUMNS, ben.mac(COLUMNS))
