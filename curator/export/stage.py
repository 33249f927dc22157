"""Exports a release: every row shaped, checked against its JSON Schema and for private data, written atomically."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from importlib.resources import files as package_files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from curator.atomic import replace_folder, sweep
from curator.categorise.stage import DEFAULT_ROLE
from curator.export.card import write_card
from curator.export.handoff import HANDOFF_NAMES, build_handoff
from curator.export.jsonlines import Lines
from curator.export.prompts import attach_system_prompt
from curator.export.rights import PUBLISHABLE, summarise_rights
from curator.export.shapes import SHAPES, Row, UnfitError
from curator.project import Project
from curator.screen.privacy import redact_private
from curator.text import check_structure, map_texts
from schemas.config import ExportConfig
from schemas.errors import ConfigError, ExportError
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

SPLIT_ORDER = ("train", "validation", "test")
FILE_NAMES = (
    {"manifest.json", "README.md"}
    | HANDOFF_NAMES
    | {f"{name}.{end}" for name in SPLIT_ORDER for end in ("json", "jsonl")}
)
OPTIONAL_KEYS = ("system", "history", "tools", "tool_calls", "tool_call_id", "name")


@dataclass(frozen=True)
class ExportReport:
    """What an export wrote.

    Attributes:
        path: The folder.
        release_id: The release.
        format: The format.
        rows: Rows by split.
        left_out: Rows that were left out, by reason.
        rights: Licence, permissions, attributions.
        is_new: False when the same bytes were there already.
    """

    path: Path
    release_id: str
    format: str
    rows: dict[str, int]
    left_out: dict[str, int]
    rights: dict[str, Any]
    is_new: bool

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {**vars(self), "path": str(self.path)}


@dataclass
class _Rendered:
    """Rows of all splits before they are written."""

    rows: dict[str, Lines] = field(default_factory=lambda: {split: Lines() for split in SPLIT_ORDER})
    ids: list[str] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    optional_keys: set[str] = field(default_factory=set)


def export_release(
    project: Project,
    warehouse: Warehouse,
    config: ExportConfig,
    release_id: str | None = None,
    output: Path | None = None,
    *,
    dry_run: bool = False,
) -> ExportReport:
    """Writes one format of a release into a folder of its own.

    Args:
        project: Gives pack, paths and settings.
        warehouse: The open database.
        config: Format, policy, system prompt, array or lines.
        release_id: Which release; the latest if absent.
        output: Folder; `exports/<release>/<format>` if absent. An existing one must be an earlier export.
        dry_run: Render and check every row, write nothing.

    Raises:
        ConfigError: No such release, or `output` holds something else.
        ExportError: The release leaks, a row breaks its schema, private data slipped through, or the disk refuses.
    """
    release, contents = build_export(project, warehouse, config, release_id)
    folder = output or project.exports / release["id"] / _folder_name(config)
    _check_output(folder, is_ours=output is None)
    is_new = not _is_same(folder, contents)
    if not dry_run and folder.parent.is_dir():
        # A kill right after the exchange leaves the older folder under its temporary name.
        sweep(folder.parent)
    if is_new and not dry_run:
        with replace_folder(folder) as temporary:
            for name, data in contents.items():
                (temporary / name).write_bytes(data)
    manifest = contents["manifest.json"]
    if not dry_run and not warehouse.read_value("has_export", release_id=release["id"], path=str(folder)):
        warehouse.run(
            "keep_export",
            release_id=release["id"],
            format=config.format,
            path=str(folder),
            manifest=manifest.decode(),
        )
    described = json.loads(manifest)
    return ExportReport(
        path=folder,
        release_id=release["id"],
        format=config.format,
        rows={file["split"]: file["rows"] for file in described["files"]},
        left_out=described["left_out"],
        rights=described["rights"],
        is_new=is_new,
    )


def build_export(
    project: Project, warehouse: Warehouse, config: ExportConfig, release_id: str | None = None
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Renders and checks a release without writing it.

    Args:
        project: Gives pack and settings.
        warehouse: The open database.
        config: Format, policy, system prompt, array or lines.
        release_id: Which release; the latest if absent.

    Returns:
        The release's row, and every file of the export by its name.

    Raises:
        ConfigError: No such release.
        ExportError: The release leaks, a row breaks its schema, or private data slipped through.
    """
    release = find_release(warehouse, release_id)
    if release["is_withdrawn"]:
        raise ExportError(
            f"release {release['id']}: withdrawn, because something in it was forgotten",
            "curator balance makes a new one",
        )
    if not release["is_verified"]:
        raise ExportError(
            f"release {release['id']}: verification found leaks across splits",
            f"curator releases verify {release['id']} lists them",
        )
    lock = json.loads(release["lock"])
    rows = warehouse.read(
        "release_rows",
        release_id=release["id"],
        screen_fingerprint=lock["stages"]["screen"],
    )
    rendered = _render(project, rows, config)
    if not rendered.ids:
        raise ExportError(
            f"release {release['id']}: no row fits format {config.format} under policy {config.policy}",
            f"left out: {dict(rendered.left_out)}",
        )
    # The texts are rendered: from here on they would only take memory, which at a million rows is a gigabyte.
    members = rows.drop("messages", "rejected", "metadata").filter(rows["id"].is_in(rendered.ids))
    del rows
    return release, _build_files(project, release, lock, config, rendered, members)


def find_release(warehouse: Warehouse, release_id: str | None) -> dict[str, Any]:
    """Gives the row of a release: the latest, or the one whose id starts with `release_id`.

    Raises:
        ConfigError: There is none.
    """
    releases = warehouse.read("releases").to_dicts()
    found = [row for row in releases if release_id is None or row["id"].startswith(release_id)]
    if not releases:
        raise ConfigError("no release yet", "curator balance makes one")
    if not found:
        known = ", ".join(row["id"] for row in releases[:5])
        raise ConfigError(f"release {release_id!r}: no such release", f"known: {known}")
    return found[0]


def _render(project: Project, rows: "pl.DataFrame", config: ExportConfig) -> _Rendered:
    rendered = _Rendered()
    validator = load_validator(config.format)
    wants_preferences = config.format == "preference"
    # The database hands rows out in order of split and id, so the bytes do not depend on anything else.
    for row in rows.iter_rows(named=True):
        if (row["rejected"] is not None) != wants_preferences:
            continue
        if config.policy == "publishable" and row["permission"] not in PUBLISHABLE:
            rendered.left_out["permission_unknown"] += 1
            continue
        try:
            shaped = _shape(project, row, config)
        except UnfitError as error:
            rendered.left_out[str(error)] += 1
            continue
        _check_row(project, row["id"], shaped, validator, config.format)
        rendered.rows[row["split"]].add(shaped)
        rendered.ids.append(row["id"])
        rendered.optional_keys |= _find_optional_keys(shaped)
    return rendered


def _shape(project: Project, row: Mapping[str, Any], config: ExportConfig) -> Row:
    turns = orjson.loads(row["messages"])
    metadata = orjson.loads(row["metadata"])
    if metadata.get("tools") and project.config.screen.pii != "off":
        # Tool descriptions are metadata, which screening does not rewrite; they leave the house only here.
        metadata["tools"] = map_texts(metadata["tools"], lambda text: redact_private(text)[0])
    if row["rejected"] is not None:
        metadata["rejected"] = orjson.loads(row["rejected"])
    if config.system_prompt == "pack":
        turns = attach_system_prompt(turns, project.pack, _find_role(project, row), row["language"])
    # No JSON Schema can say that turns alternate, and readers drop such rows without a word.
    conversations = [turns, [*turns[:-1], *metadata["rejected"]]] if row["rejected"] is not None else [turns]
    fault = next((found for found in map(check_structure, conversations) if found), None)
    if fault:
        raise ExportError(f"example {row['id']}: {fault}", f"curator why {row['id']}")
    return SHAPES[config.format](turns, metadata)


def _find_role(project: Project, row: Mapping[str, Any]) -> str:
    """Gives the coach role; the category was frozen with the release, a label of today may be another."""
    return row["role"] or project.pack.category_roles.get(row["category"], DEFAULT_ROLE)


def _check_row(project: Project, row_id: str, shaped: Row, validator: Any, name: str) -> None:
    """Fails closed: one bad row stops the export, because a training run would swallow it."""
    if not validator.is_valid(shaped):
        first = next(iter(validator.iter_errors(shaped)))
        raise ExportError(f"example {row_id}: breaks the schema of {name}: {first.message}", f"curator why {row_id}")
    if project.config.screen.pii != "off":
        found = _find_private(shaped)
        if found:
            raise ExportError(
                f"example {row_id}: private data ({', '.join(found)}) at export",
                "curator curate screens again after a change of settings",
            )


def _find_private(value: Any) -> list[str]:
    if isinstance(value, str):
        return sorted(set(redact_private(value)[1]))
    if isinstance(value, Mapping):
        return sorted({kind for part in value.values() for kind in _find_private(part)})
    if isinstance(value, list):
        return sorted({kind for part in value for kind in _find_private(part)})
    return []


def _find_optional_keys(shaped: Row) -> set[str]:
    keys = set(shaped) & set(OPTIONAL_KEYS)
    for turn in shaped.get("messages", []):
        keys |= set(turn) & set(OPTIONAL_KEYS)
    return keys


@cache
def load_validator(name: str) -> Any:
    """Gives the compiled JSON Schema of a row format or of the manifest."""
    import jsonschema_rs

    text = package_files("schemas").joinpath("json", f"{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema_rs.validator_for(json.loads(text))


def _build_files(
    project: Project,
    release: Mapping[str, Any],
    lock: Mapping[str, Any],
    config: ExportConfig,
    rendered: _Rendered,
    members: "pl.DataFrame",
) -> dict[str, bytes]:
    suffix = "json" if config.array else "jsonl"
    paths = {split: f"{split}.{suffix}" for split, rows in rendered.rows.items() if rows}
    counts = {split: len(rendered.rows[split]) for split in paths}
    about = [(row["id"], row["split"], _find_role(project, row)) for row in members.iter_rows(named=True)]
    handoff = build_handoff(config.format, paths, about, sorted(rendered.optional_keys), rendered.rows)
    # Each split's rows go when its file is there.
    contents = {paths[split]: rendered.rows.pop(split).join(as_array=config.array) for split in paths}
    categories = dict(members.filter(members["category"].is_not_null()).group_by("category").len().iter_rows())
    manifest = {
        "format_version": 1,
        "release": release["id"],
        "format": config.format,
        "curator": version("corpus-curator"),
        "pack": project.pack.name,
        "seed": project.config.seed,
        "config": {"release": lock["config"], "export": config.model_dump(mode="json")},
        "files": [
            {
                "path": path,
                "split": split,
                "rows": counts[split],
                "bytes": len(contents[path]),
                "sha256": hashlib.sha256(contents[path]).hexdigest(),
            }
            for split, path in paths.items()
        ],
        "counts": {
            "rows": len(rendered.ids),
            "categories": {name: int(categories.get(name, 0)) for name in lock["targets"]},
            "sources": {str(s): int(n) for s, n in sorted(members.group_by("source").len().iter_rows())},
        },
        "left_out": dict(sorted(rendered.left_out.items())),
        "rights": summarise_rights(members),
    }
    if not load_validator("manifest").is_valid(manifest):
        raise ExportError("manifest: breaks its schema", "this is a defect of curator; please report it")
    languages = sorted(set(members["language"].to_list()))
    card = write_card(manifest, project.pack, languages, sorted(rendered.optional_keys))
    contents["manifest.json"] = orjson.dumps(manifest, option=orjson.OPT_INDENT_2) + b"\n"
    contents["README.md"] = card.encode()
    return contents | handoff


def _folder_name(config: ExportConfig) -> str:
    parts = [config.format, "array" if config.array else "", "publishable" if config.policy == "publishable" else ""]
    return "-".join(part for part in [*parts, "bare" if config.system_prompt == "none" else ""] if part)


def _check_output(folder: Path, *, is_ours: bool) -> None:
    """The folder is replaced as a whole, so nothing may lie in it that an export did not write."""
    if not folder.exists():
        return
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    foreign = sorted(names - FILE_NAMES)
    if foreign:
        raise ConfigError(f"{folder}: holds {foreign[0]}, which no export wrote", "name a new folder with --output")
    if names and not is_ours and not _has_manifest(folder):
        raise ConfigError(f"{folder}: exists and is no export", "name a new folder with --output")


def _has_manifest(folder: Path) -> bool:
    try:
        return bool(load_validator("manifest").is_valid(orjson.loads((folder / "manifest.json").read_bytes())))
    except (OSError, ValueError):
        return False


def _is_same(folder: Path, contents: Mapping[str, bytes]) -> bool:
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != set(contents):
        return False
    return all((folder / name).read_bytes() == data for name, data in contents.items())
