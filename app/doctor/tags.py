"""Search tags: has everybody a tag who has a value, is nobody found who is gone, and do enough people share each tag."""

from collections.abc import AsyncIterator
from typing import Final

import orjson

from app.contacts.fields import CATALOGUE
from app.contacts.tag_rules import PLACE, RULES, Generation
from app.doctor.findings import Finding, Level, bad, ok
from app.doctor.store import Store
from app.permissions.outcomes import Tag
from app.production import Words

_RETAG: Final = Words(
    "the worker mends this within an hour; at once: duanhao keys retag",
    "后台任务会在一小时内补齐；可立即执行 duanhao keys retag",
)
_PLAN: Final = "SELECT generation, key_version, bits FROM search_plan WHERE id = 1"
_GONE: Final = "SELECT count(*) FROM search_tag t JOIN contact c ON c.id = t.contact_id WHERE c.status = 'archived'"


async def tags(store: Store) -> AsyncIterator[Finding]:
    """Compare tags with the values that they stand for, by presence alone: nothing is opened."""
    ((number, version, bits),) = await store.ask(_PLAN)
    generation = Generation(number, version, orjson.loads(bits) if isinstance(bits, str) else bits)
    if not generation.kinds:
        yield bad(
            "search_tags",
            Level.WARNING,
            Words("no search tags yet: lookups answer 503", "尚无检索标签：反查返回 503"),
            _RETAG,
        )
        return
    lacking = 0
    for kind in sorted(generation.kinds):
        for name in RULES[kind].fields:
            column = CATALOGUE.by_name[name].column
            ((count,),) = await store.ask(
                f"SELECT count(*) FROM contact c WHERE c.{column} IS NOT NULL AND c.status <> 'archived'"  # noqa: S608 — our own names
                " AND NOT EXISTS (SELECT 1 FROM search_tag t WHERE t.contact_id = c.id"
                f" AND t.generation = {generation.number} AND t.kind = {RULES[kind].code} AND t.field = {PLACE[name]})"
            )
            lacking += count
    if lacking:
        yield bad(
            "search_tags",
            Level.ERROR,
            Words(f"{lacking} values have no search tag: lookups miss them", f"{lacking} 个值缺少检索标签，反查会漏掉"),
            _RETAG,
        )
    ((gone,),) = await store.ask(_GONE)
    if gone:
        yield bad(
            "search_tags",
            Level.ERROR,
            Words(f"{gone} tags are of archived contacts", f"{gone} 个检索标签属于已归档联系人"),
            Words(
                "somebody wrote them past the service: delete them, and find out who",
                "有人绕过服务写入：请删除并查明原因",
            ),
        )
    alone = [kind for kind in sorted(generation.kinds) if await _alone(store, generation, kind)]
    if alone:
        told = ", ".join(alone)
        yield bad(
            "search_tags",
            Level.WARNING,
            Words(f"there are tags of one value alone: {told}", f"存在仅对应一个值的检索标签：{told}"),
            _RETAG,
        )
    if not (lacking or gone or alone):
        yield ok("search_tags", f"complete, generation {number}", f"完整，第 {number} 代")


async def _alone(store: Store, generation: Generation, kind: Tag) -> bool:
    """Tell whether a tag that has bits stands for one value alone; of a partitioned kind too few share partitions to tell."""
    if generation.bits[kind.value] == 0:
        return False
    rows = await store.ask(
        f"SELECT 1 FROM search_tag WHERE kind = {RULES[kind].code} AND generation = {generation.number}"  # noqa: S608 — numbers of ours
        " GROUP BY partition, tag HAVING count(*) = 1 LIMIT 1"
    )
    return bool(rows)
