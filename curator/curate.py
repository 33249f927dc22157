"""The stages that decide about rows: extract, screen, categorise, dedup. Each reads once and writes once a chunk."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from curator.categorise import categorise_examples
from curator.categorise.training import make_pack_classifier
from curator.deduplicate import deduplicate_corpus
from curator.engine import Engine, LocalEngine
from curator.extract import extract_documents, list_inputs
from curator.fingerprint import fingerprint_knowledge, fingerprint_pack, fingerprint_stage
from curator.project import Project
from curator.review.standing import settle_decisions
from curator.screen import screen_examples
from schemas.config import CategoriseConfig, ScreenConfig
from schemas.pack import Pack
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

    from curator.extract.llm import LlmSettings

CHUNK_INPUTS = 20_000
"""Inputs (documents or threads) a transaction; bounds memory, and what a kill can undo."""
CHUNK_EXAMPLES = 50_000
CHUNK_PASSAGES = 32
_CLASSIFIERS: dict[tuple[str, str, int], Callable[[], Any]] = {}

Progress = Callable[[str, int, int], None]
"""Called with stage, rows done, rows to do."""


@dataclass
class CurateReport:
    """What curate did in this run.

    Attributes:
        extracted: Inputs read.
        examples: Examples and preferences that they gave.
        screened: Rows screened.
        categorised: Rows labelled.
        removed: Near-duplicates that are out (of all rows, as of now).
        has_new_clusters: Dedup ran.
        has_moved: Rows of an earlier time are current again: settings or documents went back to what they were.
        alarms: What a person should look at.
    """

    extracted: int = 0
    examples: int = 0
    screened: int = 0
    categorised: int = 0
    removed: int = 0
    has_new_clusters: bool = False
    has_moved: bool = False
    alarms: list[str] = field(default_factory=list)

    @property
    def has_changed(self) -> bool:
        """Whether anything was written."""
        return bool(self.extracted or self.screened or self.categorised or self.has_new_clusters or self.has_moved)

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {key: value for key, value in vars(self).items() if not key.startswith("has_")}


def curate_corpus(
    project: Project,
    warehouse: Warehouse,
    progress: Progress = lambda *_: None,
    threads: int | None = None,
    llm: "LlmSettings | None" = None,
    engine: Engine | None = None,
) -> CurateReport:
    """Runs the four stages over everything not yet seen under the current fingerprints.

    Args:
        project: Settings and pack.
        warehouse: The open database.
        progress: Called while a stage works.
        threads: Threads of dedup; all cores if absent. The result does not depend on it.
        llm: Model that writes further examples from passages; none if absent.
        engine: Where the work is done; this process if absent. The result does not depend on it.
    """
    engine = engine or LocalEngine()
    report = CurateReport()
    pack_print = fingerprint_pack(project.pack)
    _extract(project, warehouse, pack_print, report, progress, engine)
    if llm is not None:
        report.examples += ask_llm(project, warehouse, llm, progress)
    # Rows may have come and gone: what people decided holds for those that are there now.
    with warehouse.transaction():
        report.has_moved |= settle_decisions(warehouse, project.pack)
    _screen(project, warehouse, report, progress, engine)
    _categorise(project, warehouse, pack_print, report, progress, engine)
    _dedup(project, warehouse, report, progress, threads, engine)
    return report


def ask_llm(
    project: Project, warehouse: Warehouse, settings: "LlmSettings", progress: Progress = lambda *_: None
) -> int:
    """Has a model of the user's own write examples from passages; only what a passage supports is stored.

    Runs after `curate_corpus` has extracted; answers are cached by content in `.curator/cache/llm`, so an interrupted
    run goes on and a repeated one asks nothing.

    Returns:
        Examples that were not there before.

    Raises:
        ConfigError: The server refuses key, model or request, or the package `openai` is absent.
        SourceInterruptedError: The server stopped answering; what was answered is cached.
    """
    from curator.extract.domain import mark_off_domain
    from curator.extract.llm import AnswerCache, ask_passages
    from curator.extract.llm_passages import BOOK_SOURCE, list_passages

    fingerprint = _extract_print(fingerprint_pack(project.pack))
    passages = list_passages(warehouse.read("passage_documents", book_source=BOOK_SOURCE))
    cache = AnswerCache(project.root / ".curator" / "cache" / "llm")
    added = 0
    for start in range(0, len(passages), CHUNK_PASSAGES):
        extraction = ask_passages(passages[start : start + CHUNK_PASSAGES], settings, cache)
        examples = mark_off_domain(extraction.examples, project.pack)
        before = int(warehouse.read_value("count_examples"))
        with warehouse.transaction(), warehouse.lend({"incoming": examples}):
            warehouse.run("drop_reextracted")
            warehouse.run("insert_examples")
            warehouse.run("insert_extractions", fingerprint=fingerprint)
        added += int(warehouse.read_value("count_examples")) - before
        progress("ask the model", min(start + CHUNK_PASSAGES, len(passages)), len(passages))
    return added


def extract_chunk(pack: Pack, documents: "pl.DataFrame") -> "tuple[pl.DataFrame, ...]":
    """Gives examples and verdicts of documents; a task of an engine, so it is a plain function of plain values."""
    extraction = extract_documents(documents, pack)
    return extraction.examples, extraction.verdicts


def screen_chunk(config: ScreenConfig, pack: Pack, examples: "pl.DataFrame") -> "tuple[pl.DataFrame, ...]":
    """Gives screening rows and verdicts of examples; a task of an engine."""
    screened = screen_examples(examples, config, pack)
    return screened.screening, screened.verdicts


def categorise_chunk(
    config: CategoriseConfig, pack: Pack, seed: int, examples: "pl.DataFrame"
) -> "tuple[pl.DataFrame, ...]":
    """Gives the labels of examples; a task of an engine. A process trains the pack's classifier once."""
    key = (str(pack.root), config.model_dump_json(), seed)
    if key not in _CLASSIFIERS:
        _CLASSIFIERS[key] = make_pack_classifier(pack, config, seed)
    return (categorise_examples(examples, config, pack, _CLASSIFIERS[key]),)


def count_pending(project: Project, warehouse: Warehouse) -> dict[str, int]:
    """Gives how many inputs and rows each row-wise stage has not seen under the current fingerprints."""
    pack_print = fingerprint_pack(project.pack)
    inputs = _read_inputs(warehouse)
    with warehouse.lend({"inputs": inputs.select("input_id", "kind")}):
        pending = warehouse.read("pending_inputs", fingerprint=_extract_print(pack_print))
    screen = warehouse.read("unscreened_examples", fingerprint=_screen_print(project))
    labels = warehouse.read("unlabelled_examples", fingerprint=_categorise_print(project, pack_print))
    return {"inputs to extract": pending.height, "rows to screen": screen.height, "rows to categorise": labels.height}


def _read_inputs(warehouse: Warehouse) -> "pl.DataFrame":
    return list_inputs(
        warehouse.read("document_inputs"), warehouse.read("thread_inputs"), warehouse.read("event_inputs")
    )


def _extract_print(pack_print: str) -> str:
    return fingerprint_stage("extract", pack_print)


def _screen_print(project: Project) -> str:
    return fingerprint_stage("screen", project.config.screen, project.pack.languages)


def _categorise_print(project: Project, pack_print: str) -> str:
    # Votes are counted on the screened text in the language that screening found; the classifier reads the pages.
    inputs = (pack_print, fingerprint_knowledge(project.pack), _screen_print(project))
    return fingerprint_stage("categorise", project.config.categorise, project.config.seed, *inputs)


def _extract(
    project: Project, warehouse: Warehouse, pack_print: str, report: CurateReport, progress: Progress, engine: Engine
) -> None:
    import polars as pl

    fingerprint = _extract_print(pack_print)
    inputs = _read_inputs(warehouse)
    with warehouse.lend({"inputs": inputs.select("input_id", "kind")}):
        pending = warehouse.read("pending_inputs", fingerprint=fingerprint)
    todo = inputs.join(pending.select("input_id"), on="input_id", how="semi")
    chunks = list(_cut(todo, CHUNK_INPUTS))
    # A late reply joins documents that were judged without it.
    again = todo.select(pl.col("document_ids").explode().alias("id")).unique()
    with warehouse.transaction(), warehouse.lend({"incoming": again}):
        warehouse.run("drop_extract_verdicts", fingerprint=fingerprint)

    def read_documents(chunk: pl.DataFrame) -> pl.DataFrame:
        with warehouse.lend({"wanted": chunk.select(pl.col("document_ids").explode().alias("id")).unique()}):
            return warehouse.read("documents_by_id")

    done = engine.map_frames(partial(extract_chunk, project.pack), (read_documents(chunk) for chunk in chunks))
    for chunk, (examples, verdicts) in zip(chunks, done, strict=True):
        seen = chunk.select("input_id").join(
            examples.select("input_id", pl.col("id").alias("example_id")), on="input_id", how="left"
        )
        with warehouse.transaction():
            with warehouse.lend({"incoming": examples}):
                warehouse.run("drop_reextracted")
                warehouse.run("insert_examples")
            warehouse.append("verdict", verdicts, {"stage": "extract", "fingerprint": fingerprint})
            warehouse.append("extraction", seen, {"fingerprint": fingerprint})
        report.extracted += chunk.height
        report.examples += examples.height
        progress("extract", report.extracted, todo.height)
    with warehouse.transaction():
        with warehouse.lend({"inputs": inputs.select("input_id")}):
            has_moved = bool(warehouse.read_value("count_moved_inputs"))
        if has_moved:
            warehouse.run("clear_current_inputs")
            warehouse.append("current_input", inputs.select("input_id"))
        report.has_moved |= has_moved
        report.has_moved |= bool(warehouse.read_value("count_uncurated"))
        warehouse.run("keep_documents_read")
        _keep_stage(warehouse, "extract", fingerprint, report)


def _screen(project: Project, warehouse: Warehouse, report: CurateReport, progress: Progress, engine: Engine) -> None:
    import polars as pl

    fingerprint = _screen_print(project)
    pending = warehouse.read("unscreened_examples", fingerprint=fingerprint)

    def read_examples(chunk: pl.DataFrame) -> pl.DataFrame:
        with warehouse.lend({"wanted": chunk}):
            return warehouse.read("examples_by_id")

    chunks = list(_cut(pending, CHUNK_EXAMPLES))
    done = engine.map_frames(
        partial(screen_chunk, project.config.screen, project.pack), (read_examples(chunk) for chunk in chunks)
    )
    for chunk, (screening, verdicts) in zip(chunks, done, strict=True):
        with warehouse.transaction():
            warehouse.append("screening", screening, {"fingerprint": fingerprint})
            warehouse.append("verdict", verdicts, {"stage": "screen", "fingerprint": fingerprint})
        report.screened += chunk.height
        progress("screen", report.screened, pending.height)
    _keep_stage(warehouse, "screen", fingerprint, report)


def _categorise(
    project: Project, warehouse: Warehouse, pack_print: str, report: CurateReport, progress: Progress, engine: Engine
) -> None:
    config, seed = project.config.categorise, project.config.seed
    fingerprint = _categorise_print(project, pack_print)
    pending = warehouse.read("unlabelled_examples", fingerprint=fingerprint)
    task = partial(categorise_chunk, config, project.pack, seed)
    for (labels,) in engine.map_frames(task, _cut(pending, CHUNK_EXAMPLES)):
        with warehouse.transaction():
            warehouse.append("label", labels, {"fingerprint": fingerprint})
        report.categorised += labels.height
        progress("categorise", report.categorised, pending.height)
    _keep_stage(warehouse, "categorise", fingerprint, report)


def _dedup(
    project: Project,
    warehouse: Warehouse,
    report: CurateReport,
    progress: Progress,
    threads: int | None,
    engine: Engine,
) -> None:
    done = deduplicate_corpus(project, warehouse, _screen_print(project), progress, threads, engine)
    report.removed = done.removed
    report.alarms += done.alarms
    report.has_new_clusters = done.has_changed


def _keep_stage(warehouse: Warehouse, stage: str, fingerprint: str, report: CurateReport) -> None:
    if warehouse.read_value("stage_fingerprint", stage=stage) != fingerprint:
        warehouse.run("keep_stage", stage=stage, fingerprint=fingerprint)
        report.has_moved = True


def _cut(frame: "pl.DataFrame", rows: int) -> "Iterator[pl.DataFrame]":
    for start in range(0, frame.height, rows):
        yield frame.slice(start, rows)
