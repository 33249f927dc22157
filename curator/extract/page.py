"""From knowledge pages to examples: a section answers its heading's question, nothing is made up.

A heading that asks is the prompt as it is; a topic heading goes through the pack's question patterns; pairs inside a
section (`Q:`/`A:`, a bold question and what follows) become examples of their own.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from curator.extract.build import Extraction, build_example
from curator.extract.faq import MIN_ANSWER_WORDS, split_pairs
from curator.extract.headings import DEPENDENT, NAVIGATION, is_subjectless
from curator.extract.questions import (
    FIGURE_PATTERNS,
    RECIPE_PATTERNS,
    QuestionPattern,
    ask_question,
    is_question,
    load_patterns,
    running_words,
)
from curator.extract.sections import Block, Section, clean_heading, count_words, join_blocks, parse_sections, slugify
from schemas.frames import example_frame, verdict_frame
from schemas.pack import Pack

if TYPE_CHECKING:
    import polars as pl

EXTRACTOR = "page"

# Below these an answer says too little to be learnt from; a question that is asked outright may be answered briefly.
MIN_TOPIC_WORDS = 25
# A few sentences below the title of a page announce what follows; only longer ones are an answer by themselves.
MIN_INTRO_WORDS = 45
# Above this a section is a chapter: it answers no single question and stays a document.
MAX_SECTION_WORDS = 900
MIN_FIGURE_ROWS = 3
MIN_FIGURES = 3
MAX_LINK_RATIO = 0.5
MAX_CODE_RATIO = 0.3

_PLACEHOLDER = re.compile(r"\bX{2,}|\bYYYY\b|\{\{|\[[A-Za-z0-9][^\]\n]{2,60}\]|[Ll]orem ipsum")
_DOCUMENT_WORDS = re.compile(
    r"[\s:–-]+(?:reference|guide|handbook|database|cheat ?sheet|explained|101)$", re.IGNORECASE
)
_TO_FILL_IN = re.compile(r"\((?:update|fill|edit|replace|insert|your)\b", re.IGNORECASE)
# Headings that say nothing of what is asked, even with the page's title beside them.
_UNCLEAR = frozenset({
    "analysis points", "areas", "framework", "ideas", "interesting areas", "key sections", "method", "methods", "misc",
    "miscellaneous", "process", "steps", "stuff", "things", "thoughts",
})  # fmt: skip
_RECIPE_PARTS = frozenset({"directions", "ingredients", "instructions", "method", "preparation", "steps"})
# What brackets add for someone who keeps the page: `Warning Signs (monitor weekly)`.
_ASIDE = re.compile(r"\s*\((?:monitor|check|optional|in |see |per )[^)]*\)$", re.IGNORECASE)
# One person's own plan: their figures are advice for nobody else.
_PERSONAL_HEADING = re.compile(
    r"^(?:personal|my|our)\b.*\b(?:goals?|log|notes|numbers|plan|routine|set-?up|stats|targets?)$", re.IGNORECASE
)
_FIRST_PERSON = re.compile(r"\b(?:I|I[’'](?:m|ve|d|ll)|[Mm]y)\b(?! \d)")
MAX_FIRST_PERSON = 1
# A bullet of a word or two with a full stop was the label of a link.
_LABEL_ITEM = re.compile(r"^ *- [^\s:]+(?: [^\s:]+)?\.$", re.MULTILINE)
MAX_LABEL_ITEMS = 2
_ABBREVIATION = re.compile(r"\b[A-Z]{2,5}\b")
MAX_ABBREVIATIONS = 2
_DOSE = re.compile(r"\d ?(?:mg|µg|mcg|IU)\b|\b\d+(?:-\d+)? g\b")
_SUPPLEMENT = re.compile(r"\bsupplement", re.IGNORECASE)
_CAUTION = re.compile(
    r"\b(?:doctor|physician|dietitian|consult|test(?:ed)? levels|blood test|exceed|upper limit|interact|medication"
    r"|pregnan|deficien|kidney|side effect|caution|avoid)",
    re.IGNORECASE,
)
MAX_BARE_DOSES = 3
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class _Pair:
    question: str
    answer: str
    section_id: str
    lines: tuple[int, int]
    heading: str
    basis: str


@dataclass
class _Page:
    """A page with what its sections need to know of it, and what was left out of it so far."""

    title: str
    language: str
    key: str
    words: Collection[str]
    patterns: Sequence[QuestionPattern]
    has_parts: bool
    is_form: bool
    left_out: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    ids: set[str] = field(default_factory=set)

    def leave_out(self, reason: str, section: Section) -> None:
        self.left_out.setdefault(reason, []).append((section.line, max(s.end for s in section.walk())))

    def name_section(self, path: Sequence[str]) -> str:
        """Gives the id of a section; the second of the same name on a page is told apart by its number."""
        base = f"section:{self.key}#{'/'.join(slugify(part) for part in path) or 'top'}"
        name, count = base, 2
        while name in self.ids:
            name, count = f"{base}-{count}", count + 1
        self.ids.add(name)
        return name


def extract_pages(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Makes examples of documents of kind `page`.

    Args:
        documents: Frame of documents.
        pack: Its question patterns ask for topic headings; its category names are looked for in front matter,
            folders and tags, in this order.
    """
    patterns = load_patterns(pack)
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for document in documents.iter_rows(named=True):
        made, left_out = _extract_page(document, pack, patterns)
        examples.extend(made)
        verdicts.extend(left_out)
    return Extraction(example_frame(examples), verdict_frame(verdicts))


def _extract_page(
    document: Mapping[str, Any], pack: Pack, patterns: Sequence[QuestionPattern]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    metadata = json.loads(document["metadata"])
    offset = int(metadata.get("line_offset", 0))
    root = parse_sections(document["content"])
    language = find_language(metadata, document["content"])
    title = _find_title(document, metadata, root)
    page = _Page(
        title=_DOCUMENT_WORDS.sub("", title),
        language=language or pack.default_language,
        key=f"{document['source']}:{document['natural_key']}",
        words=running_words("\n".join(block.text for section in root.walk() for block in section.blocks)),
        patterns=patterns,
        has_parts=sum(1 for _ in root.walk()) > 2,
        is_form="template" in title.casefold() and bool(_PLACEHOLDER.search(document["content"])),
    )
    category, basis = find_page_category(metadata, pack)
    examples = [
        build_example(
            document,
            extractor=EXTRACTOR,
            span={"lines": [pair.lines[0] + offset + 1, pair.lines[1] + offset]},
            messages=[{"role": "user", "content": pair.question}, {"role": "assistant", "content": pair.answer}],
            unit_keys=[pair.section_id],
            metadata={"title": page.title, "heading": pair.heading, "question_basis": pair.basis},
            category=category,
            category_basis=basis,
            language=language,
        )
        for pair in _read_page(root, page)
    ]
    if not examples and not page.left_out:
        page.leave_out("empty_page", root)
    return examples, [_left_out(document["id"], *item, offset, bool(examples)) for item in page.left_out.items()]


def find_page_category(metadata: Mapping[str, Any], pack: Pack) -> tuple[str | None, str | None]:
    """Gives (category, basis) that the source names: in front matter, by the nearest folder, or by a tag."""
    head = metadata.get("front_matter", {})
    hints = [("front_matter", [head.get("category") or ""])]
    hints.append(("folder", list(reversed(metadata.get("folders", [])))))
    hints.append(("label", list(head.get("tags") or [])))
    for basis, words in hints:
        for word in words:
            category = pack.find_category(word)
            if category is not None:
                return category, basis
    return None, None


def find_language(metadata: Mapping[str, Any], text: str) -> str | None:
    """Gives the language that the front matter names, `ar` for text in Arabic letters, else None."""
    named = metadata.get("front_matter", {}).get("language")
    if named:
        return str(named).replace("_", "-").split("-", maxsplit=1)[0].lower()
    sample = text[:4000]
    letters = len(_LETTER.findall(sample))
    return "ar" if letters and len(_ARABIC.findall(sample)) > letters / 2 else None


def _left_out(
    document_id: str, reason: str, spans: Sequence[tuple[int, int]], offset: int, is_kept: bool
) -> dict[str, Any]:
    places = ", ".join(f"{first + offset + 1}-{last + offset}" for first, last in spans)
    return {
        "subject_id": document_id,
        "is_kept": is_kept,
        "reason": reason,
        "score": float(len(spans)),
        "detail": f"lines {places}",
    }


def _find_title(document: Mapping[str, Any], metadata: Mapping[str, Any], root: Section) -> str:
    top = [section for section in root.children if section.level == 1]
    named = metadata.get("front_matter", {}).get("title") or document.get("title")
    if not named and len(top) == 1:
        named = top[0].heading
    if not named:
        path = PurePosixPath(document["natural_key"])
        stem = path.parent.name if path.stem.lower() in ("readme", "index") else path.stem
        named = re.sub(r"[_-]+", " ", stem)
    return clean_heading(str(named))


def _read_page(root: Section, page: _Page) -> Iterator[_Pair]:
    has_title = any(section.level == 1 for section in root.children)
    if root.blocks and has_title:
        # What stands above the title is a badge, a notice or an instruction to a program, never the page's matter.
        page.left_out["preamble"] = [(0, root.end)]
    elif root.blocks:
        yield from _read_section(root, (), page)
    for child in root.children:
        yield from _walk(child, (), page)


def _walk(section: Section, above: tuple[str, ...], page: _Page) -> Iterator[_Pair]:
    if section.heading.casefold() in NAVIGATION:
        page.leave_out("link_list", section)
        return
    folded = _fold_children(section)
    yield from _read_section(folded, above, page)
    for child in folded.children:
        yield from _walk(child, (*above, section.heading), page)


def _fold_children(section: Section) -> Section:
    """Takes short parts into the section above, each with its heading, where all of them are short.

    Alone they would be too short to answer anything; together they are what the section says.
    """
    parts = section.children
    is_foldable = section.level > 1 and parts and not any(part.children or is_question(part.heading) for part in parts)
    is_recipe = _is_recipe(section)
    is_short = all(count_words(part.text) < MIN_TOPIC_WORDS for part in parts)
    if not is_recipe and not (is_foldable and is_short):
        return section
    blocks = list(section.blocks)
    for part in parts:
        if part.text and not _TO_FILL_IN.search(part.heading) and not _PERSONAL_HEADING.search(part.heading):
            blocks.append(Block("text", f"{part.heading}:", (part.line, part.line + 1)))
            blocks.extend(part.blocks)
    return Section(section.level, section.heading, section.path, section.line, blocks)


def _is_recipe(section: Section) -> bool:
    """Tells whether a section is a recipe: what goes in and what is done with it are one answer."""
    names = {part.heading.casefold() for part in section.children}
    return "ingredients" in names and names <= _RECIPE_PARTS and not any(part.children for part in section.children)


def _read_section(section: Section, above: tuple[str, ...], page: _Page) -> Iterator[_Pair]:
    pairs, blocks = split_pairs(section.blocks)
    path = section.path[1:] if len(section.path) > 1 else section.path
    for question, answer in pairs:
        yield _Pair(
            question=question,
            answer=join_blocks(answer),
            section_id=page.name_section((*path, question)),
            lines=(answer[0].lines[0], answer[-1].lines[1]),
            heading=section.heading,
            basis="pair",
        )
    if not blocks:
        return
    heading, title = _find_subject(section.heading, above, page.title)
    is_recipe = any(block.text == "Ingredients:" for block in blocks)
    reason = _find_fault(section, blocks, page, _min_words(section, heading, page)) or _find_gap(
        section.heading, join_blocks(_drop_dangling(blocks))
    )
    if reason is not None:
        page.leave_out(reason, Section(section.level, section.heading, section.path, section.line, blocks))
        return
    section_id = page.name_section(path)
    text = join_blocks(_drop_dangling(blocks))
    special = RECIPE_PATTERNS if is_recipe else FIGURE_PATTERNS if _is_figures(text) else ()
    yield _Pair(
        question=ask_question(
            _ASIDE.sub("", heading),
            title,
            language=page.language,
            patterns=(*special, *page.patterns),
            key=section_id,
            words=page.words,
        ),
        answer=text,
        section_id=section_id,
        lines=(section.line, max(block.lines[1] for block in blocks)),
        heading=section.heading,
        basis="heading" if is_question(heading) else "pattern",
    )


def _find_fault(section: Section, blocks: Sequence[Block], page: _Page, min_words: int) -> str | None:
    text = join_blocks(_drop_dangling(blocks))
    if not text:
        return "mostly_code" if any(block.kind == "code" for block in blocks) else "too_short_section"
    if sum(block.link_chars for block in blocks) > MAX_LINK_RATIO * len(text):
        return "link_list"
    code_chars = sum(block.size_chars for block in blocks)
    if code_chars > MAX_CODE_RATIO * (len(text) + code_chars):
        return "mostly_code"
    if page.is_form or len(_PLACEHOLDER.findall(text)) > 1 or _TO_FILL_IN.search(section.heading):
        return "template_placeholder"
    words = count_words(text)
    if words < min_words:
        return "too_short_section"
    return "too_long_section" if words > MAX_SECTION_WORDS else None


def _find_gap(heading: str, answer: str) -> str | None:
    """Gives what a stranger would miss in an answer, or None.

    `unclear_heading`: nobody knows what is asked. `personal_notes`: one person's plan or tale. `bare_list`: labels of
    links that are gone. `undefined_abbreviations`: rows of them, none told. `bare_doses`: supplements by the milligram
    without a word of care.
    """
    if heading.casefold() in _UNCLEAR:
        return "unclear_heading"
    if _PERSONAL_HEADING.search(heading) or len(_FIRST_PERSON.findall(_statements(answer))) > MAX_FIRST_PERSON:
        return "personal_notes"
    if len(_LABEL_ITEM.findall(answer)) > MAX_LABEL_ITEMS:
        return "bare_list"
    if len(_find_bare_abbreviations(answer)) > MAX_ABBREVIATIONS:
        return "undefined_abbreviations"
    is_doses = _SUPPLEMENT.search(heading + answer) and len(_DOSE.findall(answer)) >= MAX_BARE_DOSES
    return "bare_doses" if is_doses and not _CAUTION.search(answer) else None


def _statements(text: str) -> str:
    """Gives a text without what is quoted or asked: a coach may say `ask yourself: do I sleep enough?`."""
    return re.sub(r"[\"“][^\"”]*[\"”]|[^.!?\n]*\?", "", text)


def _find_bare_abbreviations(answer: str) -> set[str]:
    """Gives abbreviations that stand in three lines or more and are not told in any: `MV (maintenance volume)`."""
    lines = [set(_ABBREVIATION.findall(line)) for line in answer.split("\n")]
    often = {name for found in lines for name in found if sum(name in other for other in lines) >= MIN_FIGURE_ROWS}
    return {name for name in often if f"{name} (" not in answer and f"({name})" not in answer}


def _is_figures(answer: str) -> bool:
    """Tells whether an answer is rows of figures: at least three lines, all with three numbers or more."""
    lines = [line for line in answer.split("\n") if line]
    return len(lines) >= MIN_FIGURE_ROWS and all(len(_NUMBER.findall(line)) >= MIN_FIGURES for line in lines)


def _min_words(section: Section, heading: str, page: _Page) -> int:
    if is_question(section.heading):
        return MIN_ANSWER_WORDS
    return MIN_INTRO_WORDS if heading == page.title and page.has_parts else MIN_TOPIC_WORDS


def _find_subject(heading: str, above: tuple[str, ...], title: str) -> tuple[str, str]:
    """Gives (what the section is about, what that belongs to)."""
    named = [name for name in above[1:] if not is_subjectless(name) and not is_question(name)]
    context = named[-1] if named else title
    if is_subjectless(heading) or heading.casefold() == title.casefold():
        return context, title if context != title else ""
    if heading.casefold() in DEPENDENT and context:
        return f"{context} {heading.lower()}", ""
    return heading, context


def _drop_dangling(blocks: Sequence[Block]) -> list[Block]:
    """Leaves out code, and a paragraph that ends in a colon and announces nothing that is still there."""
    kept: list[Block] = []
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        announces = block.kind == "text" and block.text.endswith(":")
        if block.kind != "code" and not (announces and (following is None or following.kind == "code")):
            kept.append(block)
    return kept
