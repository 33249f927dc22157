import random

import numpy as np
import pytest
from datasketch import LeanMinHash, MinHash

from curator.dedup import DedupError, index
from curator.dedup.jaccard import shingle_set
from curator.dedup.normalize import split_words
from curator.dedup.sketches import export_lean, import_lean, sketch_texts


def make_texts(num_rows: int) -> list[str]:
    generator = random.Random(7)
    words = [*(f"word{at}" for at in range(500)), "naïve", "Straße", "我跑", "x" * 70, "10km", "don't", "a"]
    return [" ".join(generator.choices(words, k=generator.randrange(40))) for _ in range(num_rows)]


def sketch_with_datasketch(text: str, num_perm: int, seed: int) -> np.ndarray:
    words = split_words(text)
    sketch = MinHash(num_perm, seed)
    starts = range(max(1, len(words) - 4)) if words else ()
    sketch.update_batch([" ".join(words[at : at + 5]).encode() for at in starts])
    return sketch.hashvalues


@pytest.mark.parametrize(("native", "num_rows"), [(True, 10_000), (False, 300)])
def test_signatures_are_those_of_datasketch_bit_by_bit(monkeypatch, native, num_rows):
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    texts = make_texts(num_rows)
    ours = sketch_texts(texts)
    assert ours.shape == (num_rows, 128)
    assert ours.dtype == np.uint32
    theirs = np.array([sketch_with_datasketch(text, 128, 1) for text in texts])
    assert (ours == theirs).all()


@pytest.mark.parametrize("native", [True, False])
def test_any_number_of_permutations_and_seed_agree_with_datasketch(monkeypatch, native):
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    texts = make_texts(60)
    for num_perm, seed in ((16, 1), (100, 5), (256, 9)):
        theirs = np.array([sketch_with_datasketch(text, num_perm, seed) for text in texts])
        assert (sketch_texts(texts, num_perm, seed) == theirs).all()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("length", [1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 300])
def test_shingles_of_any_length_are_hashed_as_sha1_does(monkeypatch, native, length):
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    text = "y" * length
    assert (sketch_texts([text])[0] == sketch_with_datasketch(text, 128, 1)).all()


def test_permutations_over_any_hash_are_those_of_the_default_scheme():
    from curator.dedup.minhash import sign_rows
    from curator.dedup.shingles import hash_tokens, shingle_tokens

    texts = [text for text in make_texts(80) if split_words(text)]
    shingles = shingle_tokens(hash_tokens(texts), 5)
    ours = sign_rows(shingles, 64)
    for row in range(len(texts)):
        sketch = MinHash(64, hashfunc=lambda value: int(value) & 0xFFFFFFFF)
        sketch.update_batch(shingles.values[shingles.offsets[row] : shingles.offsets[row + 1]])
        assert (sketch.hashvalues == ours[row]).all()


def test_lean_sketches_come_back_as_they_went():
    texts = make_texts(50)
    signatures = sketch_texts(texts)
    lean = export_lean(signatures)
    assert isinstance(lean[0], LeanMinHash)
    assert (import_lean(lean) == signatures).all()
    buffer = bytearray(lean[3].bytesize())
    lean[3].serialize(buffer)
    assert (import_lean([LeanMinHash.deserialize(buffer)]) == signatures[3]).all()


def test_lean_sketches_of_another_scheme_or_seed_are_refused():
    with pytest.raises(DedupError, match="legacy"):
        import_lean([LeanMinHash(seed=1, hashvalues=range(128), scheme="legacy")])
    with pytest.raises(DedupError, match="seed 1"):
        import_lean(export_lean(sketch_texts(["a"], seed=2), seed=2))


def test_estimates_of_exported_sketches_are_near_the_true_similarity():
    one = " ".join(f"w{at}" for at in range(100))
    other = one + " " + " ".join(f"v{at}" for at in range(20))
    ours, theirs = shingle_set(one), shingle_set(other)
    left, right = export_lean(sketch_texts([one, other], 256))
    assert left.jaccard(right) == pytest.approx(len(ours & theirs) / len(ours | theirs), abs=0.1)
