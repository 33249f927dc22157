"""What the classifier learns from: the pack's own labelled material, so that its labels depend on nothing else."""

import functools
import json
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from curator.cache import cache_folder, read_cached, write_cached
from curator.categorise.classifier import Classifier, train_classifier
from curator.categorise.lexicon import OTHER, Term, load_lexicon
from curator.categorise.storage import dump_classifier, load_classifier
from curator.extract import extract_documents
from curator.fingerprint import fingerprint_knowledge, fingerprint_pack, fingerprint_stage
from curator.text import flatten_messages
from schemas.config import CategoriseConfig
from schemas.errors import ConfigError
from schemas.identity import make_id
from schemas.pack import Pack
from sources.packs.loader import pack_path
from sources.protocol import SourceContext

if TYPE_CHECKING:
    import polars as pl

SYNTHETIC_ROWS = 1_000
PAGE_WEIGHT = 0.1
"""Pages know the words of the domain, but not how people write: a labelled text counts ten of them."""
_ROOT = Path(__file__).resolve().parents[2]
_CODE = [_ROOT / "curator" / "categorise", _ROOT / "curator" / "extract", _ROOT / "sources", _ROOT / "schemas"]
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "polars", "markdown-it-py", "mdit-py-plugins", "python-frontmatter")


def make_pack_classifier(pack: Pack, config: CategoriseConfig, seed: int) -> Callable[[], Classifier | None]:
    """Gives a function that makes the classifier of a pack the first time it is called.

    It is trained once for all projects of the user: the same pack, settings and code give the same classifier.
    """

    @functools.cache
    def make() -> Classifier | None:
        fingerprint = _fingerprint(pack, config, seed)
        path = cache_folder() / f"classifier-{fingerprint}.npz"
        terms = load_lexicon(pack)
        stored = read_cached(path)
        if stored is not None:
            return load_classifier(stored, terms)
        classifier = _train(pack, config, seed, terms)
        # A pack that was edited meanwhile is not the one that was hashed.
        if classifier is not None and _fingerprint(pack, config, seed) == fingerprint:
            write_cached(path, dump_classifier(classifier))
        return classifier

    return make


def _train(pack: Pack, config: CategoriseConfig, seed: int, terms: list[Term]) -> Classifier | None:
    import polars as pl

    rows = pl.concat([read_training_texts(pack), _read_pack_questions(pack, seed)]).head(config.max_training_rows)
    return train_classifier(rows["text"], rows["category"], config.min_training_rows, rows["weight"], terms)


def _fingerprint(pack: Pack, config: CategoriseConfig, seed: int) -> str:
    """Gives a hash of all that a classifier depends on: the pack, settings, our code and the libraries it uses."""
    paths = [_ROOT / "curator" / "text.py", *(path for folder in _CODE for path in sorted(folder.rglob("*.py")))]
    code = [path.read_text(encoding="utf-8") for path in paths]
    versions = [sys.version, *(version(name) for name in _LIBRARIES)]
    sizes = (config.min_training_rows, config.max_training_rows)
    parts = (fingerprint_pack(pack), fingerprint_knowledge(pack), sizes, seed, make_id(*code), versions)
    return fingerprint_stage("categorise", *parts)


def read_training_texts(pack: Pack) -> "pl.DataFrame":
    """Gives the labelled texts of the pack's training files: `text`, `category` (may be `other`), `weight`.

    Raises:
        ConfigError: A file is absent or a line is no object of `text` and a known `category`.
    """
    import polars as pl

    known = [*pack.category_names, OTHER]
    found = [row for name in pack.training for row in _read_lines(pack_path(pack, name), known)]
    schema = {"text": pl.String, "category": pl.String, "weight": pl.Float64}
    return pl.DataFrame([(text, category, 1.0) for text, category in found], schema=schema, orient="row")


def _read_lines(path: Path, known: list[str]) -> list[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}", "name a JSONL file of text and category") from error
    return [_read_line(f"{path}:{number}", line, known) for number, line in enumerate(lines, 1) if line.strip()]


def _read_line(where: str, line: str, known: list[str]) -> tuple[str, str]:
    try:
        row = json.loads(line)
        text, category = row["text"], row["category"]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{where}: {error!r}, expected an object of text and category", "mend the line") from error
    if not isinstance(text, str) or not text.strip():
        raise ConfigError(f"{where}: text is {text!r}, expected words", "mend the line")
    if category not in known:
        raise ConfigError(f"{where}: {category!r} is no category", f"expected one of {', '.join(known)}")
    return text, category


def _read_pack_questions(pack: Pack, seed: int) -> "pl.DataFrame":
    import polars as pl

    rows = read_pack_examples(pack, seed).filter(pl.col("category").is_in(pack.category_names)).sort("id")
    text = flatten_messages(rows.select("messages"))["question"]
    weight = PAGE_WEIGHT if pack.training else 1.0
    return rows.select(text.alias("text"), "category", pl.lit(weight).alias("weight"))


def read_pack_examples(pack: Pack, seed: int) -> "pl.DataFrame":
    """Gives the examples of the pack's pages and, where it has no labelled posts, of its generator, with labels."""
    import polars as pl

    from sources.markdown import MarkdownSource
    from sources.synthetic import SyntheticSource

    context = SourceContext(root=Path.cwd(), pack=pack, seed=seed)
    documents: list[pl.DataFrame] = []
    if pack.knowledge:
        pages = MarkdownSource(MarkdownSource.Options(), context)
        documents += [batch.documents for batch in pages.read(None)]
    # Beside labelled posts, generated rows change nothing but the time: half of what training takes.
    if pack.rules and not pack.training:
        generated = SyntheticSource(SyntheticSource.Options(count=SYNTHETIC_ROWS), context)
        documents += [batch.documents for batch in generated.read(None)]
    parts = [extract_documents(frame, pack).examples for frame in documents]
    return pl.concat(parts).select("id", "messages", "category") if parts else _empty()


def _empty() -> "pl.DataFrame":
    import polars as pl

    return pl.DataFrame(schema={"id": pl.String, "messages": pl.String, "category": pl.String})
