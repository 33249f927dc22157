"""From structured records to examples: the pack's templates say what a row can answer, and with which of its cells.

Templates are Jinja in a sandbox. An empty cell never reaches an answer: a template that would print one is left out.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from curator.extract.build import Extraction, build_example
from curator.extract.phrases import PHRASE_FILTERS, mend_text, speak_name
from schemas.errors import ConfigError
from schemas.frames import example_frame, verdict_frame
from schemas.identity import make_id
from schemas.pack import Pack
from sources.dataset.templates import ExampleTemplate, RecordKind, load_record_kinds

if TYPE_CHECKING:
    import polars as pl
    from jinja2 import Template

EXTRACTOR = "record"

# Left over where the steps of a one-armed version were rewritten for two arms.
_TOO_MANY_HANDS = re.compile(r"\bboth (?:arms|hands)\b[^.]*\bother (?:arm|hand)\b", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n{3,}")


class EmptySlotError(Exception):
    """A template wanted to print a cell that is empty."""


@dataclass(frozen=True)
class _Compiled:
    spec: ExampleTemplate
    questions: "tuple[Template, ...]"
    answers: "tuple[Template, ...]"


@dataclass(frozen=True)
class _CompiledKind:
    kind: RecordKind
    spoken: "Template | None"
    templates: tuple[_Compiled, ...]


def extract_records(documents: "pl.DataFrame", pack: Pack) -> Extraction:
    """Makes examples of documents of kind `record`.

    Args:
        documents: Frame of documents; metadata names the template of each.
        pack: Its record templates are used.

    Raises:
        ConfigError: A template of the pack is broken.
    """
    kinds = {kind.name: _compile_kind(kind, pack) for kind in load_record_kinds(pack)}
    examples: list[dict[str, Any]] = []
    verdicts: list[dict[str, Any]] = []
    for document in documents.iter_rows(named=True):
        compiled = kinds.get(json.loads(document["metadata"]).get("template", ""))
        made, reason = _extract_record(document, compiled, pack) if compiled else ([], "no_template")
        examples.extend(made)
        if reason is not None:
            verdicts.append({"subject_id": document["id"], "is_kept": False, "reason": reason})
    return Extraction(example_frame(examples), verdict_frame(verdicts))


def _extract_record(
    document: Mapping[str, Any], compiled: _CompiledKind, pack: Pack
) -> tuple[list[dict[str, Any]], str | None]:
    kind, metadata = compiled.kind, json.loads(document["metadata"])
    cells = json.loads(document["content"])
    missing = next((column for column in kind.needs if is_empty(look_up(cells, column))), None)
    if missing is not None:
        return [], f"no_{missing}"
    if any(_contradicts(look_up(cells, column)) for column in kind.needs):
        return [], "contradictory_steps"
    spoken = _speak_cells(cells, compiled)
    found = pack.find_category(str(cells.get(kind.category_column))) if kind.category_column else None
    row = metadata.get("row", 1)
    examples: list[dict[str, Any]] = []
    for template in compiled.templates:
        messages = _render(template, spoken, cells, document["natural_key"])
        if messages:
            category = template.spec.category or found or kind.category
            examples.append(
                build_example(
                    document,
                    extractor=EXTRACTOR,
                    span={"rows": [row, row]},
                    messages=messages,
                    unit_keys=[f"record:{document['natural_key']}"],
                    metadata={"template": f"{kind.name}.{template.spec.name}"},
                    category=category,
                    category_basis="label" if category else None,
                    role=template.spec.role,
                    language=kind.language,
                )
            )
    return examples, None if examples else "no_template_fits"


def look_up(cells: Mapping[str, Any], path: str) -> Any:
    """Gives the cell of a column, or of `column.key` inside it; None where there is none."""
    value: Any = cells
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def is_empty(value: Any) -> bool:
    """Tells whether a cell says nothing: null, blank, or a list or table of such."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return all(is_empty(item) for item in value.values())
    if isinstance(value, Sequence):
        return all(is_empty(item) for item in value)
    return value is None


def _contradicts(value: Any) -> bool:
    return isinstance(value, list) and any(_TOO_MANY_HANDS.search(str(item)) for item in value)


def _fits(spec: ExampleTemplate, spoken: Mapping[str, Any], cells: Mapping[str, Any]) -> bool:
    return (
        not any(is_empty(look_up(spoken, column)) for column in spec.when)
        and all(is_empty(look_up(spoken, column)) for column in spec.empty)
        and all(look_up(cells, column) in values for column, values in spec.where.items())
        and not any(look_up(cells, column) in values for column, values in spec.unless.items())
    )


def _render(
    template: _Compiled, spoken: Mapping[str, Any], cells: Mapping[str, Any], key: str
) -> list[dict[str, str]] | None:
    if not _fits(template.spec, spoken, cells):
        return None
    try:
        question = _choose(template.questions, key, template.spec.name, "question").render(spoken)
        answer = _choose(template.answers, key, template.spec.name, "answer").render(spoken)
    except (EmptySlotError, UndefinedError):
        return None
    except SecurityError as error:
        raise ConfigError(f"record template {template.spec.name}: {error}", "templates may only print cells") from error
    question, answer = " ".join(question.split()), _tidy(answer)
    if not question or not answer:
        return None
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def _choose(templates: "Sequence[Template]", *key: str) -> "Template":
    return templates[int(make_id("record", *key)[:8], 16) % len(templates)]


def _speak_cells(cells: Mapping[str, Any], compiled: _CompiledKind) -> dict[str, Any]:
    """Gives the row as a sentence says it: words replaced as the kind wants, empty list items dropped."""
    kind = compiled.kind
    spoken = {column: _speak(value, kind.words.get(column, {})) for column, value in cells.items()}
    spoken["spoken_name"] = speak_name(str(cells.get(kind.title, "")), kind.proper_names)
    if compiled.spoken is not None and not is_empty(spoken["spoken_name"]):
        spoken["spoken_name"] = compiled.spoken.render({**cells, "spoken_name": spoken["spoken_name"]}).strip()
    return spoken


def _speak(value: Any, words: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return words.get(value, value).strip()
    if isinstance(value, list):
        return [_speak_item(item, words) for item in value if not is_empty(item)]
    return value


def _speak_item(item: Any, words: Mapping[str, str]) -> Any:
    """Says an item of a list, which may be a sentence: there a word is replaced wherever it stands."""
    if not isinstance(item, str) or item in words:
        return _speak(item, words)
    for wrong, right in words.items():
        item = re.sub(rf"(?<!\w){re.escape(wrong)}(?!\w)", right, item)
    return mend_text(item)


def _tidy(text: str) -> str:
    lines = (re.sub(r"(?<=\S)[ \t]{2,}", " ", line).rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()


def _compile_kind(kind: RecordKind, pack: Pack) -> _CompiledKind:
    environment = _make_environment()

    def compile_all(sources: Sequence[str], where: str) -> "tuple[Template, ...]":
        try:
            return tuple(environment.from_string(source) for source in sources)
        except TemplateSyntaxError as error:
            raise ConfigError(f"pack {pack.name}: {where}: line {error.lineno}: {error.message}") from error

    return _CompiledKind(
        kind,
        compile_all([kind.spoken], f"{kind.name}: spoken")[0] if kind.spoken else None,
        tuple(
            _Compiled(
                spec,
                compile_all(spec.questions, f"{kind.name}.{spec.name}: questions"),
                compile_all(spec.answers, f"{kind.name}.{spec.name}: answers"),
            )
            for spec in kind.examples
        ),
    )


def _make_environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        finalize=_refuse_empty,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # the output is text for a model, never HTML
    )
    filters: Mapping[str, Callable[..., Any]] = PHRASE_FILTERS
    environment.filters.update(filters)
    return environment


def _refuse_empty(value: Any) -> Any:
    if isinstance(value, Undefined) or is_empty(value):
        raise EmptySlotError
    return value
