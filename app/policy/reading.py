"""A pack's text, read so that every fault has its line: what YAML lets a reviewer overlook, what the schema does not know.

Pure. Duplicate members, merge keys, aliases, more than one document and deep nesting are refused before anything is built from the text;
names that rules match by are plain ASCII from closed lists, so a look-alike letter is a fault and not another role. JSON is read as the
subset of YAML that it is. Nothing of the text is quoted in a fault's words; only its place is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from pydantic import ValidationError

from app.permissions.pack import Pack, named

MOST_BYTES: Final = 1_048_576
_DEEPEST: Final = 24
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_WORDS: Final[Mapping[str, tuple[str, str, str]]] = {
    "missing": ("missing", "This member is required.", "缺少必填项。"),
    "extra_forbidden": ("unknown_member", "This member is not known here.", "未知的字段。"),
    "enum": ("unknown_value", "This value is not one of those allowed.", "取值不在允许范围内。"),
    "literal_error": ("unknown_value", "This value is not one of those allowed.", "取值不在允许范围内。"),
    "too_short": ("too_few", "There are too few items.", "条目过少。"),
    "string_pattern_mismatch": ("malformed", "This is not written as it must be.", "格式不正确。"),
}
_NAMES: Final = re.compile(r"/(not_)?(roles|marks)/\d+$")
_STRANGER: Final = ("unknown_name", "There is no such role or mark.", "没有这个角色或标记。")
_OTHERWISE: Final = ("invalid_value", "This value is not valid here.", "取值无效。")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong: on which line (from 1), where in the pack (RFC 6901), which, and in words; ``said`` is the schema's own remark."""

    line: int
    pointer: str
    code: str
    en: str
    zh: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a text: the pack, or why it is none; and where each of its parts stands."""

    pack: Pack | None
    faults: tuple[Fault, ...]
    lines: Mapping[str, int]


def read(text: str, tests: str | None = None) -> Reading:
    """Read a pack, and the file of its tests where there is one. A pack is given only when nothing at all is wrong."""
    faults = list(_overlooked(text))
    raw, lines = (None, {}) if faults else _built(text, faults)
    if tests is not None and not faults:
        more: list[Fault] = list(_overlooked(tests))
        beside, places = (None, {}) if more else _built(tests, more)
        if not more and not (isinstance(beside, dict) and set(beside) == {"tests"} and isinstance(raw, dict)):
            more.append(
                _fault(1, "", "unknown_member", "A file of tests has one member, tests.", "测试文件只有 tests。")
            )
        faults += more
        if not more and isinstance(raw, dict) and isinstance(beside, dict):
            raw = {**raw, "tests": beside["tests"]}
            lines = {**lines, **{pointer: line for pointer, line in places.items() if pointer.startswith("/tests")}}
    if faults:
        return Reading(None, tuple(faults), lines)
    try:
        pack = Pack.model_validate(raw)
    except ValidationError as error:
        return Reading(None, tuple(_of_schema(error, lines)), lines)
    return Reading(named(pack), (), lines)


def _overlooked(text: str) -> Iterator[Fault]:
    """Find what would be read otherwise than it looks, before anything is built."""
    if len(text.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        yield _fault(1, "", "too_long", "The pack is longer than 1 MiB.", "策略文件超过 1 MiB。")
        return
    try:
        yield from _tricks(text)
    except yaml.YAMLError as error:
        yield _of_yaml(error)
    except (UnicodeError, ValueError):
        yield _fault(1, "", "malformed_yaml", "This is neither YAML nor JSON.", "不是有效的 YAML 或 JSON。")


def _tricks(text: str) -> Iterator[Fault]:
    """Go through the events of a text and stop at the first that no pack needs."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Loader):
        match event:
            case yaml.AliasEvent():
                yield _at(event, "alias", "Aliases are not taken.", "不接受 YAML 别名。")
                return
            case yaml.CollectionStartEvent():
                depth += 1
            case yaml.CollectionEndEvent():
                depth -= 1
            case yaml.DocumentStartEvent():
                documents += 1
            case _:
                continue
        if documents > 1:
            yield _at(event, "two_documents", "A pack is one document.", "策略只能是一个文档。")
            return
        if depth > _DEEPEST:
            yield _at(event, "too_deep", "The nesting is too deep.", "嵌套过深。")
            return


def _built(text: str, faults: list[Fault]) -> tuple[Any, dict[str, int]]:
    """Build the plain data of a text whose events are harmless, and say where each part of it stands; add what is wrong to ``faults``."""
    lines: dict[str, int] = {}
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            if node is not None:
                faults.extend(_walked(node, "", lines))
            if node is None or faults:
                if node is None:
                    faults.append(_fault(1, "", "missing", "There is nothing in it.", "内容为空。"))
                return None, lines
            return loader.construct_document(node), lines
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        faults.append(_of_yaml(error))
    except (UnicodeError, ValueError, OverflowError):
        faults.append(_fault(1, "", "malformed_yaml", "This is neither YAML nor JSON.", "不是有效的 YAML 或 JSON。"))
    return None, lines


def _walked(node: yaml.Node, pointer: str, lines: dict[str, int]) -> Iterator[Fault]:
    line = lines[pointer] = node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for at, item in enumerate(node.value):
            yield from _walked(item, f"{pointer}/{at}", lines)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                yield _fault(line, pointer, "malformed_yaml", "A member's name is a word.", "成员名必须是单词。")
                continue
            place = f"{pointer}/{_escaped(key.value)}"
            line = key.start_mark.line + 1
            if key.value == "<<":
                yield _fault(line, place, "merge_key", "Merge keys are not taken.", "不接受 YAML 合并键。")
            elif key.value in seen:
                yield _fault(line, place, "duplicate_member", "This member is given twice.", "成员重复。")
            else:
                seen.add(key.value)
                yield from _walked(value, place, lines)
                lines[place] = line


def _of_schema(error: ValidationError, lines: Mapping[str, int]) -> Iterator[Fault]:
    """Tell the schema's faults by their lines; a list that is too short only because its items are faulty is none of its own."""
    found = [(_pointer(each["loc"], each["type"], lines), each) for each in error.errors(include_url=False)]
    for pointer, each in found:
        if each["type"] == "too_short" and any(other.startswith(f"{pointer}/") for other, _ in found):
            continue
        line = lines.get(pointer, lines.get(_above(pointer), 1))
        code, en, zh = _WORDS.get(each["type"], _OTHERWISE)
        if each["type"] == "value_error" and _NAMES.search(pointer):
            code, en, zh = _STRANGER
            code = code if str(each["input"]).isascii() else "look_alike"
        yield _fault(line, pointer, code, en, zh, said=each["msg"])


def _pointer(location: tuple[int | str, ...], kind: str, lines: Mapping[str, int]) -> str:
    """Say where in the text a fault is: what pydantic adds inside a value is left out, a missing member stands where it is missing."""
    pointer = "".join(f"/{_escaped(str(part))}" for part in location)
    while pointer and pointer not in lines and not (kind == "missing" and _above(pointer) in lines):
        pointer = _above(pointer)
    return pointer


def _of_yaml(error: yaml.YAMLError) -> Fault:
    mark = getattr(error, "problem_mark", None)
    line = 1 if mark is None else mark.line + 1
    said = str(getattr(error, "problem", "") or "")
    return _fault(line, "", "malformed_yaml", "This is neither YAML nor JSON.", "不是有效的 YAML 或 JSON。", said=said)


def _at(event: yaml.Event, code: str, en: str, zh: str) -> Fault:
    mark = event.start_mark
    return _fault(1 if mark is None else mark.line + 1, "", code, en, zh)


def _fault(line: int, pointer: str, code: str, en: str, zh: str, *, said: str = "") -> Fault:
    return Fault(line=line, pointer=pointer, code=code, en=en, zh=zh, said=said)


def _above(pointer: str) -> str:
    return pointer.rpartition("/")[0]


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
