"""Clusters of near-duplicates as a person reads them: the representative, and each member as a word diff."""

import difflib
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from curator.dedup import choose_bands
from curator.removals import PAIR_FLOOR
from curator.thresholds import count_thresholds
from warehouse import Warehouse

OTHER_THRESHOLDS = (0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 1.0)
CONTEXT_WORDS = 4


@dataclass(frozen=True)
class DuplicatesReport:
    """What dedup found.

    Attributes:
        clusters: The largest ones: `cluster_id`, `representative` (text), `members` (id, source, similarity, text).
        similarities: Of every removed row to its representative.
        removals: Rows that would go at other thresholds; empty unless asked for.
    """

    clusters: list[dict[str, Any]]
    similarities: list[float]
    removals: dict[float, int]

    def as_dict(self) -> dict[str, Any]:
        """Gives the report as JSON values."""
        return {
            "clusters": self.clusters,
            "removed": len(self.similarities),
            "removals": {str(threshold): count for threshold, count in self.removals.items()},
        }


def read_duplicates(snapshot: Warehouse, limit: int, *, with_thresholds: bool = False) -> DuplicatesReport:
    """Reads the largest clusters from a snapshot.

    Args:
        snapshot: An open snapshot.
        limit: Clusters to read.
        with_thresholds: Count removals at `OTHER_THRESHOLDS`, from stored pairs.
    """
    rows = snapshot.read("duplicate_members", limit=limit).to_dicts()
    clusters: dict[str, dict[str, Any]] = {}
    for row in rows:
        text = f"{row['prompt']}\n{row['answer']}"
        if row["is_representative"]:
            clusters[row["cluster_id"]] = {
                "cluster_id": row["cluster_id"], "source": row["source"], "representative": text, "members": []
            }  # fmt: skip
        else:
            clusters[row["cluster_id"]]["members"].append(
                {"id": row["id"], "source": row["source"], "similarity": row["similarity"], "text": text}
            )
    similarities = snapshot.read("similarities")["similarity"].to_list()
    counts = count_thresholds(snapshot).counts if with_thresholds else []
    removals = {row["threshold"]: row["removed"] for row in counts if row["threshold"] in OTHER_THRESHOLDS}
    return DuplicatesReport(list(clusters.values()), similarities, removals)


def show_duplicates(report: DuplicatesReport) -> None:
    """Shows clusters with word diffs, then the counts at other thresholds."""
    from curator.cli.output import make_console, print_table

    console = make_console(is_stderr=False)
    for cluster in report.clusters:
        console.print(f"cluster {cluster['cluster_id'][:12]}: {len(cluster['members']) + 1} rows", style="bold")
        console.print(Text(f"  kept ({cluster['source']}): " + " ".join(cluster["representative"].split())[:200]))
        for member in cluster["members"][:5]:
            console.print(f"  {member['similarity']:.3f} {member['source']} {member['id'][:12]}", style="dim")
            console.print(Text("    ") + diff_words(cluster["representative"], member["text"]))
        if len(cluster["members"]) > 5:
            console.print(f"  and {len(cluster['members']) - 5} more", style="dim")
    print_table("", ["removed near-duplicates", "rows"], [["all", len(report.similarities)]])
    if report.removals:
        recall = choose_bands(PAIR_FLOOR).recall_at
        rows = [[f"{at:.2f}", count, f"{recall(at):.4%}"] for at, count in report.removals.items()]
        print_table("at other thresholds", ["Jaccard at least", "rows removed", "pairs found right at it"], rows)


def diff_words(kept: str, removed: str) -> Text:
    """Gives what a removed text changes: words that it lacks in [-...-], words of its own in {+...+}."""
    left, right = kept.split(), removed.split()
    text = Text()
    for operation, a, b, c, d in difflib.SequenceMatcher(a=left, b=right, autojunk=False).get_opcodes():
        if operation == "equal":
            words = left[a:b]
            cut = words if len(words) <= 2 * CONTEXT_WORDS else [*words[:CONTEXT_WORDS], "…", *words[-CONTEXT_WORDS:]]
            text.append(" ".join(cut) + " ")
            continue
        if b > a:
            text.append(f"[-{' '.join(left[a:b])}-] ", style="red")
        if d > c:
            text.append(f"{{+{' '.join(right[c:d])}+}} ", style="green")
    return text
