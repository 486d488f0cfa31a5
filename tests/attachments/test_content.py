"""What is taken for what it says it is, and what is refused: lies, polyglots, bombs, macros, scripts, names that deceive."""

import time
import zlib
from io import BytesIO
from typing import Final

import pytest

from app.attachments.content import judge
from app.attachments.errors import ContentMismatch, UnfitFileName, UnreadableFile, UnsafeContent
from app.attachments.kinds import EXTENSIONS, LONGEST_NAME, FileType, checked_name
from tests.support import pictures
from tests.support.files import (
    DOCX,
    JPEG,
    PDF,
    PNG,
    RELATIONS,
    SOUND,
    TEXT,
    WEBP,
    XLSX,
    archive,
    bomb,
    docx,
    lying_bomb,
    object_stream,
    overlapping,
    pdf,
    xlsx,
)

_SCRIPT: Final = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
_HYPERLINK: Final = (
    f'<Relationship Id="h" Type="{RELATIONS}/hyperlink" Target="https://example.com/" TargetMode="External"/>'
)


def judged(content: bytes, kind: str, name: str | None = None) -> None:
    held = BytesIO()
    held.write(content)
    judge(held, FileType(kind), name or f"file.{EXTENSIONS[FileType(kind)][0]}")
    held.write(b"the buffer is free again")


@pytest.mark.parametrize("kind", sorted(SOUND))
def test_ordinary_files_are_taken(kind: str) -> None:
    name, content = SOUND[kind]
    judged(content, kind, checked_name(name))


@pytest.mark.parametrize("said", sorted(SOUND))
@pytest.mark.parametrize("kind", sorted(SOUND))
def test_what_is_not_what_it_says_is_refused(kind: str, said: str) -> None:
    if kind == said:
        return
    with pytest.raises((ContentMismatch, UnreadableFile)):
        judged(SOUND[kind][1], said)


@pytest.mark.parametrize("extension", ["exe", "docm", "html", "svg", "pdf.exe", "jpg"])
def test_the_extension_says_the_same(extension: str) -> None:
    with pytest.raises(ContentMismatch):
        judged(pdf(), PDF, f"file.{extension}")


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        pytest.param(b"", UnreadableFile, id="nothing"),
        pytest.param(b" \n", UnreadableFile, id="white"),
        pytest.param(b"caf\xe9", ContentMismatch, id="latin"),
        pytest.param("说明".encode("utf-16"), ContentMismatch, id="utf-16"),
        pytest.param(b"MZ\x00\x00", ContentMismatch, id="program"),
        pytest.param(b"\x1b]0;title\x07", ContentMismatch, id="terminal"),
        pytest.param(b" <!DOCTYPE html><script>", UnsafeContent, id="page"),
        pytest.param(b"\xef\xbb\xbf<svg onload=x>", UnsafeContent, id="svg"),
        pytest.param(b"{\\rtf1 x}", UnsafeContent, id="rtf"),
        pytest.param(b"#!/bin/sh", UnsafeContent, id="shell"),
    ],
)
def test_text_is_text(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        judged(content, TEXT)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdf(_SCRIPT), id="script"),
        pytest.param(pdf(b"<</S/J#61va#53cript/JS(x)>>"), id="escaped"),
        pytest.param(pdf(b"<</S/Launch/F(cmd.exe)>>"), id="launch"),
        pytest.param(pdf(b"<</Type/EmbeddedFile>>"), id="embedded"),
        pytest.param(pdf(b"<</XFA 9 0 R>>"), id="form"),
        pytest.param(pdf(b"<</Encrypt 9 0 R>>"), id="locked"),
        pytest.param(pdf(object_stream(b"1 0 " + _SCRIPT)), id="in an object stream"),
        pytest.param(
            pdf(object_stream(b"1 0 " + _SCRIPT).replace(b"/ObjStm", b"/Obj#53tm")), id="escaped object stream"
        ),
        pytest.param(pdf(object_stream(b"x", dictionary=b"/Filter/LZWDecode")), id="another filter"),
        pytest.param(pdf(object_stream(b"x", dictionary=b"/Filter[/FlateDecode/ASCIIHexDecode]")), id="two filters"),
        pytest.param(
            pdf(object_stream(b"x", dictionary=b"/Filter/FlateDecode/DecodeParms<</Predictor 12>>")), id="predictor"
        ),
        pytest.param(pdf(object_stream(b"x", dictionary=b"/Filter 8 0 R")), id="filter elsewhere"),
        pytest.param(pdf(object_stream(b"x", packed=b"not zlib")), id="not unfolded"),
        pytest.param(pdf(object_stream(b"x", packed=zlib.compress(bytes(1000))[:-9])), id="cut off inside"),
        pytest.param(pdf(object_stream(b"x", packed=zlib.compress(bytes(70_000_000)))), id="bomb"),
        pytest.param(pdf(b"<</Type/ObjStm %" + b"x" * 5000 + b">>\nstream\nx\nendstream"), id="dictionary without end"),
        pytest.param(pdf(end=b"%%EOF\n") + b"PK\x05\x06" + bytes(18), id="archive behind"),
    ],
)
def test_a_pdf_that_acts_or_hides_is_refused(content: bytes) -> None:
    with pytest.raises((UnsafeContent, UnreadableFile)):
        judged(content, PDF)


def test_an_archive_inside_a_comment_of_a_pdf_is_found() -> None:
    record = b"PK\x05\x06" + bytes(16)
    tail = b"\n%%EOF"
    content = pdf(end=b"") + record + len(tail).to_bytes(2, "little") + tail
    with pytest.raises(UnsafeContent):
        judged(content, PDF)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdf()[:-8], id="cut off"),
        pytest.param(b"GARBAGE\n" + pdf(), id="something before"),
        pytest.param(pdf(end=b"%%EOF\n<script>"), id="something behind"),
        pytest.param(pdf(head=b"%PDF-9.9\n"), id="version"),
    ],
)
def test_a_pdf_is_whole(content: bytes) -> None:
    with pytest.raises((UnreadableFile, ContentMismatch)):
        judged(content, PDF)


def test_a_pdf_with_compressed_objects_is_taken() -> None:
    judged(
        pdf(object_stream(b"1 0 <</Type/Page>>"), object_stream(b"2 0 <<>>", dictionary=b"/Filter [ /FlateDecode ]")),
        PDF,
    )


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        pytest.param(PNG, pictures.picture("PNG") + b"more", id="png with more"),
        pytest.param(PNG, pictures.picture("PNG")[:-20], id="png cut off"),
        pytest.param(PNG, pictures.picture("PNG").replace(b"IDAT", b"IDOT", 1), id="png damaged"),
        pytest.param(PNG, pictures.picture("PNG") + archive({"a": "b"}), id="png and archive"),
        pytest.param(PNG, pictures.bomb(), id="png of gigabytes"),
        pytest.param(PNG, b"\x89PNG\r\n\x1a\n", id="png of nothing"),
        pytest.param(JPEG, pictures.picture("JPEG")[:100], id="jpeg cut off"),
        pytest.param(JPEG, pictures.picture("JPEG") + archive({"a": "b"}), id="jpeg and archive"),
        pytest.param(JPEG, b"\xff\xd8\xff" + b"x" * 50, id="jpeg of nothing"),
        pytest.param(WEBP, pictures.picture("WEBP") + b"more", id="webp with more"),
    ],
)
def test_a_picture_is_whole_and_nothing_else(kind: str, content: bytes) -> None:
    with pytest.raises((UnreadableFile, UnsafeContent)):
        judged(content, kind)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(docx({"word/vbaProject.bin": b"x"}), id="macros"),
        pytest.param(
            docx(types='<Override PartName="/word/x.xml" ContentType="application/vnd.ms-word.vbaData+xml"/>'),
            id="type of macros",
        ),
        pytest.param(docx({"word/embeddings/sheet.xlsx": b"x"}), id="embedded"),
        pytest.param(docx({"word/activeX/activeX1.xml": "<x/>"}), id="control"),
        pytest.param(docx({"payload.exe": b"MZ"}), id="program"),
        pytest.param(docx({"../up.xml": "<x/>"}), id="path"),
        pytest.param(docx({"word/名.xml": "<x/>"}), id="name"),
        pytest.param(docx({"WORD/DOCUMENT.XML": "<x/>"}), id="twice"),
        pytest.param(
            docx(
                links=f'<Relationship Id="t" Type="{RELATIONS}/attachedTemplate" Target="http://x/" TargetMode="External"/>'
            ),
            id="template",
        ),
        pytest.param(
            docx(links=f'<Relationship Id="t" Type="{RELATIONS}/image" Target="http://x/" TargetMode="External"/>'),
            id="picture elsewhere",
        ),
        pytest.param(
            docx(body="<w:r><w:instrText>DDE</w:instrText></w:r><w:r><w:instrText>AUTO cmd</w:instrText></w:r>"),
            id="command",
        ),
        pytest.param(docx(body='<w:fldSimple w:instr="DDEAUTO cmd"/>'), id="field"),
        pytest.param(docx({"word/x.xml": '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'}), id="entities"),
        pytest.param(xlsx({"xl/externalLinks/externalLink1.xml": "<x/>"}), id="link"),
        pytest.param(docx() + b"more", id="something behind"),
        pytest.param(docx()[:-4], id="cut off"),
        pytest.param(bomb(), id="bomb"),
        pytest.param(lying_bomb(), id="bomb that lies"),
        pytest.param(overlapping(), id="overlapping"),
        pytest.param(docx({"word/x.xml": "<!DOCTYPE a><a/>".encode("utf-16")}), id="utf-16"),
        pytest.param(archive({f"a{each}.xml": "<a/>" for each in range(2001)}), id="too many parts"),
    ],
)
def test_a_document_that_acts_or_hides_is_refused_at_once(content: bytes) -> None:
    kind = XLSX if b"xl/workbook" in content else DOCX
    began = time.perf_counter()
    with pytest.raises((UnsafeContent, UnreadableFile)):
        judged(content, kind)
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(archive({"a.txt": "b"}), id="archive"),
        pytest.param(archive({"[Content_Types].xml": "<Types/>", "_rels/.rels": "<R/>"}), id="nothing inside"),
    ],
)
def test_an_archive_is_no_document(content: bytes) -> None:
    with pytest.raises((ContentMismatch, UnsafeContent)):
        judged(content, DOCX)


def test_a_link_to_a_page_is_no_harm() -> None:
    judged(docx(links=_HYPERLINK, body='<w:fldSimple w:instr="PAGE"/>'), DOCX)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "noextension",
        ".pdf",
        "a.",
        "../a.pdf",
        "a/b.pdf",
        "a\\b.pdf",
        "c:a.pdf",
        "a\x00.pdf",
        "a\n.pdf",
        "fdp.\u202eexe.pdf",
        "a\u200b.pdf",
        "a\u2066.pdf",
        "a\ud800.pdf",
        "con.pdf",
        "LPT1.x.pdf",
        " a.pdf",
        "a.pdf ",
        "a?.pdf",
        "x" * LONGEST_NAME + ".pdf",
    ],
    ids=ascii,
)
def test_names_that_deceive_are_refused(name: str) -> None:
    with pytest.raises(UnfitFileName):
        checked_name(name)


def test_a_name_is_kept_in_one_form() -> None:
    assert checked_name("Cafe\u0301 证明 (1).pdf") == "Café 证明 (1).pdf"
