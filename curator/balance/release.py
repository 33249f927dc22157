"""Freezes a release: deals new units, selects the rows of each split, proves that nothing leaks, writes it once."""

from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from curator.balance.decontaminate import find_contaminated, read_cases
from curator.balance.ledger import SPLITS, Dealt, deal_splits, list_torn
from curator.balance.problem import round_shares
from curator.balance.select import Selection, select_rows
from curator.balance.verify import Leak, find_leaks
from curator.dedup import find_pairs
from curator.feedback import find_guarded
from curator.fingerprint import fingerprint_pack, fingerprint_stage
from curator.project import Project, find_targets
from curator.text import flatten_messages
from schemas.frames import verdict_frame
from schemas.identity import dump_canonical, make_id
from warehouse import Warehouse

if TYPE_CHECKING:
    import polars as pl

FEW_UNITS = 20
LOCK_FORMAT = 1
RELEASE_ID_LENGTH = 12


@dataclass(frozen=True)
class ReleaseReport:
    """What a balance gave.

    Attributes:
        release_id: 12 hex characters; the same members under the same settings have the same id.
        is_new: Whether this run made it.
        is_current: Whether it was the latest one before this run.
        is_stored: Whether it was, with the same units and rows withheld: then nothing is written.
        splits: By split: size, counts by category, targets, missing categories, shortfalls.
        preferences: Preferences by split.
        uncategorised: Kept rows that no category could be given to; they never enter.
        withheld: New rows that would have joined two splits.
        contaminated: Rows that share wording with an evaluation case.
        flagged: Kept rows with a safety flag; they wait for a reviewer.
        thin_categories: Categories with fewer than 20 units, with their number.
        leaks: What verification found; not empty means that the release cannot be exported.
    """

    release_id: str
    is_new: bool
    is_current: bool
    is_stored: bool
    splits: dict[str, dict[str, Any]]
    preferences: dict[str, int]
    uncategorised: int
    withheld: int
    contaminated: int = 0
    flagged: int = 0
    thin_categories: dict[str, int] = field(default_factory=dict)
    leaks: list[Leak] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Examples in the release."""
        return sum(int(split["size"]) for split in self.splits.values())

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {**vars(self), "leaks": [vars(leak) for leak in self.leaks]}


def freeze_release(
    project: Project, warehouse: Warehouse, size: int | Literal["max"] | None = None, threads: int | None = None
) -> ReleaseReport:
    """Balances what is kept and freezes it.

    Args:
        project: Settings and pack.
        warehouse: The open database.
        size: Overrides `balance.size`.
        threads: Threads of the near-duplicate join; the result does not depend on it.
    """
    plan = _plan(project, warehouse, size, threads)
    # The file first: a release that a kill left without one would never get it, a file without a release does no harm.
    write_lock(project, plan.report.release_id, plan.lock, plan.members)
    if not plan.report.is_stored:
        _write(warehouse, plan)
    return plan.report


def plan_release(
    project: Project, warehouse: Warehouse, size: int | Literal["max"] | None = None, threads: int | None = None
) -> ReleaseReport:
    """Gives the report that `freeze_release` would give now; writes nothing."""
    return _plan(project, warehouse, size, threads).report


@dataclass(frozen=True)
class _Plan:
    """Everything that freezing writes."""

    report: ReleaseReport
    dealt: Dealt
    withheld: "pl.DataFrame"
    members: "pl.DataFrame"
    refused: "pl.DataFrame"
    lock: dict[str, Any]


def list_against(project: Project) -> list[Path]:
    """Gives the further evaluation files that `balance.against` names, seen from the project folder."""
    return [project.root / path for path in project.config.balance.against]


def _plan(project: Project, warehouse: Warehouse, size: int | Literal["max"] | None, threads: int | None) -> _Plan:
    import polars as pl

    wanted = project.config.balance.size if size is None else size
    # With the rows that an earlier balance withheld: whether they still join two splits is judged anew.
    kept = warehouse.read("candidate_examples")
    texts = warehouse.read("screened_texts")
    ledger = warehouse.read("split_ledger")
    pairs = find_graph_pairs(texts, ledger, project.config.split.threshold, threads)
    dealt = _deal(project, texts, kept, pairs, ledger)
    contaminated = find_contaminated(texts, read_cases(project.pack, list_against(project)))
    guarded = find_guarded(texts, dealt.units, warehouse.read("feedback_events"), project.config.feedback)
    withheld = (
        pl.concat([dealt.withheld, contaminated, guarded])
        .unique("subject_id", keep="first", maintain_order=True)
        .sort("subject_id")
    )
    kept = kept.join(withheld, left_on="id", right_on="subject_id", how="anti")
    rows = _selectable_rows(kept, dealt)
    if not project.config.balance.include_flagged:
        rows = rows.filter(~rows["is_flagged"])
    selections = _select(project, rows, wanted)
    members = _list_members(rows, selections)
    lock = _describe(project, warehouse, members, wanted)
    release_id = make_release_id(lock)
    leaks = find_leaks(members, dealt.units, pairs)
    known = warehouse.read("releases")["id"].to_list()
    report = ReleaseReport(
        release_id=release_id,
        is_new=release_id not in known,
        is_current=known[:1] == [release_id],
        is_stored=known[:1] == [release_id] and _is_stored(warehouse, dealt, withheld, lock, release_id),
        splits={split: _describe_selection(selection) for split, selection in selections.items()},
        preferences=_count_preferences(members, rows),
        uncategorised=kept.filter(kept["category"].is_null() & kept["rejected"].is_null()).height,
        withheld=dealt.withheld.height,
        contaminated=contaminated.height,
        flagged=0 if project.config.balance.include_flagged else int(kept["is_flagged"].sum()),
        thin_categories={
            name: dealt.units_per_category.get(name, 0)
            for name in find_targets(project)
            if dealt.units_per_category.get(name, 0) < FEW_UNITS
        },
        leaks=leaks,
    )
    awaiting = kept.filter(kept["is_flagged"]) if not project.config.balance.include_flagged else kept.clear()
    return _Plan(report, dealt, withheld, members, _refuse(selections, kept, awaiting), lock)


def find_graph_pairs(
    texts: "pl.DataFrame", ledger: "pl.DataFrame", threshold: float, threads: int | None = None
) -> "pl.DataFrame":
    """Gives the near-duplicate edges that dealing needs: a spanning set, but every pair where rows will be withheld.

    Args:
        texts: All current rows: `id`, `messages`, `rejected`, `unit_keys`.
        ledger: What is dealt already: `key_kind`, `key`, `split`.
        threshold: Jaccard similarity from which two texts are tied.
        threads: The result does not depend on it.
    """
    pairs = find_unit_pairs(texts, threshold, threads)
    torn = texts.filter(texts["id"].is_in(list_torn(texts, pairs, ledger)))
    if not torn.height:
        return pairs
    return pairs.vstack(find_unit_pairs(torn, threshold, threads, spanning=False))


def find_unit_pairs(
    texts: "pl.DataFrame", threshold: float, threads: int | None = None, *, spanning: bool = True
) -> "pl.DataFrame":
    """Gives the near-duplicate edges of the unit graph.

    All current rows take part, kept or not, with prompt and answer in full; a preference with both of its answers.
    The join is exact: no pair at or above the threshold is missed.

    Args:
        texts: `id`, `messages`, `rejected`.
        threshold: Jaccard similarity from which two texts are tied.
        threads: The result does not depend on it.
        spanning: Only as many edges as keep the components what they are.

    Returns:
        `left_id`, `right_id`.
    """
    import polars as pl

    chosen = texts.select("id", "messages")
    losing = texts.filter(pl.col("rejected").is_not_null()).select("id", "messages", "rejected")
    both = pl.concat([chosen, losing.with_columns(_swap_answer(losing)).drop("rejected")])
    full = flatten_messages(both.select("messages"))["full"]
    pairs = find_pairs(full, threshold, "exact", spanning=spanning, num_threads=threads)
    ids = both["id"]
    named = pl.DataFrame({"left_id": ids.gather(pairs["left"]), "right_id": ids.gather(pairs["right"])})
    return named.filter(pl.col("left_id") != pl.col("right_id"))


def make_release_id(lock: dict[str, Any]) -> str:
    """Gives the id of a release: a hash of all that it is made of."""
    return make_id("release", dump_canonical(lock))[:RELEASE_ID_LENGTH]


def name_members(members: "pl.DataFrame") -> str:
    """Gives a hash of members (in order of id) with their splits and categories."""
    rows = members.select("example_id", "split", "category").iter_rows()
    return make_id(*(f"{example}:{split}:{category}" for example, split, category in rows))


def write_lock(project: Project, release_id: str, lock: dict[str, Any], members: "pl.DataFrame") -> None:
    """Writes `releases/<id>/corpus.lock` whole or not at all; an existing one with the same bytes stays."""
    from curator.atomic import write_file

    rows = members.sort("split", "example_id").select("example_id", "split", "category", "unit_id").rows()
    text = orjson.dumps({"release": release_id, **lock, "members": rows}, option=orjson.OPT_INDENT_2)
    path = project.releases / release_id / "corpus.lock"
    if not path.exists() or path.read_bytes() != text:
        write_file(path, text)


def _swap_answer(losing: "pl.DataFrame") -> "pl.Series":
    import polars as pl

    swapped = [
        orjson.dumps(orjson.loads(messages)[:-1] + orjson.loads(rejected)).decode()
        for messages, rejected in losing.select("messages", "rejected").iter_rows()
    ]
    return pl.Series("messages", swapped, dtype=pl.String)


def _deal(
    project: Project, texts: "pl.DataFrame", kept: "pl.DataFrame", pairs: "pl.DataFrame", ledger: "pl.DataFrame"
) -> Dealt:
    import polars as pl

    is_synthetic = (pl.col("source") == "synthetic").alias("is_synthetic")
    examples = texts.select("id", "unit_keys", is_synthetic).join(
        kept.select("id", "category", pl.lit(value=True).alias("is_kept")), on="id", how="left"
    )
    return deal_splits(
        examples.with_columns(pl.col("is_kept").fill_null(value=False)),
        pairs,
        ledger,
        project.config.split,
    )


def _selectable_rows(kept: "pl.DataFrame", dealt: Dealt) -> "pl.DataFrame":
    import polars as pl

    placed = dealt.units.filter(pl.col("split").is_not_null())
    thread = pl.col("unit_keys").list.eval(
        pl.element().filter(pl.element().str.starts_with("thread:") | pl.element().str.starts_with("video:"))
    )
    return kept.join(placed, left_on="id", right_on="example_id").with_columns(
        (pl.col("source") == "synthetic").alias("is_synthetic"), thread.list.first().alias("thread")
    )


def _select(project: Project, rows: "pl.DataFrame", wanted: int | Literal["max"]) -> dict[str, Selection]:
    import polars as pl

    config = project.config
    shares = {split: float(getattr(config.split, split)) for split in SPLITS}
    sizes: dict[str, Any] = dict.fromkeys(SPLITS, "max") if wanted == "max" else round_shares(shares, wanted)
    examples = rows.filter(pl.col("rejected").is_null() & pl.col("category").is_not_null())
    targets = find_targets(project)
    selections: dict[str, Selection] = {}
    taken: Counter[str] = Counter()
    for split in SPLITS:
        mine = examples.filter(split=split)
        selections[split] = select_rows(mine, targets, config.balance, config.seed, sizes[split], taken)
        chosen = mine.join(selections[split].chosen, on="id", how="semi")
        taken.update(chosen["author_hash"].drop_nulls())
    return selections


def _list_members(rows: "pl.DataFrame", selections: dict[str, Selection]) -> "pl.DataFrame":
    import polars as pl

    chosen = pl.concat([selection.chosen.select("id") for selection in selections.values()])
    preferences = rows.filter(pl.col("rejected").is_not_null()).select("id")
    return (
        rows.join(pl.concat([chosen, preferences]), on="id", how="semi")
        .select(pl.col("id").alias("example_id"), "split", "category", "unit_id")
        .sort("example_id")
    )


def _describe(
    project: Project, warehouse: Warehouse, members: "pl.DataFrame", wanted: int | Literal["max"]
) -> dict[str, Any]:
    config = project.config.model_copy(
        update={"balance": project.config.balance.model_copy(update={"size": wanted})}
    ).model_dump(mode="json", include={"pack", "seed", "screen", "categorise", "dedup", "split", "balance"})
    config["pack"] = project.pack.name
    stages = ("extract", "screen", "categorise", "dedup")
    return {
        "format": LOCK_FORMAT,
        "curator": version("corpus-curator"),
        "pack": project.pack.name,
        "pack_fingerprint": fingerprint_pack(project.pack),
        "config": config,
        "targets": find_targets(project),
        "stages": {stage: warehouse.read_value("stage_fingerprint", stage=stage) for stage in stages},
        "members_id": name_members(members),
    }


def _describe_selection(selection: Selection) -> dict[str, Any]:
    return {
        "size": selection.size,
        "counts": selection.counts,
        "targets": {name: round(share, 6) for name, share in selection.targets.items()},
        "missing": selection.missing,
        "shortfalls": [vars(shortfall) for shortfall in selection.shortfalls],
    }


def _count_preferences(members: "pl.DataFrame", rows: "pl.DataFrame") -> dict[str, int]:
    import polars as pl

    preferences = rows.filter(pl.col("rejected").is_not_null())["id"].implode()
    found = members.filter(pl.col("example_id").is_in(preferences)).group_by("split").len()
    return {str(split): int(count) for split, count in found.sort("split").iter_rows()}


def _is_stored(
    warehouse: Warehouse, dealt: Dealt, withheld: "pl.DataFrame", lock: dict[str, Any], release_id: str
) -> bool:
    """Whether the latest balance wrote these units and withheld these rows: new rows may change that, not the release."""
    in_force = {stage: warehouse.read_value("stage_fingerprint", stage=stage) for stage in ("split", "balance")}
    return (
        in_force == {"split": _fingerprint_split(withheld, lock), "balance": release_id}
        and dealt.ledger.is_empty()
        and warehouse.read("units").equals(dealt.units.drop("split").sort("example_id"))
    )


def _fingerprint_split(withheld: "pl.DataFrame", lock: dict[str, Any]) -> str:
    return fingerprint_stage("split", withheld["subject_id"].to_list(), lock["stages"]["dedup"])


def _write(warehouse: Warehouse, plan: _Plan) -> None:
    """Stores ledger, units, verdicts and the release in one transaction."""
    dealt, report = plan.dealt, plan.report
    split_print = _fingerprint_split(plan.withheld, plan.lock)
    with warehouse.transaction():
        warehouse.append("split_ledger", dealt.ledger)
        warehouse.run("clear_units")
        warehouse.append("unit", dealt.units.drop("split"))
        if warehouse.read_value("stage_fingerprint", stage="split") != split_print:
            warehouse.append("verdict", plan.withheld, {"stage": "split", "fingerprint": split_print})
            warehouse.run("keep_stage", stage="split", fingerprint=split_print)
        if report.is_new:
            warehouse.append("verdict", plan.refused, {"stage": "balance", "fingerprint": report.release_id})
            warehouse.append("release_member", plan.members, {"release_id": report.release_id})
            warehouse.run(
                "keep_release",
                id=report.release_id,
                is_verified=not report.leaks,
                lock=dump_canonical(plan.lock),
                report=dump_canonical(report.as_dict()),
            )
        # Settings or rows may lead back to a release that exists: it is the latest again.
        warehouse.run("raise_release", id=report.release_id)
        warehouse.run("keep_stage", stage="balance", fingerprint=report.release_id)


def _refuse(selections: dict[str, Selection], kept: "pl.DataFrame", awaiting: "pl.DataFrame") -> "pl.DataFrame":
    import polars as pl

    refused = pl.concat([selection.refused for selection in selections.values()])
    unsure = kept.filter(pl.col("category").is_null() & pl.col("rejected").is_null())
    parts = [
        refused,
        unsure.select("id", pl.lit("uncategorised").alias("reason")),
        awaiting.select("id", pl.lit("awaiting_review").alias("reason")),
    ]
    rows = pl.concat(parts).sort("id").iter_rows()
    return verdict_frame({"subject_id": i, "is_kept": False, "reason": reason} for i, reason in rows)
