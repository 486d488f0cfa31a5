"""Makes ``app/contacts/variants.json`` from the Unicode Han Database: ``python -m tests.contacts.unihan Unihan_Variants.txt``.

A character that has simplified forms, none of which is the character itself, is compared as the first of them, unless it is written so
in simplified names (``KEPT``). A character that
``pypinyin`` cannot read is read as one of its variants that it can, the nearest kind of variant first.
"""

import hashlib
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import orjson

from app.contacts.pinyin import dictionary

KINDS: Final = ("kSimplifiedVariant", "kTraditionalVariant", "kZVariant", "kSemanticVariant")
KEPT: Final = "乾於徵"
"""Of the list of characters in general use (通用规范汉字表) beside their own simplified forms: in names and as a surname."""
_LINE: Final = re.compile(r"U\+([0-9A-F]{4,5})\t(\w+)\t(.+)")
_POINT: Final = re.compile(r"U\+([0-9A-F]{4,5})")

Variants = Mapping[str, Mapping[str, tuple[str, ...]]]


def variants(lines: Iterable[str]) -> Variants:
    """Read the file: by kind and character, its variants, lowest code point first."""
    found: defaultdict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for line in lines:
        matched = _LINE.match(line)
        if matched:
            point, kind, others = matched.groups()
            found[kind][chr(int(point, 16))] = tuple(sorted(chr(int(each, 16)) for each in _POINT.findall(others)))
    return found


def simplified(found: Variants) -> dict[str, str]:
    """Say as what each character is compared; nothing is compared as what is compared as something else."""
    first = {each: others[0] for each, others in found["kSimplifiedVariant"].items() if each not in {*others, *KEPT}}
    closed = {}
    for each, nearest in first.items():
        ways = [each, nearest]
        while ways[-1] in first and ways[-1] not in ways[:-1]:
            ways.append(first[ways[-1]])
        if ways[-1] not in ways[:-1]:
            closed[each] = ways[-1]
    return closed


def read_as(found: Variants, reads: Callable[[str], tuple[str, ...]]) -> dict[str, str]:
    """Say as what each character is read that ``reads`` does not know."""
    chosen: dict[str, str] = {}
    for kind in KINDS:
        for each, others in found[kind].items():
            if each not in chosen and not reads(each):
                chosen.update((each, other) for other in others[::-1] if reads(other))
    return chosen


def table(text: str) -> dict[str, Any]:
    """Give the content of the file."""
    found = variants(text.splitlines())
    both = {"compared": simplified(found), "read": read_as(found, dictionary)}
    return {
        "source": {
            "file": "Unihan_Variants.txt",
            "of": "Unicode Character Database, Unihan",
            "version": re.findall(r"Unicode version: ([\d.]+)", text)[0],
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "licence": "Unicode-3.0, https://www.unicode.org/license.txt",
            "made_by": "python -m tests.contacts.unihan",
        },
        **{
            name: ["".join(sorted(pairs)), "".join(pairs[each] for each in sorted(pairs))]
            for name, pairs in both.items()
        },
    }


if __name__ == "__main__":
    given = Path(sys.argv[1]).read_bytes().decode()
    Path("app/contacts/variants.json").write_bytes(orjson.dumps(table(given), option=orjson.OPT_INDENT_2) + b"\n")
