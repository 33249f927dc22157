"""A linear classifier that learns from the pack's labelled texts and hears the lexicon's votes beside their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.categorise.features import TextFeatures
from curator.categorise.lexicon import Term

if TYPE_CHECKING:
    import polars as pl

MIN_CLASS_ROWS = 3
REGULARISATION = 12.0
"""Inverse strength (scikit-learn's C): from 6 to 40 the answers hardly change, only how sure they sound."""


@dataclass(frozen=True)
class Classifier:
    """A fitted model: `predict_proba(texts)` and `classes_`."""

    pipeline: Any

    def predict(self, texts: "pl.Series") -> "pl.DataFrame":
        """Gives `category` and `confidence` (0-1) of each text, in order; the category may be `other`."""
        import numpy as np
        import polars as pl

        if not len(texts):
            return pl.DataFrame(schema={"category": pl.String, "confidence": pl.Float64})
        probabilities = self.pipeline.predict_proba(texts.to_list())
        best = np.argmax(probabilities, axis=1)
        return pl.DataFrame(
            {
                "category": [str(self.pipeline.classes_[i]) for i in best],
                "confidence": probabilities[np.arange(len(best)), best].round(4),
            }
        )


@dataclass(frozen=True)
class FittedModel:
    """Features and the logistic regression over them."""

    features: TextFeatures
    regression: Any

    @property
    def classes_(self) -> list[str]:
        """Names of the classes in the order of the probabilities."""
        return [str(name) for name in self.regression.classes_]

    def predict_proba(self, texts: list[str]) -> Any:
        """Gives the probability of each class, (num_texts, num_classes) float64."""
        import polars as pl

        return self.regression.predict_proba(self.features.transform(pl.Series(texts, dtype=pl.String)))


def train_classifier(
    texts: "pl.Series",
    categories: "pl.Series",
    min_rows: int,
    weights: "pl.Series | None" = None,
    terms: Sequence[Term] = (),
) -> Classifier | None:
    """Fits the classifier on labelled texts; every class weighs the same, however many rows it has.

    Args:
        texts: Whole conversations or posts.
        categories: Their labels, of equal length.
        min_rows: With fewer rows, or a class of fewer than `MIN_CLASS_ROWS`, there is no classifier.
        weights: How much each row counts; 1 if absent.
        terms: The lexicon, whose votes are features.

    Returns:
        The classifier, or None when there is too little to learn from. Deterministic.
    """
    from sklearn.linear_model import LogisticRegression

    counts = categories.value_counts()
    smallest = int(counts["count"].min() or 0)  # type: ignore[arg-type]
    if len(texts) < min_rows or counts.height < 2 or smallest < MIN_CLASS_ROWS:
        return None
    features = TextFeatures(terms)
    features.fit(texts)
    regression = LogisticRegression(C=REGULARISATION, max_iter=300)
    regression.fit(features.transform(texts), categories.to_list(), sample_weight=_balance(categories, weights))
    return Classifier(FittedModel(features, regression))


def _balance(categories: "pl.Series", weights: "pl.Series | None") -> Any:
    """Scales the weights so that the rows of every class add up to the same."""
    import polars as pl

    frame = pl.DataFrame({"category": categories, "weight": 1.0 if weights is None else weights})
    share = pl.col("weight").sum() / pl.col("category").n_unique()
    return frame.select(pl.col("weight") * share / pl.col("weight").sum().over("category")).to_series().to_numpy()
