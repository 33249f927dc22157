import random

import polars as pl
import pytest

from curator.dedup import DedupError, find_duplicates
from curator.dedup.daft_engine import find_duplicates_daft

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def make_rows(num_rows: int) -> pl.DataFrame:
    generator = random.Random(11)
    words = [f"w{at}" for at in range(3000)]
    texts: list[str] = ["", "one", "One!"]
    while len(texts) < num_rows:
        if generator.random() < 0.4:
            copy = generator.choice(texts).split() or ["new"]
            copy[generator.randrange(len(copy))] = generator.choice(words)
            texts.append(" ".join(copy))
        else:
            texts.append(" ".join(generator.choices(words, k=generator.randint(8, 50))))
    return pl.DataFrame(
        {
            "id": [f"row{at:06d}" for at in range(num_rows)],
            "text": texts,
            "rank": [generator.randrange(3) for _ in range(num_rows)],
        }
    )


def test_daft_keeps_and_removes_what_one_machine_does(tmp_path):
    daft = pytest.importorskip("daft", reason='daft is not installed: pip install "corpus-curator[scale]"')
    rows = make_rows(3000)
    rows.write_parquet(tmp_path / "rows.parquet")
    ours = find_duplicates(rows["text"], ids=rows["id"], rank=rows["rank"])
    theirs = find_duplicates_daft(daft.read_parquet(str(tmp_path / "*.parquet")), rank_column="rank")
    assert len(ours.removed) > 150
    assert theirs.kept.sort("id").equals(ours.kept.sort("id"))
    assert theirs.removed.sort("id").equals(ours.removed.sort("id"))
    assert theirs.capped == ours.capped
    assert theirs.num_empty == ours.num_empty


def test_deciding_in_parts_gives_what_deciding_at_once_gives(tmp_path):
    daft = pytest.importorskip("daft", reason='daft is not installed: pip install "corpus-curator[scale]"')
    rows = make_rows(1500)
    rows.write_parquet(tmp_path / "rows.parquet")
    stored = daft.read_parquet(str(tmp_path / "*.parquet"))
    ours = find_duplicates(rows["text"], ids=rows["id"], rank=rows["rank"])
    theirs = find_duplicates_daft(stored, rank_column="rank", max_driver_pairs=len(ours.pairs) // 5)
    whole = find_duplicates_daft(stored, rank_column="rank")
    for name in ("kept", "removed"):
        assert getattr(theirs, name).sort("id").equals(getattr(ours, name).sort("id"))
    assert theirs.pairs.equals(whole.pairs)
    assert (theirs.num_cut, theirs.num_empty) == (whole.num_cut, whole.num_empty)


def test_without_daft_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "daft", None)
    with pytest.raises(DedupError, match="daft is not installed") as caught:
        find_duplicates_daft(None)
    assert "scale" in caught.value.hint
