"""From the clauses of rule books and laws to the rules that carry them out, the tests that hold them, and when each last decided something.

Pure. The quarterly audit asks of every clause whether it is alive; the notice board asks what the rules are, in plain words. Both are read
from the pack in force, so neither can say anything else than what is decided.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from typing import Any, Final, Literal

from app.permissions.outcomes import FieldClass, Outcome, Reason
from app.permissions.pack import Effect, Pack, Rule
from app.policy.trials import rules_of

Language = Literal["zh", "en"]

_CLASSES: Final[Mapping[FieldClass, tuple[str, str]]] = {
    FieldClass.C1: ("姓名、部门等公开信息", "name, department and what else is public in the company"),
    FieldClass.C2: ("办公电话、邮箱等办公联系方式", "office phone, mail and other office contacts"),
    FieldClass.C3: ("工作手机等可直达本人的联系方式", "work mobile and what else reaches the person"),
    FieldClass.C4: ("私人联系方式、收货地址", "private contacts, delivery address"),
    FieldClass.C5: ("身份证号、住址等敏感信息", "identity number, home address and other sensitive data"),
}
_OUTCOMES: Final[Mapping[Outcome, tuple[str, str]]] = {
    Outcome.HIDDEN: ("不显示", "not shown"),
    Outcome.MASK_FULL: ("完全遮蔽", "masked altogether"),
    Outcome.MASK_COARSE: ("大部分遮蔽", "mostly masked"),
    Outcome.MASK_FINE: ("部分遮蔽", "partly masked"),
    Outcome.CLEAR: ("显示", "shown"),
}
_CHAPTERS: Final = (
    (Effect.GRANT, ("谁可以看什么", "Who may see what")),
    (Effect.CAP, ("什么情况下看得更少", "When less is shown")),
    (Effect.FORBID, ("什么情况下完全不显示", "When nothing is shown")),
)
_REVEALED: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.NONE: ("另行查看后", "when asked for"),
    Reason.PURPOSE: ("说明用途后", "for a purpose"),
    Reason.TEXT: ("说明理由后", "for a reason"),
    Reason.CASE: ("提供案件编号并说明理由后", "for a reason, with the number of a case"),
}
_WORDS: Final = {
    "title": ("通讯录可见规则", "Rules of the directory"),
    "version": ("版本", "Version"),
    "since": ("生效时间", "In force since"),
    "request": ("可提交申请", "by request"),
    "most": ("至多", "at most"),
    "clauses": ("依据", "By"),
    "rights": (
        "您可以查询谁看过您的信息（/v1/me/viewed-by）、谁能看到什么（/v1/me/access-report），并要求说明或提出异议。",
        "You may ask who looked at you (/v1/me/viewed-by) and who could see what (/v1/me/access-report), and ask why or object.",
    ),
}


def clauses_of(pack: Pack, last: Mapping[str, datetime]) -> list[dict[str, Any]]:
    """List every clause with its rules, the tests that they decide, and when one of them last decided a look; by clause."""
    tests: dict[str, list[str]] = {}
    for test in pack.tests:
        for decided in rules_of(pack, test):
            tests.setdefault(decided, []).append(test.id)
    found: dict[str, list[Rule]] = {}
    for rule in pack.rules:
        for clause in rule.clauses:
            found.setdefault(clause, []).append(rule)
    return [
        {
            "clause": clause,
            "rules": [
                {
                    "id": rule.id,
                    "effect": rule.effect.value,
                    "zh": rule.zh,
                    "en": rule.en,
                    "tests": sorted(tests.get(rule.id, ())),
                    "last_decided_at": last.get(rule.id),
                }
                for rule in rules
            ],
            "last_decided_at": max((last[rule.id] for rule in rules if rule.id in last), default=None),
        }
        for clause, rules in sorted(found.items())
    ]


def board(pack: Pack, since: datetime, language: Language) -> str:
    """Write the rules as a page for the notice board: HTML without style or script, every rule in plain words with what it rests on."""
    at = 0 if language == "zh" else 1
    lines = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{_WORDS["title"][at]}</title></head><body>',
        f"<h1>{_WORDS['title'][at]}</h1>",
        f"<p>{escape((pack.zh, pack.en)[at])}</p>",
        f"<p>{_WORDS['version'][at]}: {escape(pack.label)} · {_WORDS['since'][at]}: {since.date().isoformat()}</p>",
    ]
    for effect, title in _CHAPTERS:
        rules = [rule for rule in pack.rules if rule.effect is effect]
        if rules:
            lines += [f"<h2>{title[at]}</h2>", "<ol>", *(_item(rule, at) for rule in rules), "</ol>"]
    lines.append(f"<p>{_WORDS['rights'][at]}</p></body></html>")
    return "\n".join(lines)


def _item(rule: Rule, at: int) -> str:
    said = "".join(f"<li>{each}</li>" for each in _said(rule, at))
    details = f"<ul>{said}</ul>" if said else ""
    clauses = escape(", ".join(rule.clauses))
    return f"<li>{escape((rule.zh, rule.en)[at])} <small>({_WORDS['clauses'][at]} {clauses})</small>{details}</li>"


def _said(rule: Rule, at: int) -> Iterator[str]:
    """Say class by class how far a rule goes."""
    most = f"{_WORDS['most'][at]} " if rule.effect is Effect.CAP else ""
    for each in FieldClass:
        ways = [f"{most}{_OUTCOMES[rule.shows[each]][at]}"] if each in rule.shows else []
        revealed = rule.reveals.get(each, Outcome.HIDDEN)
        if revealed is not Outcome.HIDDEN:
            said = _REVEALED[rule.reason]
            seen = "可见" if revealed is Outcome.CLEAR else _OUTCOMES[revealed][0]
            ways.append((f"{said[0]}{seen}", f"{_OUTCOMES[revealed][1]} {said[1]}")[at])
        if each in rule.requests:
            ways.append(_WORDS["request"][at])
        if ways:
            yield f"{_CLASSES[each][at]} ({each.value}): {('；', '; ')[at].join(ways)}"
