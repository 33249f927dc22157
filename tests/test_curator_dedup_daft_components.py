import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curator.dedup.clusters import label_components

pytest.importorskip("daft", reason='daft is not installed: pip install "corpus-curator[scale]"')
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
# Beyond 2**63, as hashes are: no step may take them for signed numbers or floats.
FIRST_NODE = (1 << 64) - 5_000


def label_distributed(edges: np.ndarray) -> dict[int, int]:
    import daft

    from curator.dedup.daft_components import label_components_daft

    named = edges.astype(np.uint64) + np.uint64(FIRST_NODE)
    frame = daft.from_arrow(pl.DataFrame({"left": named[:, 0], "right": named[:, 1]}).to_arrow())
    labels = pl.DataFrame(pl.from_arrow(label_components_daft(daft, frame).to_arrow()))
    assert labels["node"].is_unique().all()
    return {node - FIRST_NODE: label - FIRST_NODE for node, label in labels.select("node", "label").iter_rows()}


def label_by_union_find(edges: np.ndarray) -> dict[int, int]:
    labels = label_components(int(edges.max(initial=-1)) + 1, edges[:, 0].copy(), edges[:, 1].copy())
    tied = np.unique(edges[edges[:, 0] != edges[:, 1]])
    return dict(zip(tied.tolist(), labels[tied].tolist(), strict=True))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_stars_end_in_the_components_of_union_find(pairs):
    edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    assert label_distributed(edges) == label_by_union_find(edges)


def test_a_long_path_settles_in_few_rounds(monkeypatch):
    from curator.dedup import daft_components

    order = np.random.default_rng(3).permutation(600)
    edges = np.stack((order[:-1], order[1:]), axis=1)
    monkeypatch.setattr(daft_components, "MAX_ROUNDS", 12)
    assert label_distributed(edges) == dict.fromkeys(range(600), 0)
