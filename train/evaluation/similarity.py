"""chrF: how alike two texts are by their character n-grams (Popović 2015), for any language and without a model."""

from collections import Counter

MAX_NGRAM = 6
BETA = 2.0
"""Recall counts twice as much as precision, as in chrF2."""


def compute_chrf(answer: str, reference: str) -> float:
    """Gives chrF2 of an answer to its reference, 0-1; spaces do not count.

    Orders for which one of the texts is too short are left out, as sacrebleu does.
    """
    left, right = ("".join(text.split()) for text in (answer, reference))
    scores = []
    for size in range(1, MAX_NGRAM + 1):
        ours, theirs = _count_ngrams(left, size), _count_ngrams(right, size)
        if ours and theirs:
            shared = (ours & theirs).total()
            scores.append((shared / ours.total(), shared / theirs.total()))
    if not scores:
        return 0.0
    precision, recall = (sum(side) / len(scores) for side in zip(*scores, strict=True))
    weight = BETA**2
    return (1 + weight) * precision * recall / (weight * precision + recall) if precision + recall else 0.0


def _count_ngrams(text: str, size: int) -> Counter[str]:
    return Counter(text[start : start + size] for start in range(len(text) - size + 1))
