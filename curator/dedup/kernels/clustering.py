"""The loops of `curator.dedup.clusters`, compiled as they stand."""

from curator.dedup import clusters
from curator.dedup.kernels.jit import jit

cover_nodes = jit(clusters.cover_nodes)
join_components = jit(clusters.join_components)
