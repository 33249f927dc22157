"""Finds the passages that answer a question: BM25, optionally fused with sentence embeddings.

BM25: Robertson & Zaragoza, The Probabilistic Relevance Framework (2009), by the library bm25s (method "lucene").
Fusion: reciprocal rank fusion, Cormack, Clarke & Büttcher (SIGIR 2009), k = 60.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import bm25s
import numpy as np
from numpy.typing import NDArray

from curator.prompt.passages import Passage
from curator.prompt.words import make_splitter

if TYPE_CHECKING:
    from curator.dedup.semantic import Embed

Scores = NDArray[np.float64]
Vectors = NDArray[np.float32]

FUSION_K = 60
FUSION_DEPTH = 50
HEADING_WEIGHT = 3
"""A heading counts as if it stood three times: it says in few words what the section is about."""
PAGE_WEIGHT = 0.5
"""What the score of the whole page adds to that of a passage."""
MIN_SCORE_RATIO = 0.35
"""A passage that scores less than this share of the best one is noise in a prompt."""

_COLUMN_NAME = re.compile(r"^[A-Z][\w ]*: ", re.MULTILINE)


@dataclass(frozen=True)
class Hit:
    """A passage that was found.

    Attributes:
        passage: What was found.
        score: BM25 score, or the fused score; only comparable within one search.
    """

    passage: Passage
    score: float


class Retriever:
    """An index of passages, one a language; building it takes about a second for 10,000 passages."""

    def __init__(self, passages: Sequence[Passage], embed: "Embed | None" = None) -> None:
        self._size = len(passages)
        languages = sorted({passage.language for passage in passages})
        self._indexes = {
            language: _LanguageIndex([passage for passage in passages if passage.language == language], language, embed)
            for language in languages
        }

    def __len__(self) -> int:
        """Number of passages."""
        return self._size

    def find(self, question: str, language: str, top_k: int = 3) -> list[Hit]:
        """Gives the passages nearest to a question, best first; none where nothing shares a word with it.

        Args:
            question: What is asked.
            language: ISO 639-1; passages of other languages are left out.
            top_k: How many at most.
        """
        index = self._indexes.get(language)
        return [] if index is None or top_k < 1 else index.find(question, top_k)


class _LanguageIndex:
    """Passages of one language, scored by themselves and with the page they stand on."""

    def __init__(self, passages: Sequence[Passage], language: str, embed: "Embed | None") -> None:
        self._passages = passages
        self._split = make_splitter(language)
        texts = [self._split(_indexed_text(passage)) for passage in passages]
        pages = [passage.place if passage.is_record else passage.page for passage in passages]
        numbers = {page: number for number, page in enumerate(dict.fromkeys(pages))}
        self._page_of = np.array([numbers[page] for page in pages])
        joined: list[list[str]] = [[] for _ in numbers]
        for words, page in zip(texts, self._page_of, strict=True):
            joined[page].extend(words)
        self._index, self._page_index = _index_words(texts), _index_words(joined)
        self._embed = embed
        self._vectors = None if embed is None else _unit_rows(embed([_indexed_text(passage) for passage in passages]))

    def find(self, question: str, top_k: int) -> list[Hit]:
        words = self._split(question)
        scores = _score_words(self._index, words)
        # A passage speaks for its page: the one on the right page goes before a stray word elsewhere.
        scores = scores + np.where(scores > 0, PAGE_WEIGHT * _score_words(self._page_index, words)[self._page_of], 0.0)
        floor = float(scores.max()) * MIN_SCORE_RATIO
        if self._embed is not None and self._vectors is not None:
            scores = fuse_ranks(scores, (self._vectors @ _unit_rows(self._embed([question]))[0]).astype(np.float64))
            floor = 0.0
        order = np.lexsort((np.arange(len(scores)), -scores))[:top_k]
        return [Hit(self._passages[i], float(scores[i])) for i in order if scores[i] > 0 and scores[i] >= floor]


def _index_words(texts: list[list[str]]) -> "bm25s.BM25":
    index = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
    index.index(texts, show_progress=False)
    return index


def _score_words(index: "bm25s.BM25", words: list[str]) -> Scores:
    known = [word for word in words if word in index.vocab_dict]
    return np.asarray(index.get_scores(known) if known else np.zeros(index.scores["num_docs"]), dtype=np.float64)


def fuse_ranks(left: Scores, right: Scores) -> Scores:
    """Gives the reciprocal rank fusion of two scorings of the same passages; what stands in neither top 50 gets 0."""
    fused = np.zeros(len(left))
    for scores in (left, right):
        order = np.lexsort((np.arange(len(scores)), -scores))[:FUSION_DEPTH]
        ranks = np.arange(1, len(order) + 1)
        fused[order] += np.where(scores[order] > 0, 1.0 / (FUSION_K + ranks), 0.0)
    return fused


def _indexed_text(passage: Passage) -> str:
    heading = f"{passage.title} {passage.heading} {passage.aliases} "
    # Names of columns stand in every record and would make their words look common.
    text = _COLUMN_NAME.sub("", passage.text) if passage.is_record else passage.text
    return heading * HEADING_WEIGHT + text


def _unit_rows(vectors: NDArray[np.floating]) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-9), dtype=np.float32)
