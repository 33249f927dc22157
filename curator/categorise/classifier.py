"""A linear classifier that learns from the pack's labelled texts and hears the lexicon's votes beside their words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curator.categorise.features import Reading, TextFeatures, learn_features
from curator.categorise.lexicon import QUESTION_WEIGHT, Term, sum_votes

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

MIN_CLASS_ROWS = 3
REGULARISATION = 12.0
"""Inverse strength (scikit-learn's C): from 6 to 40 the answers hardly change, only how sure they sound."""


@dataclass(frozen=True, eq=False)
class Regression:
    """A fitted logistic regression.

    Attributes:
        classes: What it tells apart, two or more.
        coefficients: (num_classes, num_features) float64.
        intercepts: (num_classes,) float64.
    """

    classes: Sequence[str]
    coefficients: "NDArray[np.float64]"
    intercepts: "NDArray[np.float64]"

    def predict(self, numbers: Any) -> "NDArray[np.float64]":
        """Gives the probability of each class, (num_texts, num_classes), from a sparse matrix of as many features."""
        import numpy as np

        scores = numbers @ self.coefficients.T + self.intercepts
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return shares


@dataclass(frozen=True)
class Classifier:
    """A fitted model: features, the logistic regression over them, and the lexicon whose votes it hears."""

    features: TextFeatures
    regression: Regression
    terms: Sequence[Term]

    def predict(self, texts: "pl.Series") -> "pl.DataFrame":
        """Gives what each text is about, in order; the category may be `other`.

        Returns:
            `category`, `confidence` (0-1), and what the words of the lexicon say of that category: `score` (its votes,
            the title's twice), `margin` ((score - the next category's) / score; not above 0 where another has as many)
            and `words` (those that speak for it; null without any).
        """
        import numpy as np
        import polars as pl

        if not len(texts):
            names = {"category": pl.String, "confidence": pl.Float64, "score": pl.Float64, "margin": pl.Float64}
            return pl.DataFrame(schema={**names, "words": pl.String})
        reading = self.features.read(texts)
        probabilities = self.regression.predict(self.features.weigh(reading))
        best = np.argmax(probabilities, axis=1)
        guess = pl.DataFrame(
            {
                "category": [self.regression.classes[i] for i in best],
                "confidence": probabilities[np.arange(len(best)), best].round(4),
            }
        )
        return pl.concat([guess, _ask_words(guess["category"], reading, self.terms)], how="horizontal")


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
    features = learn_features(texts, terms)
    fitted = LogisticRegression(C=REGULARISATION, max_iter=300)
    with one_thread():
        fitted.fit(features.transform(texts), categories.to_list(), sample_weight=_balance(categories, weights))
    return Classifier(features, _read_regression(fitted), terms)


def _read_regression(fitted: Any) -> Regression:
    """Gives what scikit-learn has fitted; of two classes it keeps the second alone, the first being 0."""
    import numpy as np

    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(intercepts) == 1:
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([np.zeros_like(intercepts), intercepts])
    return Regression([str(name) for name in fitted.classes_], coefficients, intercepts)


def one_thread() -> Any:
    """Gives a context in which the linear algebra runs on one thread.

    The matrices are so small that threads only wait for one another, at six times the processor's time; and sums made
    on one thread have the same last digit on every machine with the same processor.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _ask_words(categories: "pl.Series", reading: Reading, terms: Sequence[Term]) -> "pl.DataFrame":
    """Gives `score`, `margin` and `words` of the category that was found for each text."""
    import numpy as np
    import polars as pl

    if not terms:
        nothing = {"score": pl.lit(0.0), "margin": pl.lit(0.0), "words": pl.lit(None, pl.String)}
        return categories.to_frame("category").with_columns(**nothing).drop("category")
    count, names = len(categories), sorted({term.category for term in terms})
    votes = QUESTION_WEIGHT * sum_votes(reading.title_votes, count, terms) + sum_votes(reading.body_votes, count, terms)
    places = categories.replace_strict({name: n for n, name in enumerate(names)}, default=-1, return_dtype=pl.Int64)
    rows, columns = np.arange(count), places.to_numpy()
    score = np.where(columns < 0, 0.0, votes[rows, columns])
    others = votes.copy()
    others[rows, columns] = 0.0
    margin = np.where(score > 0, (score - others.clip(0).max(axis=1)) / np.maximum(score, 1e-9), 0.0)
    words = (
        pl.concat([reading.title_votes, reading.body_votes])
        .filter(pl.col("votes") > 0)
        .join(categories.alias("category").to_frame().with_row_index("row"), on=["row", "category"])
        .group_by("row")
        .agg(pl.col("pattern").str.strip_chars().unique().sort().str.join(", ").alias("words"))
    )
    frame = pl.DataFrame({"score": score, "margin": margin}).with_row_index("row")
    return frame.join(words, on="row", how="left", maintain_order="left").drop("row")


def _balance(categories: "pl.Series", weights: "pl.Series | None") -> Any:
    """Scales the weights so that the rows of every class add up to the same."""
    import polars as pl

    frame = pl.DataFrame({"category": categories, "weight": 1.0 if weights is None else weights})
    share = pl.col("weight").sum() / pl.col("category").n_unique()
    return frame.select(pl.col("weight") * share / pl.col("weight").sum().over("category")).to_series().to_numpy()
