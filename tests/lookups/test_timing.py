"""A term that finds somebody, one that finds whom policy hides, and one that finds nobody take the same time.

Processor time, as a distribution, against the noise of nobody with nobody, so that a slow machine changes nothing.
"""

import time
from statistics import median
from typing import Any, Final

import pytest

from app.contacts.tag_rules import DEFAULT_KINDS, Population, planned
from app.permissions.outcomes import Tag
from tests.lookups.asking import REASON
from tests.support.application import opened_world
from tests.support.shared import add_person
from tests.support.stores import SqliteTestStore

_ROUNDS: Final = 120
_TERMS: Final = 8
_CROWD: Final = 200


def bits_of(people: int) -> dict[str, int]:
    return planned(DEFAULT_KINDS, Population(dict.fromkeys(DEFAULT_KINDS - {Tag.MOBILE_LAST4}, people), {}), "strict")


@pytest.mark.slow
async def test_who_is_found_who_is_hidden_and_nobody_take_the_same_time(sqlite_store: SqliteTestStore) -> None:
    assert bits_of(_CROWD)["mobile.exact"] == 1
    limits = sqlite_store.settings.lookups.model_copy(update={"terms_per_day": 10**9})
    async with opened_world(sqlite_store.settings.model_copy(update={"lookups": limits})) as world:
        crowd = [await add_person(world, department="SALES") for _ in range(_CROWD)]
        secrets = [await add_person(world, status="prehire", department="SALES") for _ in range(_TERMS)]
        await world.application.lookups.retagger.run()
        numbers = {
            "found": [each.mobile for each in crowd[:_TERMS]],
            "hidden": [each.mobile for each in secrets],
            "nobody": [f"1389999{at:04d}" for at in range(_TERMS)],
            "nobody too": [f"1389998{at:04d}" for at in range(_TERMS)],
        }
        client = await world.as_("staff")
        used: dict[str, list[float]] = {kind: [] for kind in numbers}
        results: dict[str, Any] = {}
        for round_ in range(_ROUNDS):
            for kind in sorted(used, key=lambda kind: hash((kind, round_))):
                body = {"numbers": numbers[kind], "purpose": "work_contact", "reason": REASON}
                began = time.process_time()
                results[kind] = await client.post("/v1/lookups", json=body)
                used[kind].append(time.process_time() - began)
    assert [each["match"] is not None for each in results["found"].json()["results"]] == [True] * _TERMS
    assert [each["match"] for each in results["hidden"].json()["results"]] == [None] * _TERMS
    quick = {kind: median(sorted(each)[: _ROUNDS // 2]) for kind, each in used.items()}
    noise = abs(quick["nobody"] - quick["nobody too"])
    baseline = (quick["nobody"] + quick["nobody too"]) / 2
    for kind in ("found", "hidden"):
        assert abs(quick[kind] - baseline) <= 3 * noise + 0.15 * baseline, quick
