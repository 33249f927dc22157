"""The connector of existing datasets: rows become documents of kind `conversation` or `record`."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from schemas.document import Permission, document_id
from schemas.errors import ConfigError
from schemas.identity import dump_canonical
from sources.dataset.columns import RowPlan, ShapeOption, UnknownColumnsError, plan_rows
from sources.dataset.hub import HUB_PREFIX, find_hub_files, read_hub_rows
from sources.dataset.rows import SUFFIXES, NoRowsError, Row, read_rows
from sources.dataset.shapes import find_turn_style, read_conversation
from sources.dataset.templates import find_record_kind, load_record_kinds
from sources.dataset.turns import RowError
from sources.files import FoundFile, find_files
from sources.packs.loader import pack_path
from sources.protocol import Batch, Rejection, SourceContext

BATCH_ROWS = 2000
# Rows that are looked at to see which columns a file has; later columns are not known.
SAMPLE_ROWS = 50
MAP_HINT = (
    "say what the columns mean: --map question=Frage --map answer=Antwort; "
    "structured rows need a record template in the pack"
)
MAX_FILE_BYTES = 2**40


class DatasetOptions(BaseModel):
    """What to read, how to understand it, and what is known about its rights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: list[str] = Field(default=[], description="Files, folders, hf://owner/name; the pack's own records if empty.")
    map: dict[str, str] = Field(default={}, description="Role to column, such as question=Frage.")
    shape: ShapeOption = Field(default="auto", description="What the rows are, where it cannot be seen.")
    template: str | None = Field(default=None, description="Record template of the pack to read structured rows with.")
    licence: str = Field(default="unknown", description="SPDX id of the dataset.")
    permission: Permission = Field(default="unknown", description="Whether we may train on it.")
    basis: str = Field(default="dataset of the user", description="Why we may hold it, in words.")
    name: str | None = Field(default=None, description="Name of the dataset: in natural keys and as attribution.")


@dataclass(frozen=True)
class _Plan:
    """A file with how its rows are read."""

    key: str
    where: str
    plan: RowPlan


class DatasetSource:
    """Reads rows of JSON, JSONL, CSV, TSV, Parquet and MedQuAD XML files and of datasets on the Hugging Face hub.

    The content of a conversation is canonical JSON of `messages`, and `rejected` and `tools` where there are any;
    that of a record is its row. A row that cannot be carried is a rejection with its place; the others are kept.
    """

    name: ClassVar[str] = "dataset"
    Options: ClassVar[type[BaseModel]] = DatasetOptions

    def __init__(self, options: BaseModel, context: SourceContext) -> None:
        self._context = context
        self._options = _with_defaults(DatasetOptions.model_validate(options), context)
        self._kinds = load_record_kinds(context.pack)

    def read(self, after: str | None) -> Iterator[Batch]:
        """Yields rows in the order of the files' keys; the cursor is the file and the row to go on after.

        Raises:
            ConfigError: A path is missing, or no file has rows that are understood.
        """
        plans, refused = self._plan_files()
        start_key, start_row = _read_cursor(after)
        left = [plan for plan in plans if plan.key >= start_key]
        rows: list[dict[str, object]] = []
        rejections = refused if after is None else []
        for plan, number, item in self._read_files(left, start_key, start_row):
            if isinstance(item, Rejection):
                rejections.append(item)
            else:
                rows.append(item)
            if len(rows) + len(rejections) >= BATCH_ROWS:
                yield Batch.of(rows, tuple(rejections), _cursor(plan.key, number))
                rows, rejections = [], []
        yield Batch.of(rows, tuple(rejections))

    def _plan_files(self) -> tuple[list[_Plan], list[Rejection]]:
        plans: list[_Plan] = []
        refused: list[Rejection] = []
        problems: list[tuple[str, str]] = []
        for key, where in self._find_inputs(refused):
            try:
                plans.append(_Plan(key, where, self._plan_file(where)))
            except NoRowsError as error:
                refused.append(Rejection(where, error.reason, error.detail, is_fault=error.is_fault))
                problems.append((f"{where}: {error.detail}", "name a file of rows: an array, JSONL, CSV, Parquet"))
            except UnknownColumnsError as error:
                refused.append(Rejection(where, "unknown_columns", f"{error}; use --map", is_fault=False))
                problems.append((f"{where}: {error}", MAP_HINT))
        if not plans and problems:
            # A column problem says more than a stray file beside it.
            raise ConfigError(*next((problem for problem in problems if problem[1] == MAP_HINT), problems[0]))
        return plans, refused

    def _find_inputs(self, refused: list[Rejection]) -> Iterator[tuple[str, str]]:
        hub = [path for path in self._options.path if path.startswith(HUB_PREFIX)]
        local = [Path(path) for path in self._options.path if not path.startswith(HUB_PREFIX)]
        for path in hub:
            yield from ((name, name) for name in find_hub_files(path))
        if not local:
            return
        for key, entry in find_files(local, SUFFIXES, label=self._options.name, max_bytes=MAX_FILE_BYTES):
            if isinstance(entry, FoundFile):
                yield key, str(entry.path)
            else:
                refused.append(entry)

    def _plan_file(self, where: str) -> RowPlan:
        sample = list(islice((row for row in _rows(where) if isinstance(row, Row)), SAMPLE_ROWS))
        if not sample:
            first = next(iter(_rows(where)), None)
            if isinstance(first, Rejection):
                raise NoRowsError(first.reason, f"no row can be read: {first.detail}", is_fault=True)
            raise NoRowsError("empty_file", "holds no rows")
        columns = list(dict.fromkeys(chain.from_iterable(row.cells for row in sample)))
        if self._options.template is not None:
            kind = find_record_kind(self._kinds, self._options.template)
            return plan_rows(columns, shape="record", kinds=[kind])
        if where.endswith(".xml"):
            return RowPlan("medquad", {"question": "question", "answer": "answer", "id": "id"})
        return plan_rows(columns, shape=self._options.shape, mapping=self._options.map, kinds=self._kinds)

    def _read_files(
        self, plans: list[_Plan], start_key: str, start_row: int
    ) -> Iterator[tuple[_Plan, int, dict[str, object] | Rejection]]:
        for plan in plans:
            skip = start_row if plan.key == start_key else 0
            seen: set[str] = set()
            for number, item in enumerate(_rows(plan.where), 1):
                # Rows before the cursor are read all the same: they say which ids come again.
                result = self._read_item(item, plan, seen)
                if number > skip:
                    yield plan, number, result

    def _read_item(self, item: Row | Rejection, plan: _Plan, seen: set[str]) -> dict[str, object] | Rejection:
        if isinstance(item, Rejection):
            return item
        row_id = _name_row(item, plan.plan, seen)
        where = f"{plan.where}:{item.line}" if item.line is not None else f"{plan.where} row {item.number}"
        try:
            return self._make_document(item, plan, row_id)
        except RowError as error:
            is_fault = error.reason.startswith(("broken", "invalid"))
            return Rejection(where, error.reason, error.detail, is_fault=is_fault)

    def _make_document(self, row: Row, plan: _Plan, row_id: str) -> dict[str, object]:
        kind = plan.plan.kind
        known = {"file": plan.key, "row": row.number}
        if kind is not None:
            content, title = _canonical(row.cells), _cell_text(row.cells, kind.title)
            metadata: dict[str, Any] = {"shape": "record", "template": kind.name, **known}
        else:
            content, title = _canonical(read_conversation(plan.plan, row.cells)), None
            tags = {tag: _cell_text(row.cells, plan.plan.columns.get(tag)) for tag in ("category", "language")}
            metadata = {"shape": find_turn_style(plan.plan, row.cells), **known, **_present(tags)}
            metadata.update(_present({name: _cell_text(row.cells, name) for name in _medquad_columns(plan.plan)}))
        key = f"{plan.key}#{row_id}"
        return {
            "id": document_id(self.name, key, content),
            "source": self.name,
            "kind": "conversation" if kind is None else "record",
            "natural_key": key,
            "title": title,
            "content": content,
            "metadata": dump_canonical(metadata),
            "url": row.extra.get("url") or _cell_text(row.cells, plan.plan.columns.get("url")),
            "fetched_at": self._context.now,
            "licence": self._options.licence,
            "basis": self._options.basis,
            "permission": self._options.permission,
            "attribution": self._options.name or row.extra.get("attribution") or None,
        }


def _with_defaults(options: DatasetOptions, context: SourceContext) -> DatasetOptions:
    """Points an empty path at the pack's own records, which are ours to train on."""
    if options.path:
        return options
    bundled = [record.data for record in context.pack.records if record.data is not None]
    if not bundled:
        raise ConfigError(
            f"pack {context.pack.name}: has no records of its own", "name a file, folder or hf://owner/name"
        )
    return options.model_copy(
        update={
            "path": [str(pack_path(context.pack, relative)) for relative in bundled],
            "permission": "own",
            "licence": options.licence if options.licence != "unknown" else "Apache-2.0",
            "basis": f"records that come with the pack {context.pack.name}",
            "name": options.name or f"pack:{context.pack.name}",
        }
    )


def _rows(where: str) -> Iterable[Row | Rejection]:
    return read_hub_rows(where) if where.startswith(HUB_PREFIX) else read_rows(Path(where))


def _name_row(row: Row, plan: RowPlan, seen: set[str]) -> str:
    """Gives the row's own id, else a record's title, else line or number; one that comes again gets the row too."""
    own = _cell_text(row.cells, plan.columns.get("id")) or (
        _cell_text(row.cells, plan.kind.title) if plan.kind is not None else None
    )
    name = own or str(row.line if row.line is not None else row.number)
    if name in seen:
        name = f"{name}@{row.number}"
    if own:
        seen.add(name)
    return name


def _medquad_columns(plan: RowPlan) -> tuple[str, ...]:
    return ("topic", "kind", "repeats") if plan.shape == "medquad" else ()


def _cell_text(cells: Mapping[str, Any], column: str | None) -> str | None:
    value = cells.get(column) if column is not None else None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None


def _present(values: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _canonical(value: Any) -> str:
    try:
        text = dump_canonical(value)
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RowError("invalid_utf8", "half of a surrogate pair, which is no character") from error
    except (TypeError, ValueError) as error:
        raise RowError("not_text", f"a value that JSON cannot hold: {error}") from error
    return text


def _cursor(key: str, row: int) -> str:
    return json.dumps({"file": key, "row": row})


def _read_cursor(after: str | None) -> tuple[str, int]:
    if after is None:
        return "", 0
    place = json.loads(after)
    return str(place["file"]), int(place["row"])
