"""Books of the user become pages; what cannot be converted is refused with a line."""

import importlib.util
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from matplotlib import rc_context
from matplotlib.figure import Figure

from schemas.errors import ConfigError
from sources import documents
from sources.documents import DocumentsSource, mark_headings
from sources.packs.loader import load_pack
from sources.protocol import Batch, SourceContext

needs_markitdown = pytest.mark.skipif(
    importlib.util.find_spec("markitdown") is None,
    reason="markitdown is not installed: pip install 'corpus-curator[documents]' runs these",
)
BOOK = "THE STRONG BACK\n\nCHAPTER I: Rows\n\n    Row twice a week,\nand rest.\n\nROWS AND PULLS\n\nPull.\n"


def read_all(*paths: Path, **options: object) -> list[Batch]:
    context = SourceContext(root=Path(), pack=load_pack("fitness"), now=datetime(2026, 1, 1, tzinfo=UTC))
    return list(DocumentsSource(DocumentsSource.Options(path=list(paths), **options), context).read(None))


def refused(batches: list[Batch]) -> dict[str, str]:
    return {Path(r.where).name: r.reason for batch in batches for r in batch.rejections}


def test_plain_text_becomes_a_page_with_headings_and_the_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "book.txt"
    path.write_text(BOOK, encoding="utf-8")
    ((row,),) = [batch.documents.rows(named=True) for batch in read_all(path, language="en", permission="own")]
    lines = row["content"].split("\n")
    assert [line for line in lines if line.startswith("#")] == [
        "# THE STRONG BACK",
        "## CHAPTER I: Rows",
        "## ROWS AND PULLS",
    ]
    assert len(lines) == len(BOOK.split("\n"))
    assert lines[4] == "Row twice a week,"
    assert (row["kind"], row["permission"], row["title"]) == ("page", "own", None)
    assert json.loads(row["metadata"])["front_matter"] == {"language": "en"}


def test_a_line_in_the_middle_of_a_paragraph_is_no_heading() -> None:
    assert "##" not in mark_headings("Some text\nNASA SAID\nmore text\n\nan ordinary line alone\n")


def test_documents_that_need_the_converter_are_refused_beside_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "find_spec", lambda _: None)
    (tmp_path / "a.html").write_text("<h1>x</h1>", encoding="utf-8")
    with pytest.raises(ConfigError, match="needs the converter markitdown") as caught:
        read_all(tmp_path)
    assert "corpus-curator[documents]" in caught.value.hint
    (tmp_path / "b.txt").write_text("text", encoding="utf-8")
    batches = read_all(tmp_path)
    assert [row["natural_key"].rsplit("/", 1)[1] for batch in batches for row in batch.documents.rows(named=True)] == [
        "b.txt"
    ]
    assert refused(batches) == {"a.html": "needs_markitdown"}


@needs_markitdown
def test_html_and_word_are_converted_to_markdown(tmp_path: Path) -> None:
    html = (
        "<html><head><title>Sleep</title></head><body><h1>Sleep</h1><script>x()</script><h2>How long?</h2><p>Eight.</p>"
    )
    (tmp_path / "a.html").write_text(html, encoding="utf-8")
    body = (
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Grip</w:t></w:r></w:p>'
        "<w:p><w:r><w:t>Hold the bar.</w:t></w:r></w:p>"
    )
    with zipfile.ZipFile(tmp_path / "b.docx", "w") as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels"'
            ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml"'
            ' ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
            '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
        )
        archive.writestr(
            "_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r"'
            ' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
            ' Target="word/document.xml"/></Relationships>',
        )
        archive.writestr(
            "word/document.xml",
            '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
            f"<w:body>{body}</w:body></w:document>",
        )
    rows = [row for batch in read_all(tmp_path) for row in batch.documents.rows(named=True)]
    assert rows[0]["title"] == "Sleep"
    assert "## How long?" in rows[0]["content"]
    assert "x()" not in rows[0]["content"]
    assert "Hold the bar." in rows[1]["content"]


@needs_markitdown
def test_a_pdf_keeps_its_text_and_headings(tmp_path: Path) -> None:
    with rc_context({"pdf.fonttype": 42}):
        page = Figure(figsize=(8, 8))
        page.text(0.1, 0.9, "HOW DEEP TO SQUAT")
        page.text(0.1, 0.7, "Squat as deep as your hips allow.")
        page.savefig(tmp_path / "a.pdf")
    [row] = [row for batch in read_all(tmp_path) for row in batch.documents.rows(named=True)]
    assert row["content"].split("\n\n")[:2] == ["# HOW DEEP TO SQUAT", "Squat as deep as your hips allow."]


@needs_markitdown
def test_an_epub_is_read_chapter_by_chapter_with_its_title(tmp_path: Path) -> None:
    chapters = {"one": "Squat deep.", "two": "Rest well."}
    items = "".join(f'<item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>' for name in chapters)
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    with zipfile.ZipFile(tmp_path / "b.epub", "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>'
            '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        )
        book.writestr(
            "book.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id"><metadata '
            'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>The strong back</dc:title></metadata>'
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
        )
        for name, text in chapters.items():
            book.writestr(f"{name}.xhtml", f"<html><body><h2>Chapter {name}</h2><p>{text}</p></body></html>")
    [row] = [row for batch in read_all(tmp_path) for row in batch.documents.rows(named=True)]
    assert row["title"] == "The strong back"
    lines = [line for line in row["content"].splitlines() if line and not line.startswith("**")]
    assert lines == ["## Chapter one", "Squat deep.", "## Chapter two", "Rest well."]


@needs_markitdown
def test_damaged_documents_and_bombs_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4 broken")
    (tmp_path / "b.docx").write_bytes(b"nothing")
    with zipfile.ZipFile(tmp_path / "c.epub", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", "0" * 100_000)
    (tmp_path / "d.html").write_text("<p> </p>", encoding="utf-8")
    monkeypatch.setattr(documents, "MAX_UNPACKED_BYTES", 50_000)
    assert refused(read_all(tmp_path)) == {
        "a.pdf": "unreadable_document",
        "b.docx": "unreadable_document",
        "c.epub": "too_large",
        "d.html": "no_text",
    }
