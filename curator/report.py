"""What commands show of their reports: short tables of at most 100 columns."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from curator.cli.output import print_table, say, spell_command

if TYPE_CHECKING:
    from curator.balance.release import ReleaseReport
    from curator.categorise.evaluation import CategoryReport
    from curator.curate import CurateReport
    from curator.demo import DemoReport
    from curator.doctor import Finding
    from curator.export import ExportReport
    from curator.forget import ForgetReport
    from curator.ingest import IngestReport
    from curator.pipeline import PipelineReport
    from curator.statistics import Statistics
    from warehouse import Warehouse

MAX_FAULTS = 10


def show_ingest(report: "IngestReport", *, is_preview: bool = False) -> None:
    """Shows what a source gave: one line, the refusals by reason, the damaged places."""
    verb = "would read" if is_preview else "read"
    tail = "" if is_preview else f", {report.added:,} new"
    say(f"{report.source}: {verb} {report.read:,} documents{tail}")
    if report.revived:
        say(f"  {report.revived:,} earlier versions are current again")
    if report.blocked:
        say(f"  {report.blocked:,} kept out by a tombstone")
    for reason, count in sorted(report.rejections.items()):
        say(f"  refused: {reason} ({count:,})")
    for fault in report.faults[:MAX_FAULTS]:
        say(f"  {fault.where}: {fault.reason}: {fault.detail}")
    if report.num_faults > MAX_FAULTS:
        say(f"  ... {report.num_faults - MAX_FAULTS:,} more: curator sql --saved faults")
    for note in report.notes:
        say(f"  {note}")
    if report.stopped:
        say(f"  stopped: {report.stopped}")
        say(f"  → {report.hint or 'type the same command to go on'}")


def show_pending(pending: Mapping[str, int]) -> None:
    """Shows what curate would do."""
    print_table("curate would do", ["what", "number"], [[key, value] for key, value in pending.items()])


def show_curate(report: "CurateReport", snapshot: "Warehouse") -> None:
    """Shows what this run did and how the corpus stands."""
    from curator.statistics import read_statistics

    say(
        f"extracted {report.extracted:,} inputs into {report.examples:,} rows, screened {report.screened:,}, "
        f"categorised {report.categorised:,}; {report.removed:,} duplicates are out"
    )
    for alarm in report.alarms:
        say(f"alarm: {alarm}")
    found = read_statistics(snapshot)
    unnamed = found.funnel["kept"] - found.funnel["categorised"]
    if unnamed:
        say(
            f"{unnamed:,} kept rows have no category (curator sql --saved uncategorised): curator review relabel names "
            "it, for pages also `category:` in the front matter or the folder"
        )
    _show_reasons(found.rejected)
    _show_mix(found.mix)


def show_release_report(report: "ReleaseReport", *, is_preview: bool = False) -> None:
    """Shows a release as just frozen."""
    word = "would be" if is_preview else ("frozen" if report.is_new else "unchanged")
    show_stored_release({**report.as_dict(), "state": word})


def show_waiting(documents: int) -> None:
    """Says how many documents nothing was made of yet, where there are some."""
    from curator.statistics import explain_uncurated

    if documents:
        say(explain_uncurated(documents))


def show_stored_release(report: Mapping[str, Any]) -> None:
    """Shows mix by split, and what keeps the release from being larger."""
    splits: Mapping[str, Any] = report["splits"]
    names = list(next(iter(splits.values()))["counts"])
    total = sum(int(split["size"]) for split in splits.values())
    targets = next(iter(splits.values()))["targets"]
    rows: list[list[Any]] = []
    for name in names:
        counts = [int(split["counts"][name]) for split in splits.values()]
        share = 100 * sum(counts) / total if total else 0.0
        rows.append([name, f"{100 * targets.get(name, 0):.1f}", f"{share:.1f}", *counts])
    rows.append(["all", "100.0", "100.0" if total else "0.0", *(int(split["size"]) for split in splits.values())])
    title = f"release {report['release_id']} ({report.get('state', 'frozen')}): {total:,} rows"
    print_table(title, ["category", "target %", "share %", *splits], rows)
    for line in explain_release(report):
        say(line)


LEFT_OUT = {
    "uncategorised": "{:,} kept rows have no category and are left out (curator sql --saved uncategorised)",
    "flagged": "{:,} kept rows carry a safety flag and wait for a reviewer (curator review)",
    "withheld": "{:,} rows are withheld because they would join two splits",
    "contaminated": "{:,} rows are withheld because they share wording with an evaluation case",
}


def explain_release(report: Mapping[str, Any]) -> Iterable[str]:
    """Gives what a person should know of a release, a line each."""
    yield from _explain_missing(report["splits"])
    for split, found in report["splits"].items():
        for shortfall in found["shortfalls"][:3]:
            lacking = f"lacks {shortfall['rows_lacking']:,} rows" if shortfall["rows_lacking"] else "binds"
            yield f"{split}: {shortfall['what']} {lacking}; without that limit {shortfall['size_without']:,} rows"
    yield from (text.format(report[key]) for key, text in LEFT_OUT.items() if report.get(key))
    if report["thin_categories"] and any(found["size"] for found in report["splits"].values()):
        thin = ", ".join(f"{name} ({units:,})" for name, units in report["thin_categories"].items())
        yield f"few units, so that validation and test rows say little: {thin}"
    if any(report["preferences"].values()):
        yield "preferences: " + ", ".join(f"{split} {count:,}" for split, count in report["preferences"].items())
    for leak in report["leaks"][:5]:
        yield f"LEAK {leak['reason']}: {leak['left']} ({leak['left_split']}) ~ {leak['right']} ({leak['right_split']})"


def _explain_missing(splits: Mapping[str, Any]) -> Iterable[str]:
    """Gives a line for the splits that lack the same categories, or one for all where there is no row at all."""
    if not any(found["size"] for found in splits.values()):
        yield "no kept row has a category of the target mix: curator curate makes rows, curator stats says why not"
        return
    lacking: dict[str, list[str]] = {}
    for split, found in splits.items():
        if found["missing"]:
            lacking.setdefault(", ".join(found["missing"]), []).append(split)
    for names, lacked in lacking.items():
        yield f"{', '.join(lacked)}: no row of {names} can be had; the other shares keep their proportion"


def show_export(report: "ExportReport", *, is_preview: bool = False) -> None:
    """Shows where an export lies, its rows and what may be done with it."""
    state = "would be written" if is_preview else ("written" if report.is_new else "unchanged")
    rows = ", ".join(f"{split} {count:,}" for split, count in report.rows.items())
    say(f"{report.format}: {rows}; {state}: {report.path}")
    for reason, count in report.left_out.items():
        say(f"  left out: {reason} ({count:,})")
    if report.rights["unknown_permission"]:
        say(
            f"  not for publication: {report.rights['unknown_permission']:,} rows of unknown permission "
            "(--policy publishable leaves them out)"
        )
    else:
        say(f"  licence: {report.rights['licence']}")


def show_stats(found: "Statistics") -> None:
    """Shows the funnel, the mix, the sources and the splits."""
    print_table("", ["documents to corpus", "rows"], [[key.replace("_", " "), n] for key, n in found.funnel.items()])
    _show_reasons(found.rejected)
    if found.flags:
        rows = [[flag["stage"], flag["reason"], flag["rows"]] for flag in found.flags]
        print_table("flags and notes on kept rows", ["stage", "reason", "rows"], rows)
    _show_mix(found.mix)
    columns = ["source", "documents", "examples", "kept", "kept_tokens", "refused_input"]
    print_table("sources", columns, [[row[key] for key in columns] for row in found.sources])
    if found.splits:
        print_table("last release", ["split", "rows"], [[split, rows] for split, rows in found.splits.items()])


def show_pipeline(report: "PipelineReport") -> None:
    """Shows all steps of `curator run`."""
    for ingest in report.ingests:
        show_ingest(ingest)
    for alarm in report.curate.alarms if report.curate else []:
        say(f"alarm: {alarm}")
    if report.statistics:
        print_table(
            "",
            ["documents to corpus", "rows"],
            [[key.replace("_", " "), value] for key, value in report.statistics.funnel.items()],
        )
        _show_reasons(report.statistics.rejected)
    if report.release:
        show_release_report(report.release)
    for export in report.exports:
        show_export(export)


def show_demo(report: "DemoReport") -> None:
    """Shows the demo's pipeline, then where everything lies."""
    show_pipeline(report.pipeline)
    rows = [[export.format, str(export.path)] for export in report.pipeline.exports]
    print_table("exports", ["format", "folder"], [*rows, ["picture", str(report.picture)]])
    say(f"{report.seconds:.1f} s. Look further: {spell_command(report.folder, 'stats')} (or sql, why ID)")


def show_forget(report: "ForgetReport", *, is_preview: bool = False) -> None:
    """Shows what was erased, what only others can delete, and the proof."""
    verb = "would be erased" if is_preview else "erased"
    say(f"{report.documents:,} documents and {report.examples:,} examples {verb}")
    if report.events or report.decisions:
        say(f"{report.events:,} events and {report.decisions:,} decisions in the journal of the service {verb}")
    for release in report.releases:
        say(f"  release {release}: withdrawn; curator balance makes a new one")
    for path in report.exports:
        say(f"  export deleted: {path}")
    for path in report.rebuilt:
        say(f"  export written again: {path}")
    for path in report.copies:
        say(f"  a copy lies outside of the project, delete it yourself: {path}")
    for path in report.models:
        say(f"  a model was trained on it; weights cannot forget, delete it and train again: {path}")
    if is_preview:
        return
    for place in report.remains:
        say(f"  STILL FOUND in {place}")
    if not report.remains:
        say("searched every file and every text column of the project: nothing of it is left")


def show_categories(report: "CategoryReport") -> None:
    """Shows how well categories are found."""
    columns = ["category", "precision", "recall", "f1", "rows"]
    print_table("decided rows", columns, [[row[name] for name in columns] for row in report.per_category])
    facts = [
        ["macro-F1 over decided rows", report.macro_f1],
        ["macro-F1 of a plain keyword count", report.baseline_macro_f1],
        ["accuracy where not hard", report.accuracy_not_hard],
        ["share left uncategorised", report.undecided_share],
        ["rows labelled other that are left uncategorised", report.other_kept_out],
    ]
    print_table("", ["measure", "value"], facts)
    wrong = [row for row in report.confusion if row["label"] != row["given"]]
    rows = [[row["label"], row["given"], row["rows"]] for row in sorted(wrong, key=lambda row: -row["rows"])[:12]]
    print_table("most frequent confusions", ["label", "given", "rows"], rows)


def show_verification(found: Mapping[str, Any]) -> None:
    """Shows the proof, or what breaks it."""
    say(
        f"release {found['release']}: {found['members']:,} members, {found['pairs']:,} near-duplicate pairs inside splits"
    )
    for leak in found["leaks"]:
        say(f"LEAK {leak['reason']}: {leak['left']} ({leak['left_split']}) ~ {leak['right']} ({leak['right_split']})")
    if not found["leaks"]:
        say("no unit and no near-duplicate pair lies across splits")


def show_life(life: Mapping[str, Any]) -> None:
    """Shows the life of an example or a document, section by section."""
    if "overlap" in life:
        say(f"most like your text (overlap {life['overlap']:.2f}):")
    rows: list[list[Any]] = [[life["noun"], life["id"]]]
    rows += [[key.replace("_", " "), value] for key, value in life["origin"].items() if value not in (None, "")]
    if life["noun"] != "document":
        rows += _example_facts(life)
    print_table("", ["what", "value"], rows)
    decisions = [
        [
            v["stage"],
            "kept" if v["is_kept"] else "out",
            v["reason"],
            v["score"],
            v["threshold"],
            v["partner"] or v["detail"],
        ]
        for v in life["verdicts"]
    ]
    if decisions:
        print_table("decisions", ["stage", "row is", "reason", "score", "limit", "partner or detail"], decisions)
    else:
        say("no stage has anything against it")
    for turn in life.get("messages", []):
        say(f"[{turn['role']}] {turn['content']}" + (f"\n{turn['input']}" if turn.get("input") else ""))
    for version in life.get("versions", []):
        if version["id"] != life["id"]:
            say(
                f"version {version['id']}"
                + (f" (edited {version['detail']})" if version["detail"] else " (the original)")
            )
            for turn in version["messages"]:
                say(f"  [{turn['role']}] {turn['content']}")
    for example in life.get("examples", []):
        say(f"example {example['id']} {example['span']} {example['prompt'][:60]}")


def show_findings(findings: "Sequence[Finding]") -> None:
    """Shows what doctor found."""
    rows = [["problem" if f.is_problem else "ok", f.what, f.detail] for f in findings]
    print_table("", ["", "what", "found"], rows)


def _example_facts(life: Mapping[str, Any]) -> list[list[Any]]:
    category, split, text = life["category"], life["split"], life["text"]
    sure = f" ({category['confidence']:.2f})" if category["confidence"] is not None else ""
    facts: list[list[Any]] = [
        ["category", f"{category['name'] or 'uncategorised'} by {category['basis']}{sure}"],
        ["evidence", category["evidence"]],
        ["coach role", category["role"]],
        ["text", f"{text['language']}, {text['tokens']} tokens, quality {text['quality']:.2f}"],
        ["split", split["split"] or "not dealt yet"],
        ["unit", f"{split['unit']} ({split['unit_size']} rows)" if split["unit"] else None],
        ["tied by", ", ".join(split["keys"])],
        ["cluster", ", ".join(f"{m['id'][:12]} ({m['similarity']:.2f})" for m in life["cluster"])],
    ]
    for release in life["releases"]:
        facts.append(["release", f"{release['release_id']} in {release['split']}"])
        facts += [["export", path] for path in release["exports"] or []]
    for model in life["models"]:
        facts.append(["model", f"{model['path']}{' (withdrawn)' if model['is_withdrawn'] else ''}"])
        facts += [["deployed as", path] for path in model["deployments"] or []]
    return [fact for fact in facts if fact[1]]


def _show_reasons(rejected: Sequence[Mapping[str, Any]]) -> None:
    rows = [[row["stage"], row["reason"], row["rows"]] for row in rejected if row["stage"] != "balance"]
    if rows:
        print_table("not in the corpus", ["stage", "reason", "rows"], rows)


def _show_mix(mix: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        [row["category"], _percent(row["target_share"]), _percent(row["kept_share"]), row["kept"],
         _percent(row["released_share"]), row["released"]]
        for row in mix
    ]  # fmt: skip
    print_table("mix", ["category", "target %", "kept %", "kept", "released %", "released"], rows)


def _percent(share: float | None) -> str:
    return f"{100 * (share or 0):.1f}"
