import random

import polars as pl
import pytest

from curator.dedup import (
    DedupError,
    compute_signatures,
    count_at_thresholds,
    find_duplicates,
    find_new_pairs,
    find_pairs,
    index,
    resolve_pairs,
    verify_pairs,
)


def make_corpus(num_rows: int, seed: int) -> list[str]:
    generator = random.Random(seed)
    words = [f"w{at}" for at in range(2000)]
    texts: list[str] = ["", "short one", "Short one!"]
    while len(texts) < num_rows:
        if generator.random() < 0.4:
            copy = generator.choice(texts).split() or ["new"]
            copy[generator.randrange(len(copy))] = generator.choice(words)
            texts.append(" ".join(copy))
        else:
            texts.append(" ".join(generator.choices(words, k=generator.randint(8, 50))))
    return texts


def take_path(monkeypatch, native: bool) -> None:
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)


def test_signatures_are_the_same_on_both_paths(monkeypatch):
    texts = [*make_corpus(500, 0), "naïve “quotes”", "cafe\u0301 我跑"]
    take_path(monkeypatch, native=False)
    plain = compute_signatures(texts)
    take_path(monkeypatch, native=True)
    assert compute_signatures(texts).equals(plain)
    assert plain.schema == {"text_hash": pl.UInt64, "signature": pl.Binary}
    assert plain["signature"].bin.size().unique().drop_nulls().to_list() == [128]
    assert plain["text_hash"][0] == 0
    assert plain["signature"][0] is None
    assert plain["text_hash"][1] == plain["text_hash"][2]


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("num_new", [1, 40, 400])
def test_adding_rows_to_stored_signatures_gives_the_result_from_scratch(monkeypatch, native, num_new):
    take_path(monkeypatch, native)
    texts = make_corpus(1200, 1)
    num_old = len(texts) - num_new
    scratch = find_duplicates(texts)
    signatures = compute_signatures(texts)
    old_pairs = find_duplicates(texts[:num_old]).pairs
    found = find_new_pairs(signatures[num_old:], signatures[:num_old])
    candidates = found.select(
        left=pl.col("new") + num_old,
        right=pl.when("is_old").then("other").otherwise(pl.col("other") + num_old),
    )
    near = verify_pairs(texts, candidates["left"], candidates["right"])
    rows = signatures.select(
        "text_hash",
        id=pl.int_range(len(texts), dtype=pl.UInt32),
        size=pl.Series([len(text.encode()) for text in texts]),
    )
    resolved = resolve_pairs(rows, pl.concat([old_pairs, near]))
    assert len(scratch.removed) > 50
    assert resolved.removed.equals(scratch.removed)
    assert resolved.kept.equals(scratch.kept)
    assert resolved.num_empty == 1


def test_estimates_are_near_the_true_similarity():
    texts = make_corpus(600, 2)
    signatures = compute_signatures(texts)
    found = find_new_pairs(signatures, signatures.clear(), 0.7)
    estimate = {tuple(sorted(row[:2])): row[2] for row in found.select("new", "other", "estimate").rows()}
    exact = {(left, right): score for left, right, score in find_pairs(texts, 0.75).rows() if score < 1}
    assert len(exact) > 50
    assert exact.keys() <= estimate.keys()
    errors = [estimate[pair] - score for pair, score in exact.items()]
    assert abs(sum(errors) / len(errors)) < 0.02
    assert max(map(abs, errors)) < 0.25


def test_counts_at_other_thresholds_fall_and_state_their_recall():
    counts = count_at_thresholds(compute_signatures(make_corpus(800, 3)))
    pairs = [count.num_pairs for count in counts]
    assert pairs == sorted(pairs, reverse=True)
    assert pairs[0] > pairs[-1] > 0
    assert all(count.recall > 0.9996 for count in counts)


def test_pairs_that_speak_of_unknown_rows_are_refused():
    rows = pl.DataFrame({"id": ["a"], "text_hash": pl.Series([5], dtype=pl.UInt64), "size": [3]})
    pairs = pl.DataFrame({"left": ["a"], "right": ["b"], "similarity": [0.9]})
    with pytest.raises(DedupError, match="not among the rows"):
        resolve_pairs(rows, pairs)


def test_signatures_of_another_size_are_refused():
    frame = pl.DataFrame({"text_hash": pl.Series([5], dtype=pl.UInt64), "signature": [b"short"]})
    with pytest.raises(DedupError, match="128 bytes"):
        find_new_pairs(frame, frame.clear())
