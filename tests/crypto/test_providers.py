"""One suite for every holder of the root key, and what is particular to the file and to the environment.

A new provider joins by adding itself to ``PROVIDERS``.
"""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import pytest

from app.crypto.errors import KeyUnavailable
from app.crypto.providers import EnvProvider, FileProvider, KeyProvider, encode_root, root_id
from tests.crypto.material import counted

KEY = counted(32, 100)
CONTEXT = b"field 1"
ONE, TWO = counted(32, 1), counted(32, 2)

Make: TypeAlias = Callable[[Path], KeyProvider]


def file_provider(folder: Path) -> KeyProvider:
    return FileProvider(folder / "root.key", create=True)


def env_provider(folder: Path) -> KeyProvider:
    return EnvProvider("ROOT", environ={"ROOT": encode_root(counted(32, len(str(folder))))})


PROVIDERS: list[Make] = [file_provider, env_provider]


@pytest.fixture(params=PROVIDERS)
def make(request: pytest.FixtureRequest) -> Make:
    found: Make = request.param
    return found


def test_a_key_unwraps_where_it_was_wrapped(make: Make, tmp_path: Path) -> None:
    provider = make(tmp_path)
    assert provider.unwrap(provider.wrap(KEY, CONTEXT), CONTEXT) == KEY


def test_another_object_on_the_same_root_unwraps_it_too(make: Make, tmp_path: Path) -> None:
    wrapped = make(tmp_path).wrap(KEY, CONTEXT)
    again = make(tmp_path)
    assert again.unwrap(wrapped, CONTEXT) == KEY
    assert again.describe().root_id == make(tmp_path).describe().root_id
    assert not again.describe().generated


def test_the_key_is_not_in_what_is_wrapped_and_two_wraps_differ(make: Make, tmp_path: Path) -> None:
    provider = make(tmp_path)
    one, other = provider.wrap(KEY, CONTEXT), provider.wrap(KEY, CONTEXT)
    assert one != other
    assert KEY[:8] not in one


def test_a_key_moved_to_another_place_does_not_unwrap(make: Make, tmp_path: Path) -> None:
    provider = make(tmp_path)
    with pytest.raises(KeyUnavailable, match="altered, or was wrapped for another place"):
        provider.unwrap(provider.wrap(KEY, CONTEXT), b"field 2")


def test_every_altered_byte_and_every_truncation_is_refused(make: Make, tmp_path: Path) -> None:
    provider = make(tmp_path)
    wrapped = provider.wrap(KEY, CONTEXT)
    shapes = [wrapped[:at] + bytes((wrapped[at] ^ 1,)) + wrapped[at + 1 :] for at in range(len(wrapped))]
    shapes += [wrapped[:size] for size in range(len(wrapped))]
    for shape in shapes:
        with pytest.raises(KeyUnavailable):
            provider.unwrap(shape, CONTEXT)


def test_rotation_gives_a_new_root_that_still_unwraps_the_old_or_refuses_and_changes_nothing(
    make: Make, tmp_path: Path
) -> None:
    provider = make(tmp_path)
    before = provider.describe()
    wrapped = provider.wrap(KEY, CONTEXT)
    try:
        after = provider.rotate()
    except KeyUnavailable:
        assert provider.describe() == before
    else:
        assert after.root_id != before.root_id
        assert provider.describe() == after
    assert provider.unwrap(wrapped, CONTEXT) == KEY
    assert provider.unwrap(provider.wrap(KEY, CONTEXT), CONTEXT) == KEY


def test_a_root_that_is_not_held_is_named(make: Make, tmp_path: Path) -> None:
    foreign = EnvProvider("ROOT", environ={"ROOT": encode_root(TWO)})
    with pytest.raises(KeyUnavailable, match=root_id(TWO)):
        make(tmp_path).unwrap(foreign.wrap(KEY, CONTEXT), CONTEXT)


def test_a_provider_prints_no_key(make: Make, tmp_path: Path) -> None:
    provider = make(tmp_path)
    shown = f"{provider!r} {provider} {provider.describe()}"
    assert provider.describe().root_id in shown
    roots = (tmp_path / "root.key").read_text().split() if (tmp_path / "root.key").exists() else []
    for root in (*roots, encode_root(counted(32, len(str(tmp_path))))):
        assert root not in shown


def test_a_new_file_is_for_its_owner_alone_and_says_that_it_is_new(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "root.key"
    assert FileProvider(path, create=True).describe().generated
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["root.key"]
    assert not FileProvider(path, create=True).describe().generated


def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileProvider(tmp_path / "root.key", create=True)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "root.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o610, 0o660, 0o644, 0o666, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "root.key"
    FileProvider(path, create=True)
    path.chmod(mode)
    with pytest.raises(KeyUnavailable, match=f"mode {mode:04o}"):
        FileProvider(path, create=True)


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_file_closed_to_others_is_taken(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "root.key"
    root = FileProvider(path, create=True).describe().root_id
    path.chmod(mode)
    assert FileProvider(path, create=False).describe().root_id == root


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser can give a file away")
def test_a_file_of_another_user_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    FileProvider(path, create=True)
    os.chown(path, 12345, -1)
    with pytest.raises(KeyUnavailable, match="another user"):
        FileProvider(path, create=False)


def test_without_leave_to_create_an_absent_file_is_refused_and_stays_absent(tmp_path: Path) -> None:
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        FileProvider(tmp_path / "root.key", create=False)
    assert not (tmp_path / "root.key").exists()


def test_a_link_or_a_folder_in_its_place_is_refused(tmp_path: Path) -> None:
    FileProvider(tmp_path / "real.key", create=True)
    (tmp_path / "root.key").symlink_to(tmp_path / "real.key")
    (tmp_path / "folder.key").mkdir(mode=0o700)
    for name in ("root.key", "folder.key"):
        with pytest.raises(KeyUnavailable):
            FileProvider(tmp_path / name, create=False)


@pytest.mark.parametrize("content", [b"", b"not base64!\n", b"c2hvcnQ=\n", b"\xff\n"])
def test_a_file_that_holds_no_root_is_refused_without_being_repeated(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "root.key"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(KeyUnavailable) as refused:
        FileProvider(path, create=True)
    assert "not base64!" not in str(refused.value)
    assert path.read_bytes() == content


def test_many_first_starts_at_once_agree_on_one_root(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: FileProvider(tmp_path / "root.key", create=True).describe(), range(16)))
    assert len({status.root_id for status in made}) == 1
    assert sum(status.generated for status in made) == 1


def test_many_rotations_at_once_lose_no_root(tmp_path: Path) -> None:
    path = tmp_path / "root.key"
    first = FileProvider(path, create=True)
    providers = [FileProvider(path, create=False) for _ in range(8)]

    def turn(provider: FileProvider) -> bytes:
        provider.rotate()
        return provider.wrap(KEY, CONTEXT)

    with ThreadPoolExecutor(8) as threads:
        wrapped = list(threads.map(turn, providers))
    assert [first.unwrap(each, CONTEXT) for each in wrapped] == [KEY] * 8
    assert len(path.read_text().split()) == 9
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_process_finds_the_root_that_another_process_has_added(tmp_path: Path) -> None:
    here, there = (FileProvider(tmp_path / "root.key", create=True) for _ in range(2))
    there.rotate()
    assert here.unwrap(there.wrap(KEY, CONTEXT), CONTEXT) == KEY


def test_the_file_gone_at_rotation_is_an_error_for_the_operator(tmp_path: Path) -> None:
    provider = FileProvider(tmp_path / "keys" / "root.key", create=True)
    (tmp_path / "keys" / "root.key").unlink()
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        provider.rotate()
    (tmp_path / "keys").rmdir()
    with pytest.raises(KeyUnavailable, match="cannot be opened"):
        provider.rotate()


def test_the_environment_holds_the_current_root_first_and_older_ones_after_it() -> None:
    old = EnvProvider("ROOT", environ={"ROOT": encode_root(ONE)})
    both = EnvProvider("ROOT", environ={"ROOT": f"{encode_root(TWO)}, {encode_root(ONE)}\n"})
    assert both.describe().root_id == root_id(TWO)
    assert both.unwrap(old.wrap(KEY, CONTEXT), CONTEXT) == KEY
    with pytest.raises(KeyUnavailable, match=root_id(TWO)):
        old.unwrap(both.wrap(KEY, CONTEXT), CONTEXT)


@pytest.mark.parametrize("text", [None, "", "  ", "secret-in-clear", "c2hvcnQ=", f"{encode_root(ONE)},", "é"])
def test_an_environment_without_a_root_is_refused_without_being_repeated(text: str | None) -> None:
    with pytest.raises(KeyUnavailable, match="ROOT") as refused:
        EnvProvider("ROOT", environ={} if text is None else {"ROOT": text})
    assert "secret-in-clear" not in str(refused.value)


def test_the_same_root_twice_is_a_mistake() -> None:
    with pytest.raises(KeyUnavailable, match="twice"):
        EnvProvider("ROOT", environ={"ROOT": f"{encode_root(ONE)},{encode_root(ONE)}"})


def test_the_real_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUANHAO_ROOT_KEY", encode_root(ONE))
    assert EnvProvider("DUANHAO_ROOT_KEY").describe().root_id == root_id(ONE)
