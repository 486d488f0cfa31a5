"""The keyring holds what it must, no more of it and no longer."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from app.crypto.datakey import WrappedDataKey
from app.crypto.errors import KeyUnavailable
from app.crypto.keyring import KekMaterial, Keyring
from tests.crypto.material import ADA, NUMBER, Seconds, Vault, counted, keks


def test_a_data_key_in_use_is_unwrapped_once(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    assert vault.keyring.unlock(ADA, wrapped) is vault.keyring.unlock(ADA, replace(wrapped))


def test_the_cache_keeps_no_more_than_it_may_and_drops_the_longest_unused() -> None:
    vault = Vault(cache_size=3)
    people = [uuid4() for _ in range(4)]
    wrapped = {person: vault.sealer.new(person)[1] for person in people}
    first = {person: vault.keyring.unlock(person, wrapped[person]) for person in people[:3]}
    vault.keyring.unlock(people[0], wrapped[people[0]])
    vault.keyring.unlock(people[3], wrapped[people[3]])
    assert len(vault.keyring) == 3
    assert vault.keyring.unlock(people[0], wrapped[people[0]]) is first[people[0]]
    assert vault.keyring.unlock(people[2], wrapped[people[2]]) is first[people[2]]
    assert vault.keyring.unlock(people[1], wrapped[people[1]]) is not first[people[1]]


def test_ten_times_more_people_than_places_leave_the_cache_full_and_no_fuller() -> None:
    vault = Vault(cache_size=16)
    for _ in range(160):
        person = uuid4()
        vault.keyring.unlock(person, vault.sealer.new(person)[1])
    assert len(vault.keyring) == 16


def test_a_data_key_lives_its_time_counted_from_unwrapping_however_much_it_is_used() -> None:
    vault = Vault(cache_ttl=300)
    _, wrapped = vault.sealer.new(ADA)
    first = vault.keyring.unlock(ADA, wrapped)
    for _ in range(299):
        vault.clock.now += 1
        assert vault.keyring.unlock(ADA, wrapped) is first
    vault.clock.now += 1
    assert vault.keyring.unlock(ADA, wrapped) is not first


def test_a_forgotten_data_key_is_gone_at_once(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    first = vault.keyring.unlock(ADA, wrapped)
    vault.keyring.forget(ADA)
    vault.keyring.forget(ADA)
    assert len(vault.keyring) == 0
    assert vault.keyring.unlock(ADA, wrapped) is not first


def test_a_new_person_takes_no_place_before_the_first_use(vault: Vault) -> None:
    vault.sealer.new(ADA)
    assert len(vault.keyring) == 0


def test_wrapping_again_under_a_new_kek_keeps_the_key_and_every_box() -> None:
    vault = Vault()
    sealer, wrapped = vault.sealer.new(ADA)
    box = sealer.seal("mobile", NUMBER).envelope
    vault.keyring.install(keks({"field": 2}))
    again = vault.keyring.rewrap(ADA, wrapped)
    assert (again.handle, again.version, again.kek_version) == (wrapped.handle, wrapped.version, 2)
    assert again.wrapped != wrapped.wrapped
    permit = vault.permit({ADA: ["mobile"]})
    for each in (wrapped, again):
        assert vault.opener.open_fields(permit, ADA, each, [("mobile", box)]) == [NUMBER]
    vault.keyring.install([kek for kek in keks({"field": 2}) if (kek.purpose, kek.version) != ("field", 1)])
    assert vault.opener.open_fields(permit, ADA, again, [("mobile", box)]) == [NUMBER]
    with pytest.raises(KeyUnavailable, match="field key of version 1"):
        vault.opener.open_fields(permit, ADA, wrapped, [("mobile", box)])


@pytest.mark.parametrize("purpose", ["field", "index", "sign"])
def test_a_keyring_without_one_current_key_of_each_purpose_is_refused(purpose: str) -> None:
    with pytest.raises(KeyUnavailable, match=f"no current key for {purpose}"):
        Keyring([kek for kek in keks() if kek.purpose != purpose])
    with pytest.raises(KeyUnavailable, match=f"no current key for {purpose}"):
        Keyring([replace(kek, current=kek.purpose != purpose) for kek in keks()])


def test_two_current_keys_of_one_purpose_are_refused() -> None:
    with pytest.raises(KeyUnavailable, match="two keys are current for sign"):
        Keyring([replace(kek, current=True) for kek in keks({"sign": 2})])


def test_a_kek_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Keyring([*keks(), KekMaterial(purpose="field", version=2, current=False, key=counted(31))])


def test_a_refused_installation_leaves_the_keyring_as_it_was(vault: Vault) -> None:
    _, wrapped = vault.sealer.new(ADA)
    with pytest.raises(KeyUnavailable):
        vault.keyring.install(keks()[1:])
    assert vault.keyring.unlock(ADA, wrapped).subject == ADA
    assert vault.keyring.current_version("field") == 1


def test_labels_and_versions_separate_mac_keys_completely() -> None:
    ring = Keyring(keks({"index": 2}))
    labels = ("row:grant", "row:role", "row:gran", "", "tag:mobile.exact")
    made = {ring.mac_key(label, version=version) for label in labels for version in (1, 2)}
    assert len(made) == 10
    assert {len(key) for key in made} == {32}
    assert ring.mac_key("row:grant") == ring.mac_key("row:grant", version=2)
    with pytest.raises(KeyUnavailable, match="index key of version 3"):
        ring.mac_key("row:grant", version=3)


def test_a_signing_key_unwraps_only_in_its_own_place(vault: Vault) -> None:
    version, wrapped = vault.keyring.wrap_signing(b"private", b"kid 1")
    assert vault.keyring.unwrap_signing(wrapped, b"kid 1", version) == b"private"
    for data, context in ((wrapped, b"kid 2"), (wrapped[:-1], b"kid 1"), (b"", b"kid 1"), (b"x" * 40, b"kid 1")):
        with pytest.raises(KeyUnavailable, match="altered, or stands in another"):
            vault.keyring.unwrap_signing(data, context, version)
    with pytest.raises(KeyUnavailable, match="sign key of version 2"):
        vault.keyring.unwrap_signing(wrapped, b"kid 1", 2)


def test_the_same_person_under_two_rings_stays_apart() -> None:
    one = Vault()
    other = Keyring([replace(kek, key=counted(32, 200)) for kek in keks()], clock=Seconds())
    _, wrapped = one.sealer.new(ADA)
    assert one.keyring.unlock(ADA, wrapped).subject == ADA
    with pytest.raises(Exception, match="cannot be opened"):
        other.unlock(ADA, wrapped)


def test_a_driver_uuid_finds_the_same_place(vault: Vault) -> None:
    class DriverUuid(UUID):
        pass

    _, wrapped = vault.sealer.new(ADA)
    first = vault.keyring.unlock(ADA, wrapped)
    copied = WrappedDataKey(wrapped.handle, wrapped.version, wrapped.kek_version, bytes(bytearray(wrapped.wrapped)))
    assert vault.keyring.unlock(DriverUuid(int=ADA.int), copied) is first
