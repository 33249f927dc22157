"""Reads a markdown page as a tree of sections whose text is plain: steps, bullets and rows stay, markup goes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

BlockKind = Literal["text", "list", "table", "code"]

MAX_SHORT_CELL_WORDS = 2
# A longer heading in capitals is shouted, not abbreviated.
MAX_ABBREVIATION_CHARS = 5

_WIKILINK = re.compile(r"(!?)\[\[([^\]\[|#]*)(?:#([^\]\[|]*))?(?:\|([^\]\[]*))?\]\]")
_TASK_BOX = re.compile(r"^\[[ xX]\]\s+")
_NUMBERING = re.compile(
    r"^(?:\d+(?:\.\d+)*[.):]|\d+(?:\.\d+)+|(?:chapter|part|step)\s+[\divxlc]+\s*[:.–-])\s+", re.IGNORECASE
)
_NOT_WORD = re.compile(r"[^\w]+")
_BARE_URL = re.compile(r"<?\bhttps?://\S+")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)|\[\s*\]")
_SPACE_BEFORE_STOP = re.compile(r" ([.,;:!?)])")
_LETTER = re.compile(r"[^\W\d_]")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@dataclass(frozen=True)
class Block:
    """A paragraph, list, table or code block of a section.

    Attributes:
        kind: What it was in the page.
        text: As it goes into an answer; empty for code.
        lines: First and last line in the body, 0-based, the last one exclusive.
        link_chars: Characters of `text` that were link text.
        bold_lead: The bold words that the paragraph begins with; empty if it does not.
        size_chars: Length in the page, for code.
    """

    kind: BlockKind
    text: str
    lines: tuple[int, int]
    link_chars: int = 0
    bold_lead: str = ""
    size_chars: int = 0


@dataclass
class Section:
    """A heading with what stands below it up to the next heading.

    Attributes:
        level: 1-6; 0 is what stands before the first heading.
        heading: Plain text without numbering; empty at level 0.
        path: Headings from the top of the page down to this one.
        line: Line of the heading in the body, 0-based.
        blocks: What stands directly below the heading.
        children: Sections of a deeper level.
    """

    level: int
    heading: str
    path: tuple[str, ...]
    line: int
    blocks: list[Block] = field(default_factory=list)
    children: "list[Section]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """Own text, blocks apart by a blank line."""
        return join_blocks(self.blocks)

    @property
    def end(self) -> int:
        """Line after the last own block."""
        return max([self.line + 1, *(block.lines[1] for block in self.blocks)])

    def walk(self) -> "Iterator[Section]":
        """Yields this section and all below it in reading order."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse_sections(body: str) -> Section:
    """Gives the page as a tree; the root (level 0) holds what stands before the first heading.

    Args:
        body: The page without front matter.
    """
    from markdown_it.tree import SyntaxTreeNode

    root = Section(0, "", (), 0)
    open_sections = [root]
    for node in SyntaxTreeNode(_parser().parse(body)).children:
        if node.type == "heading":
            level = int(node.tag[1])
            while open_sections[-1].level >= level:
                open_sections.pop()
            parent = open_sections[-1]
            heading = clean_heading(_inline_text(node))
            line = node.map[0] if node.map else parent.line
            section = Section(level, heading, (*parent.path, heading), line)
            parent.children.append(section)
            open_sections.append(section)
        else:
            open_sections[-1].blocks.extend(_read_block(node))
    return root


def join_blocks(blocks: list[Block]) -> str:
    """Gives the text of blocks as an answer: apart by a blank line, a list close to the line that opens it."""
    parts: list[str] = []
    for block in blocks:
        if not block.text:
            continue
        glue = "\n" if parts and block.kind in ("list", "table") and parts[-1].endswith(":") else "\n\n"
        parts.append((glue if parts else "") + block.text)
    return "".join(parts)


def clean_heading(text: str) -> str:
    """Takes numbering, a closing colon and signs that are no words off a heading."""
    bare = _NUMBERING.sub("", text.strip())
    if bare.isupper() and len(bare) > MAX_ABBREVIATION_CHARS:
        bare = bare.capitalize()
    bare = re.sub(r"^[^\w(\"'“‘¿¡]+", "", bare)
    return bare.rstrip(" :.#").strip() if not bare.endswith("...") else bare


def slugify(text: str) -> str:
    """Gives the heading as it stands in a section id: lower case, words joined by a dash."""
    return _NOT_WORD.sub("-", text.casefold()).strip("-") or "section"


def count_words(text: str) -> int:
    """Counts words; two characters of a script without spaces count as one."""
    return len(_CJK.sub("", text).split()) + len(_CJK.findall(text)) // 2


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _read_block(node: "SyntaxTreeNode") -> list[Block]:
    if node.type == "paragraph":
        block = _read_paragraph(node)
        return [block] if block.text else []
    if node.type in ("bullet_list", "ordered_list"):
        text = "\n".join(_list_lines(node, ""))
        return [Block("list", text, _lines(node), _link_chars(node))] if text else []
    if node.type == "table":
        text = "\n".join(_table_lines(node))
        return [Block("table", text, _lines(node), _link_chars(node))] if text else []
    if node.type in ("fence", "code_block"):
        return [Block("code", "", _lines(node), size_chars=len(node.content))]
    if node.type == "blockquote":
        return [block for child in node.children for block in _read_block(child)]
    return []


def _read_paragraph(node: "SyntaxTreeNode") -> Block:
    inline = node.children[0]
    lead = ""
    visible = [child for child in inline.children if child.type != "text" or child.content.strip()]
    if visible and visible[0].type == "strong":
        lead = _plain(visible[0])
    return Block("text", _inline_text(node), _lines(node), _link_chars(node), _tidy(lead))


def _list_lines(node: "SyntaxTreeNode", indent: str) -> list[str]:
    lines: list[str] = []
    number = int(node.attrs.get("start", 1)) if node.type == "ordered_list" else 0
    for item in node.children:
        marker = f"{number}. " if node.type == "ordered_list" else "- "
        number += 1
        inner = indent + " " * len(marker)
        texts: list[str] = []
        nested: list[str] = []
        for child in item.children:
            if child.type in ("bullet_list", "ordered_list"):
                nested.extend(_list_lines(child, inner))
            else:
                texts.extend(block.text for block in _read_block(child) if block.text)
        # Figures that were set as columns with bars read as an enumeration.
        text = _TASK_BOX.sub("", " ".join(texts)).replace(" | ", ", ")
        if text:
            lines.append(f"{indent}{marker}{text}")
            lines.extend(nested)
        else:
            lines.extend(line.removeprefix(" " * len(marker)) for line in nested)
    return lines


def _table_lines(node: "SyntaxTreeNode") -> list[str]:
    """Gives a line a row: `Chest: MV 4, MEV 8`; one long cell `name: value`, several `name – column: value; …`."""
    rows = [
        [_inline_text(cell) for cell in row.children] for part in node.children for row in part.children if row.children
    ]
    header, *body = rows
    return [line for line in (_row_line(header, row) for row in body) if line]


def _row_line(header: list[str], row: list[str]) -> str:
    name, *values = row
    if not name or not any(values):
        return f"- {name}" if name else ""
    if not _LETTER.search(name):
        name = f"{header[0]} {name}".strip()
    cells = [(column, value) for column, value in zip(header[1:], values, strict=False) if value]
    if all(len(value.split()) <= MAX_SHORT_CELL_WORDS for _, value in cells):
        return f"- {name}: {', '.join(f'{column} {value}'.strip() for column, value in cells)}"
    if len(values) == 1:
        return f"- {name}: {values[0]}"
    return f"- {name} – {'; '.join(f'{column}: {value}'.removeprefix(': ') for column, value in cells)}"


def _inline_text(node: "SyntaxTreeNode") -> str:
    return _tidy("".join(_plain(child) for child in node.children))


def _tidy(text: str) -> str:
    if "[[" in text:
        text = _WIKILINK.sub(_resolve_wikilink, text)
    if "://" in text:
        text = _EMPTY_BRACKETS.sub("", _BARE_URL.sub("", text))
    return _SPACE_BEFORE_STOP.sub(r"\1", " ".join(text.split()))


def _resolve_wikilink(match: re.Match[str]) -> str:
    """`[[Page|words]]` reads as its words, `[[Page#Part]]` as the part, an embedded file as nothing."""
    embedded, target, part, words = match.groups()
    if embedded:
        return ""
    return (words or part or target.rsplit("/", 1)[-1]).strip()


def _plain(node: "SyntaxTreeNode") -> str:
    if node.type in ("text", "code_inline"):
        return node.content
    if node.type in ("softbreak", "hardbreak"):
        return " "
    if node.type in ("image", "html_inline"):
        return ""
    return "".join(_plain(child) for child in node.children)


def _link_chars(node: "SyntaxTreeNode") -> int:
    if node.type == "link":
        return len(_tidy("".join(_plain(child) for child in node.children)))
    if node.type == "inline" and "]" not in node.content and "<" not in node.content:
        return 0
    return sum(_link_chars(child) for child in node.children)


def _lines(node: "SyntaxTreeNode") -> tuple[int, int]:
    return node.map or (0, 0)
