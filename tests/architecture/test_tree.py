"""No file of the project names a package registry, and none holds a secret.

The patterns are written so that they do not find themselves; each is shown to find what it is for.
"""

import re
from pathlib import Path
from typing import Final

from tests.support.tree import project_files, read

FILES: Final = project_files()

REGISTRIES: Final = re.compile(
    r"pypi\.(org|python)|python[h]osted\.org"
    r"|npm[j]s\.(org|com)|npm[m]irror\.com"
    r"|(deb|security)\.debian\.[o]rg"
    r"|docker[.]io/|ghcr[.]io/|quay[.]io/"
    r"|--(extra-)?[i]ndex-url|--find[-]links"
    r"|https?://[^\s\"'<>]*/simple\b"
)
PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*[P]RIVATE KEY-----")
TOKEN: Final = re.compile(r"\bey[J][\w-]{10,}\.ey[J][\w-]{10,}\.[\w-]{10,}")
KEY: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{43,88}={0,2}(?![\w+/=-])")


def looks_like_a_key(word: str) -> bool:
    """Tell 32 random bytes in base64 from a long name or a path: all three kinds of character, well mixed."""
    return min(sum(map(kind, word)) for kind in (str.isupper, str.islower, str.isdigit)) >= 3


def keys_in(text: str) -> list[str]:
    return [word for word in KEY.findall(text) if looks_like_a_key(word)]


def test_the_walk_finds_the_project() -> None:
    assert {"pyproject.toml", ".ci/run", "app/config.py", "tests/architecture/test_tree.py"} <= {
        str(path) for path in FILES
    }


def test_no_file_names_a_registry() -> None:
    assert [str(path) for path in FILES if REGISTRIES.search(read(path))] == []


def secrets_in(path: Path) -> bool:
    text = read(path)
    found = PRIVATE_KEY.search(text) or TOKEN.search(text)
    return bool(found or (path.parts[0] not in {"tests", "requirements"} and keys_in(text)))


def test_no_file_holds_a_secret() -> None:
    assert [str(path) for path in FILES if secrets_in(path)] == []


def test_the_patterns_find_what_they_are_for() -> None:
    assert REGISTRIES.search("--index" + "-url " + "https" + "://mirror.example/" + "simple" + "/")
    assert REGISTRIES.search("https" + "://files.python" + "hosted.org/packages/x")
    assert PRIVATE_KEY.search("-----BEGIN EC " + "PRIVATE KEY-----")
    assert TOKEN.search("ey" + "JhbGciOiJFUzI1NiJ9.ey" + "JzdWIiOiJ4eXoifQ.c2lnbmF0dXJlLXBhcnQ")
    assert keys_in("key = " + "q83vEjRWeJCrze8SNFZ4" + "kKvN7xI0VniQq83vEjRWeJA=")
    assert not keys_in("tests/architecture/test_a_very_long_name_of_a_test_module.py")
