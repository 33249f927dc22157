"""Generated rows a second against a bare `str.format` loop over the same texts.

Run: python bench/synthetic.py [pack] [rows]

The yardstick fills the very texts of a sample: every drawn value of a row (its metadata) is turned into a slot of a
format string again, and all strings are formatted in a loop, with nothing drawn, decided, picked, hashed or stored.
"""

import json
import re
import sys
import tempfile
import time
from pathlib import Path

from sources.packs.loader import load_pack
from sources.protocol import SourceContext
from sources.synthetic import SyntheticOptions, SyntheticSource

_SAMPLE_ROWS = 4000


def make_source(pack_name: str, rows: int) -> SyntheticSource:
    context = SourceContext(root=Path("/"), pack=load_pack(pack_name))
    return SyntheticSource(SyntheticOptions(count=rows), context)


def time_format_loop(pack_name: str, rows: int) -> float:
    documents = next(iter(make_source(pack_name, _SAMPLE_ROWS).read(None))).documents
    pairs = [
        _make_template(content, json.loads(metadata)["variables"])
        for content, metadata in zip(documents["content"], documents["metadata"], strict=True)
    ]
    start = time.perf_counter()
    for _ in range(rows // len(pairs)):
        for template, values in pairs:
            template.format(**values)
    return rows // len(pairs) * len(pairs) / (time.perf_counter() - start)


def _make_template(content: str, values: dict[str, object]) -> tuple[str, dict[str, object]]:
    template = content.replace("{", "{{").replace("}", "}}")
    spelled = {name: str(value) for name, value in values.items() if len(str(value)) > 1}
    for name, text in sorted(spelled.items(), key=lambda item: -len(item[1])):
        template = re.sub(rf"(?<![\w{{.]){re.escape(text)}(?![\w}}.])", f"{{{name}}}", template, count=2)
    try:
        template.format(**spelled)
    except (KeyError, ValueError, IndexError):
        return content.replace("{", "{{").replace("}", "}}"), spelled
    return template, spelled


def time_generator(pack_name: str, rows: int) -> float:
    start = time.perf_counter()
    made = sum(batch.documents.height for batch in make_source(pack_name, rows).read(None))
    return made / (time.perf_counter() - start)


def time_into_duckdb(pack_name: str, rows: int) -> float:
    import duckdb

    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / "bench.db")) as connection:
        for number, batch in enumerate(make_source(pack_name, rows).read(None)):
            documents = batch.documents.to_arrow()
            connection.register("documents", documents)
            verb = "insert into rows" if number else "create table rows as"
            connection.execute(f"{verb} select * from documents")
            connection.unregister("documents")
    return rows / (time.perf_counter() - start)


def main() -> None:
    pack_name = sys.argv[1] if len(sys.argv) > 1 else "fitness"
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
    base = time_format_loop(pack_name, min(rows, 100_000))
    made, stored = time_generator(pack_name, rows), time_into_duckdb(pack_name, rows)
    import resource

    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{pack_name}: format loop {base:,.0f} rows/s, generator {made:,.0f} ({made / base:.0%}),")
    print(f"into DuckDB {stored:,.0f} ({stored / base:.0%}), {rows:,} rows, peak {peak_mb:,.0f} MB")


if __name__ == "__main__":
    main()
