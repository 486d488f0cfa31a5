"""Workbooks for the tests, from rows of cells."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def archive(parts: Mapping[str, str]) -> bytes:
    """Put parts together."""
    held = BytesIO()
    with ZipFile(held, "w", ZIP_DEFLATED) as opened:
        for name, text in parts.items():
            opened.writestr(name, text)
    return held.getvalue()


def book(cells: str, texts: str = "", *, hidden: bool = False) -> bytes:
    """Write a workbook of one sheet, given as XML; ``hidden`` puts one before it that nobody is shown."""
    before = '<sheet name="b" sheetId="2" state="hidden" r:id="r9"/>' if hidden else ""
    shown = f'<sheets>{before}<sheet name="a" sheetId="1" r:id="r1"/></sheets>'
    link = '<Relationship Id="r1" Type="x" Target="worksheets/sheet1.xml"/>'
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{shown}</workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_LINKS}">{link}</Relationships>',
            "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{texts}</sst>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>',
        }
    )


def rows(table: Sequence[Sequence[str]]) -> bytes:
    """Write a workbook of texts."""
    told = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in table
    )
    return book(told)
