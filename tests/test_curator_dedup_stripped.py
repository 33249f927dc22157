import random

import polars as pl
import pytest

from curator.dedup import DedupError, compute_signatures, find_duplicates, index, strip_pairs
from curator.dedup.signatures import read_shingles

NOTICE = " ".join(f"notice{at}" for at in range(40))


def make_texts(num_rows: int, seed: int = 7) -> list[str]:
    """A third hold a long notice, so that they look alike with it and not without; some differ in the notice alone."""
    generator = random.Random(seed)
    words = [f"w{at}" for at in range(2000)]
    texts = ["", NOTICE, NOTICE.upper()]
    while len(texts) < num_rows:
        text = " ".join(generator.choices(words, k=generator.randint(5, 40)))
        texts += [text, f"{NOTICE} {text}"] if generator.random() < 0.3 else [f"{NOTICE} {text[:20]}"]
        if generator.random() < 0.3:
            texts.append(f"{generator.choice(texts)} {generator.choice(words)}")
    return texts[:num_rows]


def named_pairs(texts: list[str], **options) -> dict[tuple[int, int], float]:
    """Pairs of different texts by their hashes, from the texts themselves."""
    hashes = compute_signatures(texts)["text_hash"]
    pairs = find_duplicates(texts, **options).pairs
    ends = zip(hashes.gather(pairs["left"]), hashes.gather(pairs["right"]), pairs["similarity"], strict=True)
    return {(min(a, b), max(a, b)): score for a, b, score in ends if a != b}


def as_frame(pairs: dict[tuple[int, int], float]) -> pl.DataFrame:
    schema = {"left_hash": pl.UInt64, "right_hash": pl.UInt64, "similarity": pl.Float64}
    return pl.DataFrame([(*key, score) for key, score in pairs.items()], schema=schema, orient="row")


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("max_rows", [3, 20, 10_000])
def test_stored_shingles_give_what_the_texts_give(monkeypatch, native, max_rows):
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    texts = make_texts(400)
    stored = compute_signatures(texts, keeps_shingles=True)
    with_it = named_pairs(texts)
    stripped, num_common = strip_pairs(stored, as_frame(with_it), max_rows)
    found = {(left, right): score for left, right, score in stripped.iter_rows()}
    expected = find_duplicates(texts, boilerplate_rows=max_rows)
    assert found == pytest.approx(named_pairs(texts, boilerplate_rows=max_rows))
    assert num_common == expected.num_boilerplate
    assert (found == with_it) == (max_rows == 10_000)
    assert len(found) > 20


def test_a_text_of_boilerplate_alone_keeps_it():
    texts = [f"{NOTICE} {'abcdefgh'[at]}" for at in range(8)] + [NOTICE]
    stored = compute_signatures(texts, keeps_shingles=True)
    stripped, num_common = strip_pairs(stored, as_frame(named_pairs(texts)), 5)
    assert (stripped.height, num_common) == (0, 36)
    assert [len(row) for row in stored["signature"]] == [128 + 8 * 37] * 8 + [128 + 8 * 36]


def test_signatures_without_shingles_are_refused():
    with pytest.raises(DedupError, match="expected shingles"):
        read_shingles(compute_signatures(["some text"])["signature"])
