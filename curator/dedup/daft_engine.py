"""Near-duplicates on more than one machine: Daft, natively or on a Ray cluster, around the same kernels.

Texts are signed where they lie. Rows meet in the buckets of their bands, where all members are compared with each other
(not only with the first), first by signature, then by text. What comes back to the driver is small: one hash, size,
rank and quality a row, and the verified pairs; clusters and representatives are chosen there by `resolve_pairs`, so the
answer is that of one machine. Where there are more pairs than the driver should decide upon at once, components are
found by Daft as well, and the driver decides upon them in parts. Needs the extra `scale`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from curator.dedup.bands import band_keys, choose_bands, count_agreeing, least_agreement
from curator.dedup.candidates import MAX_GROUP, Capped, pair_groups
from curator.dedup.daft_components import label_components_daft
from curator.dedup.duplicates import Duplicates, resolve_pairs
from curator.dedup.errors import DedupError
from curator.dedup.index import open_index
from curator.dedup.minhash import NUM_PERM, U16
from curator.dedup.signatures import compute_signatures

if TYPE_CHECKING:
    import daft

MAX_DRIVER_PAIRS = 20_000_000
"""Pairs that the driver decides upon at once, about 4 GB of working memory."""


def find_duplicates_daft(
    frame: "daft.DataFrame",
    threshold: float = 0.8,
    *,
    id_column: str = "id",
    text_column: str = "text",
    rank_column: str | None = None,
    quality_column: str | None = None,
    ngram: int = 5,
    mask_numbers: bool = False,
    max_group: int = MAX_GROUP,
    max_driver_pairs: int = MAX_DRIVER_PAIRS,
) -> Duplicates:
    """Return what `find_duplicates(method="lsh")` returns, computed by Daft's runner.

    Args:
        frame: The rows, for example `daft.read_parquet("s3://bucket/rows/*.parquet")`. Ids are unique.
        threshold: Jaccard similarity, 0.7 and up for high recall.
        id_column: Name of the column of ids.
        text_column: Name of the column of texts.
        rank_column: Name of the column of source ranks (lower is better), if they count.
        quality_column: Name of the column of qualities (higher is better), if they count.
        ngram: Words a shingle.
        mask_numbers: Compare without numbers.
        max_group: Largest bucket that is compared in full; in a larger one, rows are compared with the first by hash.
        max_driver_pairs: Pairs the driver decides upon at once; with more, it takes whole components in parts.

    Raises:
        DedupError: Daft is not installed.
    """
    daft = _import_daft()
    col = daft.col
    signed = _sign(daft, frame.with_column("text", col(text_column)), ngram, mask_numbers).collect()
    distinct = (
        signed.where(col("text_hash") != 0).groupby("text_hash").agg(col("text").min(), col("signature").any_value())
    )
    pairs, capped = _pair_buckets(daft, distinct, threshold, max_group)
    texts = distinct.select("text_hash", "text")
    joined = pairs.join(texts.select(col("text_hash").alias("left"), col("text").alias("left_text")), on="left").join(
        texts.select(col("text_hash").alias("right"), col("text").alias("right_text")), on="right"
    )
    near = _measure(daft, joined, threshold, ngram, mask_numbers).collect()
    names = {"rank": rank_column, "quality": quality_column}
    extra = [col(name).alias(alias) for alias, name in names.items() if name is not None]
    kept = signed.select(col(id_column).alias("id"), "text_hash", "size", *extra)
    rows = pl.DataFrame(pl.from_arrow(kept.to_arrow()))
    num_parts = -(-near.count_rows() // max_driver_pairs)
    if num_parts <= 1:
        return replace(resolve_pairs(rows, _name_pairs(rows, _read(near))), capped=capped)
    return replace(_resolve_parts(rows, _cut_components(daft, near, num_parts)), capped=capped)


def _import_daft() -> Any:
    try:
        import daft
    except ImportError as error:
        raise DedupError("daft is not installed", 'pip install "corpus-curator[scale]"') from error
    return daft


def _sign(daft: Any, frame: Any, ngram: int, mask_numbers: bool) -> Any:
    """Return the frame with text_hash, size and signature."""
    types = daft.DataType

    def sign(texts: Any) -> Any:
        series = pl.Series("text", texts.to_arrow()).cast(pl.String).fill_null("")
        signatures = compute_signatures(series, ngram, mask_numbers=mask_numbers, num_threads=1)
        sizes = series.str.len_bytes().cast(pl.Int64).alias("size")
        return signatures.with_columns(sizes).to_struct("signed").to_arrow()

    kind = types.struct({"text_hash": types.uint64(), "signature": types.binary(), "size": types.int64()})
    signed = daft.func.batch(return_dtype=kind)(sign)(daft.col("text"))
    frame = frame.with_column("signed", signed)
    for name in ("text_hash", "signature", "size"):
        frame = frame.with_column(name, daft.col("signed").get(name))
    return frame.exclude("signed")


def _pair_buckets(daft: Any, distinct: Any, threshold: float, max_group: int) -> tuple[Any, Capped]:
    """Return the distinct pairs (left, right: hashes) whose signatures share a band, and what was capped."""
    types, col = daft.DataType, daft.col
    bands, least = choose_bands(threshold), least_agreement(threshold)

    def list_keys(signatures: Any) -> Any:
        values = _read_values(signatures.to_pylist())
        numbered = np.arange(bands.count, dtype=np.uint64)[:, None] << np.uint64(32)
        keys = numbered | band_keys(values, bands).astype(np.uint64)
        return keys.T.tolist()

    def pair(hashes: Any, signatures: Any) -> Any:
        answers = []
        for names, values in zip(hashes.to_pylist(), signatures.to_pylist(), strict=True):
            order = np.argsort(np.array(names, dtype=np.uint64))
            first, second, _ = pair_groups(order, np.array([0, len(order)]), max_group=max_group)
            near = count_agreeing(_read_values(values), first, second) >= least
            named = np.array(names, dtype=np.uint64)
            answers.append(np.stack((named[first[near]], named[second[near]]), axis=1).tolist())
        # Through Arrow: as Python numbers, Daft would read hashes beyond 2**63 as floats.
        return pl.Series("pair", answers, dtype=pl.List(pl.List(pl.UInt64))).to_arrow()

    keyed = distinct.with_column(
        "keys", daft.func.batch(return_dtype=types.list(types.uint64()))(list_keys)(col("signature"))
    )
    buckets = (
        keyed.explode("keys")
        .groupby("keys")
        .agg(col("text_hash").list_agg(), col("signature").list_agg())
        .where(col("text_hash").list_count() > 1)
    ).collect()
    sizes = np.array(buckets.select(col("text_hash").list_count().alias("size")).to_pydict()["size"], dtype=np.int64)
    large = sizes[sizes > max_group]
    compared = [len(pair_groups(np.arange(size), np.array([0, size]), max_group=max_group)[0]) for size in large]
    capped = Capped(len(large), int((large * (large - 1) // 2).sum() - sum(compared)))
    kind = types.list(types.list(types.uint64()))
    pairs = buckets.select(daft.func.batch(return_dtype=kind)(pair)(col("text_hash"), col("signature")).alias("pair"))
    pairs = pairs.explode("pair").where(col("pair").not_null())
    ends = pairs.select(col("pair").get(0).alias("left"), col("pair").get(1).alias("right"))
    return ends.distinct(), capped


def _cut_components(daft: Any, near: Any, num_parts: int) -> Iterator[pl.DataFrame]:
    """Yield the pairs in parts; the pairs of a component are in one part."""
    labels = label_components_daft(daft, near.select("left", "right"))
    labelled = near.join(labels, left_on="left", right_on="node").collect()
    for part in range(num_parts):
        yield _read(labelled.where(daft.col("label") % num_parts == part))


def _resolve_parts(rows: pl.DataFrame, parts: Iterator[pl.DataFrame]) -> Duplicates:
    """Return what `resolve_pairs` returns, decided part by part: no choice reaches beyond a component."""
    answers, paired = [], pl.Series("text_hash", [], dtype=pl.UInt64)
    for pairs in parts:
        hashes = pl.concat([pairs["left"], pairs["right"]]).unique()
        paired = pl.concat([paired, hashes])
        mine = rows.filter(pl.col("text_hash").is_in(hashes.implode()))
        answers.append(resolve_pairs(mine, _name_pairs(mine, pairs)))
    single = rows.filter(~pl.col("text_hash").is_in(paired.implode()))
    answers.append(resolve_pairs(single, answers[0].pairs.clear()))
    place = rows.select("id").with_row_index("place")

    def join_frames(frames: list[pl.DataFrame], *keys: str) -> pl.DataFrame:
        joined = pl.concat(frames)
        places = [joined.select(id=key).join(place, on="id", how="left", maintain_order="left") for key in keys]
        return joined[np.lexsort([found["place"].to_numpy() for found in reversed(places)])]

    return Duplicates(
        kept=join_frames([answer.kept for answer in answers], "id"),
        removed=join_frames([answer.removed for answer in answers], "id"),
        pairs=join_frames([answer.pairs for answer in answers], "left", "right"),
        capped=Capped(),
        num_cut=sum(answer.num_cut for answer in answers),
        num_empty=sum(answer.num_empty for answer in answers),
        num_boilerplate=0,
    )


def _measure(daft: Any, pairs: Any, threshold: float, ngram: int, mask_numbers: bool) -> Any:
    """Return the pairs that reach the threshold: left, right (hashes) and similarity."""
    types, col = daft.DataType, daft.col

    def measure(left: Any, right: Any) -> Any:
        texts = pl.concat([pl.Series("text", side.to_arrow()).cast(pl.String) for side in (left, right)])
        count = len(texts) // 2
        index = open_index(texts, ngram, mask_numbers=mask_numbers, num_threads=1)
        return index.measure(np.arange(count), np.arange(count, 2 * count))

    score = daft.func.batch(return_dtype=types.float64())(measure)(col("left_text"), col("right_text"))
    return pairs.with_column("similarity", score).where(col("similarity") >= threshold)


def _read(near: Any) -> pl.DataFrame:
    return pl.DataFrame(pl.from_arrow(near.select("left", "right", "similarity").to_arrow()))


def _name_pairs(rows: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of hashes as pairs of ids; one row speaks for all with its hash."""
    first = rows.select("text_hash", "id").unique("text_hash", keep="first", maintain_order=True)
    named = pairs
    for side in ("left", "right"):
        ids = first.rename({"text_hash": side, "id": f"{side}_id"})
        named = named.join(ids, on=side, how="left", maintain_order="left")
    return named.select(left="left_id", right="right_id", similarity="similarity")


def _read_values(signatures: list[bytes]) -> U16:
    return np.frombuffer(b"".join(signatures), dtype="<u2").reshape(-1, NUM_PERM)
