"""A linear classifier for rows that neither their source nor the lexicon decides."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

FOLDS = 3


@dataclass(frozen=True)
class Classifier:
    """A fitted TF-IDF (1-2 grams) and linear support vectors with probabilities calibrated by cross-validation."""

    pipeline: Any

    def predict(self, texts: "pl.Series") -> "pl.DataFrame":
        """Gives `category` and `confidence` (0-1) of each text, in order."""
        import numpy as np
        import polars as pl

        probabilities = self.pipeline.predict_proba(texts.to_list())
        best = np.argmax(probabilities, axis=1)
        return pl.DataFrame(
            {
                "category": [str(self.pipeline.classes_[i]) for i in best],
                "confidence": probabilities[np.arange(len(best)), best].round(4),
            }
        )


def train_classifier(texts: "pl.Series", categories: "pl.Series", min_rows: int) -> Classifier | None:
    """Fits the classifier on labelled texts.

    Args:
        texts: Whole conversations.
        categories: Their labels, of equal length.
        min_rows: With fewer rows, or a class of fewer rows than folds, there is no classifier.

    Returns:
        The classifier, or None when there is too little to learn from. Deterministic.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    counts = categories.value_counts()
    if len(texts) < min_rows or counts.height < 2 or int(counts["count"].min() or 0) < FOLDS:  # type: ignore[arg-type]
        return None
    features = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=60_000)
    model = LinearSVC(C=0.5, class_weight="balanced", random_state=0)
    pipeline = make_pipeline(features, CalibratedClassifierCV(model, method="sigmoid", cv=FOLDS))
    pipeline.fit(texts.to_list(), categories.to_list())
    return Classifier(pipeline)
