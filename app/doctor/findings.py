"""What an examination says: findings with a level, what was found and how to mend it, in English and Chinese.

A report is a value; whatever secret the settings hold is cut out of every text before anybody sees it, whoever wrote that text.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, Literal

from app.production import Words

Language = Literal["en", "zh"]

_LEVELS: Final = {"ok": Words("ok", "正常"), "warning": Words("WARNING", "警告"), "error": Words("ERROR", "错误")}
_HIDDEN: Final = "[secret]"
_SHORTEST: Final = 4


class Level(IntEnum):
    """How bad a finding is; the worst one is the exit code of the command."""

    OK = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The level as JSON has it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: its stable name, how bad it is, what was found, and how to mend it when there is something to."""

    check: str
    level: Level
    what: Words
    mend: Words | None = None


def ok(check: str, en: str, zh: str) -> Finding:
    """Say that all is well."""
    return Finding(check, Level.OK, Words(en, zh))


def bad(check: str, level: Level, what: Words, mend: Words) -> Finding:
    """Say what is wrong and how to mend it."""
    return Finding(check, level, what, mend)


def worst(findings: Iterable[Finding]) -> Level:
    """Give the level of the whole."""
    return max((each.level for each in findings), default=Level.OK)


def without(findings: Iterable[Finding], secrets: Iterable[str]) -> list[Finding]:
    """Cut every one of ``secrets`` out of the findings."""
    hidden = sorted({each for each in secrets if len(each) >= _SHORTEST}, key=len, reverse=True)

    def cut(words: Words) -> Words:
        en, zh = words.en, words.zh
        for each in hidden:
            en, zh = en.replace(each, _HIDDEN), zh.replace(each, _HIDDEN)
        return Words(en, zh)

    return [replace(each, what=cut(each.what), mend=each.mend and cut(each.mend)) for each in findings]


def language(configured: str | None, environ: Mapping[str, str] = os.environ) -> Language:
    """Choose the language of a report: the setting, else what the first locale variable that is set says (POSIX order)."""
    if configured == "en":
        return "en"
    if configured == "zh":
        return "zh"
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "zh" if environ[name].lower().startswith("zh") else "en"
    return "en"


def document(findings: list[Finding]) -> dict[str, Any]:
    """Write the report for machines, in both languages."""
    return {
        "level": worst(findings).word,
        "findings": [
            {
                "check": each.check,
                "level": each.level.word,
                "what": {"en": each.what.en, "zh": each.what.zh},
                "mend": None if each.mend is None else {"en": each.mend.en, "zh": each.mend.zh},
            }
            for each in findings
        ],
    }


def lines(findings: list[Finding], chosen: Language) -> list[str]:
    """Write the report for a person: a line for each finding, below it how to mend it, and a summary."""
    written = []
    for each in findings:
        word = _said(_LEVELS[each.level.word], chosen)
        written.append(f"{word}  {each.check}: {_said(each.what, chosen)}")
        if each.mend is not None:
            written.append(f"    → {_said(each.mend, chosen)}")
    counted = {level: sum(each.level == level for each in findings) for level in Level}
    fine, warned, broken = counted[Level.OK], counted[Level.WARNING], counted[Level.ERROR]
    summary = Words(
        f"{fine} ok, {warned} warnings, {broken} errors", f"{fine} 项正常，{warned} 项警告，{broken} 项错误"
    )
    return [*written, _said(summary, chosen)]


def _said(words: Words, chosen: Language) -> str:
    return words.zh if chosen == "zh" else words.en
