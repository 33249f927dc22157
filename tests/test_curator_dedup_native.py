"""The compiled path against the numpy path and the plain definition: same bits, same pairs."""

import itertools
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.dedup import find_duplicates, find_pairs, index, similarity
from curator.dedup.native_index import NativeIndex
from curator.dedup.numpy_index import NumpyIndex

TRICKY = [
    "",
    " ",
    "a",
    "ab cd ef gh ij",
    "x" * 7,
    "x" * 8,
    "x" * 9,
    "x" * 64,
    "x" * 200,
    "word " * 13,
    "y" * 63 + " z",
    "y" * 64 + " z",
    "Straße und ½ Maß",
    "cafe\u0301 naïve “quoted” – dash… 😀 okay",
    "مُحَمَّد كتـــاب ٢٥",
    "我跑5公里 ひらカナ",
    "한국어 문장",
    "\u1100\u1161\u11a8",
    "A\u0301\u0327",
    "Ⱥ" * 100,
    "don´t ﬁt ＡＢＣ ⅷ ①",
    "\ufffd\x00\x7f\x80",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 🇩🇪 👍🏽 ❤️",
    "1,000 2.50 007 10km",
    "tail\u00ad",
]
UNICODE_TEXTS = st.lists(st.one_of(st.text(max_size=120), st.sampled_from(TRICKY)), min_size=1, max_size=12)
QUICK = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def make_corpus(num_rows: int, seed: int = 0) -> list[str]:
    """Posts of random words, one in three an edited copy of another."""
    generator = random.Random(seed)
    words = [f"w{at}" for at in range(3000)]
    texts: list[str] = []
    for _ in range(num_rows):
        if texts and generator.random() < 0.34:
            copy = generator.choice(texts).split()
            for _ in range(generator.randrange(3)):
                copy[generator.randrange(len(copy))] = generator.choice(words)
            texts.append(" ".join(copy))
        else:
            texts.append(" ".join(generator.choices(words, k=generator.randint(3, 60))))
    return texts


@pytest.fixture
def _both_paths(monkeypatch):
    """Let even small inputs take the compiled path until the test says otherwise."""
    monkeypatch.setattr(index, "NUMPY_ROWS", 0)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)


@QUICK
@given(UNICODE_TEXTS, st.integers(1, 7), st.booleans(), st.sampled_from(["word", "char"]))
def test_both_paths_read_the_same_shingles_from_any_text(texts, ngram, mask_numbers, kind):
    options = {"kind": kind, "mask_numbers": mask_numbers}
    native = NativeIndex(pl.Series("text", texts), ngram, **options, num_threads=1)
    assert native.streams.tolist() == NumpyIndex(texts, ngram, **options).streams.tolist()
    filled = np.flatnonzero(native.streams)
    left, right = (side.ravel() for side in np.meshgrid(filled, filled))
    expected = [similarity(texts[a], texts[b], ngram, **options) for a, b in zip(left, right, strict=True)]
    assert native.measure(left, right).tolist() == expected


@pytest.mark.parametrize("text", TRICKY)
def test_every_tricky_text_hashes_alike_on_both_paths(text):
    native = NativeIndex(pl.Series("text", [text, f"before {text} after"]), num_threads=1)
    assert native.streams.tolist() == NumpyIndex([text, f"before {text} after"]).streams.tolist()


def test_long_texts_with_a_few_foreign_characters_hash_alike_on_both_paths():
    generator = random.Random(4)
    letters = "abcXYZ09 .-  "
    texts = []
    for _ in range(400):
        parts = [
            "".join(generator.choices(letters, k=generator.choice((0, 1, 7, 8, 60, 63, 64, 65, 130)))) for _ in range(5)
        ]
        texts.append("".join(part + generator.choice(("é", "“", "…", "ß", "😀", "كتاب", "ｗ")) for part in parts))
    texts += ["w" * size + " é" for size in range(140)] + ["ab" * 40 + " " + "c" * size for size in range(70)]
    native, plain = NativeIndex(pl.Series(texts)), NumpyIndex(pl.Series(texts))
    assert native.streams.tolist() == plain.streams.tolist()


def test_every_character_folds_alike_on_both_paths():
    texts = [f"a{chr(code)}b" for code in range(1, 0x3400) if not 0xD800 <= code < 0xE000]
    texts += [f"a{chr(code)}b" for code in range(0xA000, 0x20000, 7) if not 0xD800 <= code < 0xE000]
    native = NativeIndex(pl.Series("text", texts), num_threads=1)
    assert (native.streams == NumpyIndex(texts).streams).all()


def test_characters_that_spell_others_fold_alike_beside_marks_and_letters():
    letters = ["a", " ", "½", "ﬁ", "´", "¨", "\u0301", "\u0327", "\u0344", "ﹰ", "ﷲ", "é", "①", "7"]
    texts = ["".join(run) for run in itertools.product(letters, repeat=3)]
    native = NativeIndex(pl.Series("text", texts), num_threads=1)
    assert (native.streams == NumpyIndex(texts).streams).all()


@pytest.mark.parametrize("method", ["exact", "lsh"])
@pytest.mark.parametrize("threshold", [0.7, 0.8, 0.9])
def test_both_paths_find_the_same_pairs(monkeypatch, method, threshold):
    texts = make_corpus(2500)
    monkeypatch.setattr(index, "NUMPY_ROWS", 10**9)
    plain = find_pairs(texts, threshold, method)
    monkeypatch.setattr(index, "NUMPY_ROWS", 0)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    compiled = find_pairs(texts, threshold, method)
    assert len(plain) > 100
    assert compiled.equals(plain)


@pytest.mark.usefixtures("_both_paths")
@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_the_number_of_threads_changes_nothing(num_threads):
    texts = make_corpus(1500, seed=1)
    one = find_duplicates(texts, num_threads=1)
    many = find_duplicates(texts, num_threads=num_threads)
    assert many.removed.equals(one.removed)
    assert many.kept.equals(one.kept)
    assert many.pairs.equals(one.pairs)


@pytest.mark.usefixtures("_both_paths")
def test_lsh_finds_nearly_all_pairs():
    texts = make_corpus(6000, seed=2)
    exact = set(find_pairs(texts, 0.8).rows())
    found = set(find_pairs(texts, 0.8, method="lsh").rows())
    assert found <= exact
    assert len(found) >= 0.999 * len(exact)


@pytest.mark.parametrize("native", [True, False])
def test_groups_beyond_the_cap_are_compared_with_their_best_and_counted(monkeypatch, native):
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    shared = " ".join(f"s{at}" for at in range(60))
    texts = [f"{shared} only{at} " + "longer " * (at % 5) for at in range(300)]
    capped = find_duplicates(texts, max_group=100)
    assert len(capped.kept) == 1
    assert len(capped.removed) == 299
    assert capped.capped.groups == 16
    assert capped.capped.comparisons > 0
    assert len(capped.pairs) < len(find_duplicates(texts, max_group=None).pairs)


def test_caps_give_the_same_result_on_both_paths_and_in_any_order(monkeypatch):
    generator = random.Random(3)
    shared = [f"s{at}" for at in range(40)]
    texts = make_corpus(400, seed=4)
    texts += [" ".join([*shared, *generator.choices("abcdefgh", k=9)]) for _ in range(300)]
    ids = [f"row{at:04d}" for at in range(len(texts))]
    results = []
    for numpy_rows, order in ((10**9, False), (0, False), (0, True)):
        monkeypatch.setattr(index, "NUMPY_ROWS", numpy_rows)
        monkeypatch.setattr(index, "COMPILE_ROWS", 0)
        rows = list(zip(ids, texts, strict=True))
        if order:
            generator.shuffle(rows)
        found = find_duplicates([text for _, text in rows], ids=[name for name, _ in rows], max_group=50)
        assert found.capped.groups > 0
        results.append((found.removed.sort("id").rows(), sorted(found.kept.rows()), found.capped))
    assert results[0] == results[1] == results[2]


@pytest.mark.usefixtures("_both_paths")
def test_spanning_pairs_connect_what_all_pairs_connect():
    texts = make_corpus(3000, seed=5)
    from curator.dedup.clusters import label_components

    components = []
    for spanning in (False, True):
        pairs = find_pairs(texts, 0.7, spanning=spanning)
        labels = label_components(len(texts), pairs["left"].to_numpy(), pairs["right"].to_numpy())
        components.append(labels.tolist())
    assert components[0] == components[1]


@pytest.mark.usefixtures("_both_paths")
def test_a_template_cluster_and_empty_rows_take_bounded_time():
    facts = " ".join(f"w{at}" for at in range(70))
    texts = [f"{facts} fact{at}" for at in range(4000)] + ["", "word"] * 10_000
    found = find_duplicates(texts)
    assert len(found.kept) == 1 + 10_000 + 1
    assert found.num_empty == 10_000
    assert found.capped.groups > 0


@pytest.mark.usefixtures("_both_paths")
def test_one_huge_text_among_small_ones_is_compared_whole():
    huge = " ".join(f"word{at}" for at in range(400_000))
    found = find_pairs([huge, "small one", huge + " end", "other"], num_threads=2)
    assert [pair[:2] for pair in found.rows()] == [(0, 2)]
    assert found["similarity"][0] > 0.9999


@pytest.mark.parametrize("native", [True, False])
def test_boilerplate_is_left_out_of_the_comparison(monkeypatch, native):
    monkeypatch.setattr(index, "NUMPY_ROWS", 0 if native else 10**9)
    monkeypatch.setattr(index, "COMPILE_ROWS", 0)
    greeting = " ".join(f"hello{at}" for at in range(60))
    texts = [f"{greeting} this is question number {name} about golf" for name in "abcdefghij"] + [greeting]
    assert len(find_duplicates(texts).kept) < 11
    without = find_duplicates(texts, boilerplate_rows=5)
    assert len(without.kept) == 11
    assert without.num_boilerplate == 60  # 56 of the greeting, 4 that run on into the question
