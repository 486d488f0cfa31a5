"""What the examination says of every MAC is what the service itself signs and verifies, table by table, so that neither changes alone."""

import inspect
from typing import Any

import pytest

from app import tables
from app.crypto.rowmac import encode
from app.doctor.covers import covers
from app.doctor.rows import signed_tables
from tests.doctor.witnesses import WITNESSES, Heard, a_row

COVERS = covers(tables.metadata.tables)


def test_every_table_with_a_mac_is_examined_and_no_other() -> None:
    assert set(COVERS) == set(signed_tables())
    assert set(WITNESSES) == set(COVERS) - {"contact"}, "the cover of contacts is the code that reads them"


async def asked(name: str, row: dict[str, Any]) -> None:
    """Show a row to the service, which reads at once or is waited for."""
    answer = WITNESSES[name](row)
    if inspect.isawaitable(answer):
        await answer


@pytest.mark.parametrize("sparse", [False, True], ids=["full", "sparse"])
@pytest.mark.parametrize("name", sorted(WITNESSES))
async def test_the_cover_is_what_the_service_verifies(
    name: str, monkeypatch: pytest.MonkeyPatch, *, sparse: bool
) -> None:
    row, cover = a_row(name, sparse=sparse), COVERS[name]
    monkeypatch.setattr("app.campaigns.repository.new_id", lambda: row.get("id"))
    with pytest.raises(Heard) as heard:
        await asked(name, row)
    covered = cover.of({each: row[each] for each in cover.columns(tables.metadata.tables[name])})
    assert heard.value.table == (None if cover.label is None else name)
    assert encode(heard.value.values) == encode(covered)
