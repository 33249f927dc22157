"""What the generator is held to: speed beside a bare `str.format` loop, truth, and diversity.

Run: python bench/synthetic.py speed|truth|mutation|diversity [pack] [rows]

`speed` streams rows into the warehouse of a new project, by the way that `curator ingest synthetic` takes: drawn,
decided, put into words, made documents with their ids, checked and inserted. After every transaction a bare loop
formats as many conversations, so that both meet the same machine; the ratio is taken of each pair and of the whole
run, with opening and closing the database on our side. The loop fills whole texts of a sample, one `str.format` a
conversation: questions, answers and follow-up turns in the very length in which they are stored, with a slot wherever
a drawn value stands. Nothing is drawn, decided, picked, escaped, hashed or stored there, and the metadata, which are
longer than the turns, are not written.
"""

import json
import random
import re
import resource
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from curator.diversity import measure_diversity
from curator.ingest import IngestReport, ingest_source
from curator.project import open_project
from curator.scaffold import make_project
from curator.truth import change_advice, check_example, check_truth
from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.synthetic import SyntheticOptions, SyntheticSource
from warehouse import open_warehouse

_SAMPLE_ROWS = 4000
_DEFAULT_ROWS = {"speed": 1_000_000, "truth": 100_000, "mutation": 5_000, "diversity": 10_000}


def make_source(pack_name: str, rows: int) -> SyntheticSource:
    context = SourceContext(root=Path("/"), pack=load_pack(pack_name))
    return SyntheticSource(SyntheticOptions(count=rows), context)


def read_rows(pack_name: str, rows: int) -> Iterator[tuple[str, str]]:
    for batch in make_source(pack_name, rows).read(None):
        for content, metadata in zip(batch.documents["content"], batch.documents["metadata"], strict=True):
            yield content[len('{"messages":') : -1], metadata


class FormatLoop:
    """The yardstick."""

    def __init__(self, pack_name: str) -> None:
        documents = next(iter(make_source(pack_name, _SAMPLE_ROWS).read(None))).documents
        pairs = zip(documents["content"], documents["metadata"], strict=True)
        self.pairs = [_make_template(content, json.loads(metadata)["variables"]) for content, metadata in pairs]

    def time(self, rows: int) -> float:
        todo = (self.pairs * (rows // len(self.pairs) + 1))[:rows]
        start = time.perf_counter()
        for template, values in todo:
            template.format(**values)
        return time.perf_counter() - start


def _make_template(content: str, values: dict[str, object]) -> tuple[str, dict[str, str]]:
    """Gives the text of a row with slots where its values stand, and the values that it uses."""
    template = content.replace("{", "{{").replace("}", "}}")
    spelled = {name: str(value) for name, value in values.items() if len(str(value)) > 1}
    for name, text in sorted(spelled.items(), key=lambda item: -len(item[1])):
        template = re.sub(rf"(?<![\w{{.]){re.escape(text)}(?![\w}}.])", f"{{{name}}}", template, count=2)
    used = {name: text for name, text in spelled.items() if f"{{{name}}}" in template}
    try:
        template.format(**used)
    except (KeyError, ValueError, IndexError):
        return content.replace("{", "{{").replace("}", "}}"), {}
    return template, used


def report_speed(pack_name: str, rows: int) -> None:
    loop = FormatLoop(pack_name)
    stored: list[float] = []
    bare: list[float] = []
    sizes: list[int] = []
    with tempfile.TemporaryDirectory() as folder:
        project = open_project(make_project(Path(folder) / "project", pack_name).parent)
        since = time.perf_counter()

        def compare(report: IngestReport) -> None:
            nonlocal since
            stored.append(time.perf_counter() - since)
            sizes.append(report.read - sum(sizes))
            bare.append(loop.time(sizes[-1]))
            since = time.perf_counter()

        with open_warehouse(project.database) as warehouse:
            ingest_source(project, warehouse, "synthetic", {"count": rows}, compare)
        closing = time.perf_counter() - since
        size_gb = project.database.stat().st_size / 1e9
    ratio = statistics.median(b / s for b, s in zip(bare, stored, strict=True))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{pack_name}: {sum(sizes):,} examples into the warehouse in {sum(stored) + closing:,.1f} s, {size_gb:.2f} GB"
    )
    print(
        f"stored {sum(sizes) / (sum(stored) + closing):,.0f} rows/s, format loop {sum(sizes) / sum(bare):,.0f} rows/s"
    )
    print(
        f"ratio: {ratio:.0%} (median of {len(sizes)} transactions), {sum(bare) / (sum(stored) + closing):.0%} (whole run)"
    )
    print(f"peak memory {peak_mb:,.0f} MB")


def report_truth(pack_name: str, rows: int) -> None:
    pairs = list(read_rows(pack_name, rows))
    report = check_truth((messages for messages, _ in pairs), (metadata for _, metadata in pairs))
    print(
        f"{pack_name}: {report.count:,} examples, the rule recomputed from the text of {sum(report.recomputed.values()):,}"
    )
    print(f"{len(report.violations)} violations, {sum(report.unread.values())} without the numbers they need")
    for violation in report.violations[:5]:
        print(violation.row, violation.topic, violation.faults, pairs[violation.row][0])


def report_mutations(pack_name: str, rows: int) -> None:
    """Changes the advised number in the answer and counts how often the checker notices."""
    source = random.Random(17)
    outcomes: Counter[bool] = Counter()
    missed: Counter[str] = Counter()
    for messages, metadata in read_rows(pack_name, rows):
        changed = change_advice(messages, metadata, source)
        if changed is None:
            continue
        is_caught = bool(check_example(changed, metadata))
        outcomes[is_caught] += 1
        if not is_caught:
            missed[json.loads(metadata)["rule"]] += 1
    print(f"{pack_name}: {outcomes[True]:,} of {outcomes.total():,} changed answers noticed", end=" ")
    print(f"({outcomes[True] / max(outcomes.total(), 1):.2%}); missed: {dict(missed)}")


def report_diversity(pack_name: str, rows: int) -> None:
    pairs = list(read_rows(pack_name, rows))
    found = measure_diversity([messages for messages, _ in pairs], [metadata for _, metadata in pairs])
    print(f"{pack_name}: of {found.count:,} examples, numbers masked, true Jaccard 0.8 on 3-word shingles:")
    print(f"{found.masked.conversations:,} whole, {found.masked.answers:,} answers survive; {found.triples:,} triples")
    print(f"top opening {found.top_opening_ratio:.2%}, most repeated masked answer {found.most_repeated_answer} times")


def main() -> None:
    what = sys.argv[1] if len(sys.argv) > 1 else "speed"
    pack_name = sys.argv[2] if len(sys.argv) > 2 else "fitness"
    rows = int(sys.argv[3]) if len(sys.argv) > 3 else _DEFAULT_ROWS[what]
    reports = {
        "speed": report_speed,
        "truth": report_truth,
        "mutation": report_mutations,
        "diversity": report_diversity,
    }
    reports[what](pack_name, rows)


if __name__ == "__main__":
    main()
