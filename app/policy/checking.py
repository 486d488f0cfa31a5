"""What a pack says that can never matter: rules for nobody, grants that a cap takes back, demands in vain, fields that there are not.

Pure. A pack with remarks is a pack: they are told to its author and to whoever approves it, and decide nothing.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from app.permissions.outcomes import CLASSES, FieldClass, Outcome, Power, Reason, Tier
from app.permissions.pack import Effect, Pack, Relation, Rule, lowered, unmet

_OF_PEOPLE: frozenset[Relation] = frozenset(each for each in Relation if each not in {Relation.ANY, Relation.OTHERS})

_SAYING: dict[Reason, int] = {each: at for at, each in enumerate(Reason)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One remark: about which rule or test (by its place), which, and in words."""

    pointer: str
    about: str
    code: str
    en: str
    zh: str


def remarks(pack: Pack, *, scopes: Collection[str], classes: Mapping[str, FieldClass]) -> tuple[Remark, ...]:
    """Find what can never matter; ``scopes`` is the vocabulary of scopes, ``classes`` the class of every field."""
    sought = (
        _never(pack, scopes),
        _shadowed(pack),
        _beneath_caps(pack),
        _asked_in_vain(pack),
        _unknown_fields(pack, classes),
    )
    return tuple(each for found in sought for each in found)


def _never(pack: Pack, scopes: Collection[str]) -> Iterator[Remark]:
    for at, rule in enumerate(pack.rules):
        reason = _contradiction(rule, scopes)
        if reason is not None:
            en, zh = reason
            yield Remark(pointer=f"/rules/{at}", about=rule.id, code="never_applies", en=en, zh=zh)


def _contradiction(rule: Rule, scopes: Collection[str]) -> tuple[str, str] | None:
    viewer = rule.viewer
    if viewer.roles and set(viewer.roles) <= set(viewer.not_roles):
        return "the roles that it asks for are the ones that it excludes", "要求的角色同时被排除"
    if viewer.scopes and set(viewer.scopes) <= set(viewer.not_scopes):
        return "the scopes that it asks for are the ones that it excludes", "要求的权限范围同时被排除"
    if rule.effect is Effect.GRANT and (unknown := unmet(rule)):
        return (
            f"nobody would meet {', '.join(sorted(unknown))}, so it gives nothing",
            "其义务无法履行，故不授予任何权限",
        )
    if viewer.scopes and not set(viewer.scopes) & set(scopes):
        return "there is no such scope", "没有这样的权限范围"
    return None if "person" in viewer.kinds else _of_nobody(rule)


def _of_nobody(rule: Rule) -> tuple[str, str] | None:
    """Say why a rule that speaks of service accounts and devices alone speaks of none."""
    viewer = rule.viewer
    if viewer.kinds == ("device",) and viewer.scopes:
        return "devices have no scopes", "终端设备没有权限范围"
    if viewer.roles or viewer.marks or viewer.worker_kinds or viewer.step_up:
        return (
            "service accounts have no role, no employment and no second proof",
            "服务账号没有角色、用工形式和二次验证",
        )
    if viewer.tiers and Tier.T0 not in viewer.tiers:
        return "service accounts have tier T0", "服务账号的级别为 T0"
    if rule.contact.relation in _OF_PEOPLE:
        return "service accounts stand in no relation to anybody", "服务账号与联系人没有关系"
    return None


def _shadowed(pack: Pack) -> Iterator[Remark]:
    """Find rules whose every row an unconditional forbid hides."""
    forbids = [rule for rule in pack.rules if rule.effect is Effect.FORBID]
    for at, rule in enumerate(pack.rules):
        hiding = next((each for each in forbids if each is not rule and covers(each, rule)), None)
        if hiding is not None:
            yield Remark(
                pointer=f"/rules/{at}",
                about=rule.id,
                code="always_forbidden",
                en=f"{hiding.id} forbids whatever it speaks of",
                zh=f"其所有对象均被 {hiding.id} 禁止",
            )


def _beneath_caps(pack: Pack) -> Iterator[Remark]:
    """Find what a grant gives and a cap takes back wherever the grant applies."""
    caps = [rule for rule in pack.rules if rule.effect is Effect.CAP]
    for at, rule in enumerate(pack.rules):
        if rule.effect is not Effect.GRANT:
            continue
        for cap in caps:
            if not covers(cap, rule):
                continue
            for each in CLASSES:
                given = max(rule.shows.get(each, Outcome.HIDDEN), rule.reveals.get(each, Outcome.HIDDEN))
                if given > lowered(cap, each):
                    yield Remark(
                        pointer=f"/rules/{at}",
                        about=rule.id,
                        code="above_cap",
                        en=f"{each.value} is given above what {cap.id} leaves",
                        zh=f"{each.value} 高于 {cap.id} 的上限",
                    )
            for power in _taken(rule, cap):
                yield Remark(
                    pointer=f"/rules/{at}",
                    about=rule.id,
                    code="above_cap",
                    en=f"{cap.id} denies the power to {power.value}",
                    zh=f"{cap.id} 取消 {power.value} 权限",
                )


def _taken(rule: Rule, cap: Rule) -> Iterator[Power]:
    return (power for power in cap.denies if rule.having(power) or (power is Power.LOOKUP and rule.lookups))


def _asked_in_vain(pack: Pack) -> Iterator[Remark]:
    """Find grants that ask for more words than another one does which gives as much wherever they apply."""
    grants = [(at, rule) for at, rule in enumerate(pack.rules) if rule.effect is Effect.GRANT and rule.reveals]
    for at, rule in grants:
        for _, other in grants:
            if (
                other is rule
                or _SAYING[other.reason] >= _SAYING[rule.reason]
                or unmet(other)
                or not covers(other, rule)
            ):
                continue
            for each, given in rule.reveals.items():
                if Outcome.HIDDEN < given <= other.reveals.get(each, Outcome.HIDDEN):
                    yield Remark(
                        pointer=f"/rules/{at}",
                        about=rule.id,
                        code="asked_in_vain",
                        en=f"{other.id} gives {each.value} as far and asks for less",
                        zh=f"{other.id} 以更低要求给出同样的 {each.value}",
                    )


def _unknown_fields(pack: Pack, classes: Mapping[str, FieldClass]) -> Iterator[Remark]:
    for at, test in enumerate(pack.tests):
        for name in test.expect:
            if name not in CLASSES and name not in classes:
                yield Remark(
                    pointer=f"/tests/{at}/expect",
                    about=test.id,
                    code="unknown_field",
                    en="the test names a field that there is not",
                    zh="测试中的字段不存在",
                )


def covers(wide: Rule, narrow: Rule) -> bool:
    """Tell whether ``wide`` applies wherever ``narrow`` does: each of its conditions is empty or wider."""
    viewer, contact = wide.viewer, wide.contact
    other, row = narrow.viewer, narrow.contact
    return (
        set(other.kinds) <= set(viewer.kinds)
        and _wider(viewer.tiers, other.tiers)
        and _wider(viewer.roles, other.roles)
        and set(viewer.not_roles) <= set(other.not_roles)
        and _wider(viewer.marks, other.marks)
        and _wider(viewer.scopes, other.scopes)
        and set(viewer.not_scopes) <= set(other.not_scopes)
        and _wider(viewer.worker_kinds, other.worker_kinds)
        and viewer.step_up in {None, other.step_up}
        and _wider(wide.purposes, narrow.purposes)
        and contact.relation in {Relation.ANY, row.relation}
        and _wider(contact.kinds, row.kinds)
        and _wider(contact.statuses, row.statuses)
        and _wider(contact.secrecy, row.secrecy)
        and _wider(contact.tags, row.tags)
        and contact.ended in {None, row.ended}
    )


def _wider(wide: Collection[object], narrow: Collection[object]) -> bool:
    """Tell whether a list of a condition matches whatever another one matches; an empty list matches all.

    A viewer may carry several roles, so a list of roles is wider only when each of the narrower list is in it; that holds here too.
    """
    return not wide or (bool(narrow) and set(narrow) <= set(wide))
