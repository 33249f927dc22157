"""A classifier as bytes: training takes seconds, reading what was trained a hundredth of them."""

import io
from collections.abc import Sequence
from typing import Any

from curator.categorise.classifier import Classifier, Regression
from curator.categorise.features import TextFeatures, Vocabulary
from curator.categorise.lexicon import Term

_HAS_PAIRS = {"body": False, "title": True}


def dump_classifier(classifier: Classifier) -> bytes:
    """Gives a classifier without its lexicon, as `load_classifier` reads it."""
    import numpy as np

    regression = classifier.regression
    arrays: dict[str, Any] = {
        "classes": _join(regression.classes),
        "coefficients": regression.coefficients,
        "intercepts": regression.intercepts,
    }
    for name in _HAS_PAIRS:
        vocabulary: Vocabulary = getattr(classifier.features, name)
        arrays |= {f"{name}_words": _join(vocabulary.words), f"{name}_rarity": vocabulary.rarity}
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def load_classifier(data: bytes, terms: Sequence[Term]) -> Classifier:
    """Gives the classifier of `dump_classifier`, to the last bit.

    Args:
        data: What was dumped.
        terms: The lexicon that it was trained with.
    """
    import numpy as np

    arrays = np.load(io.BytesIO(data), allow_pickle=False)
    vocabularies = {
        name: Vocabulary(_split_lines(arrays[f"{name}_words"]), arrays[f"{name}_rarity"], has_pairs)
        for name, has_pairs in _HAS_PAIRS.items()
    }
    regression = Regression(_split_lines(arrays["classes"]), arrays["coefficients"], arrays["intercepts"])
    return Classifier(TextFeatures(terms, **vocabularies), regression, terms)


def _join(words: Sequence[str]) -> Any:
    """Gives words as bytes, a line each: no word and no name of a category holds a line break."""
    import numpy as np

    return np.frombuffer("\n".join(words).encode(), dtype=np.uint8)


def _split_lines(lines: Any) -> list[str]:
    text = lines.tobytes().decode()
    return text.split("\n") if text else []
