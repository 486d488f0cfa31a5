"""Twenty thousand people in a sheet are held once, each as long as what is said of them; a workbook costs its rows beside that."""

import tracemalloc
from collections.abc import Iterator

import pytest

from app.exchanges import sheet_writing, workbook_writing
from app.rosters.profile import load
from app.rosters.reading import read

MANY = 20_000
MOST_MIB = {"csv": 64, "xlsx": 96}


def rows() -> Iterator[list[str]]:
    yield ["姓名", "工号", "账号", "部门", "职务", "手机", "邮箱", "上级"]
    for at in range(MANY):
        yield [
            f"姓名{at}",
            f"M{at:05d}",
            f"m{at}",
            "RD;SALES",
            "工程师",
            f"1380{at:07d}",
            f"u{at}@example.com",
            f"M{at // 9:05d}",
        ]


@pytest.mark.slow
@pytest.mark.parametrize("written", ["csv", "xlsx"])
def test_memory_stays_flat(written: str) -> None:
    content = "".join(map(sheet_writing.row, rows())).encode() if written == "csv" else workbook_writing.book(rows())
    tracemalloc.start()
    try:
        found = read(content, written, load()["generic"], collects=lambda _: True, region="CN")
        held, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (len(found.people), found.problems) == (MANY, [])
    assert held < 40 * 1_048_576
    assert peak < MOST_MIB[written] * 1_048_576
