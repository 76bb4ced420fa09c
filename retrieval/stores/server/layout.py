"""Layout of a generation's collection on a Qdrant server: shards, replicas, memory, search structures.

The settings apply to the next generation that is written; existing ones stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from qdrant_client import models

from retrieval.settings import Settings
from retrieval.stores.payload import DENSE, FILTERED, TERMS
from retrieval.types import Identity

_KINDS = {
    "keyword": models.PayloadSchemaType.KEYWORD,
    "integer": models.PayloadSchemaType.INTEGER,
    "geo": models.PayloadSchemaType.GEO,
}
# Every field used by filters. `ordinal` identifies a post's first passage, by which posts are listed and counted.
PAYLOAD_INDEXES = {field: _KINDS[kind] for field, kind in (FILTERED | {"ordinal": "integer"}).items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """The settings STIPPLE_QDRANT_…; docs/configuration.md says what each means."""

    shards: int = 1
    replicas: int = 1
    write_consistency: int = 1
    quantization: Literal["none", "int8", "binary"] = "none"
    quantized_in_memory: bool = True
    oversampling: float = 2.0
    vectors_on_disk: bool = False
    payload_on_disk: bool = True
    hnsw_m: int = 16
    hnsw_ef_construct: int = 100
    indexing_threshold_kb: int = 10_000
    index_while_filling: bool = False
    optimizer_threads: int = 0

    def collection(self, identity: Identity) -> dict[str, Any]:
        """Arguments of `create_collection`, except for the name and the metadata."""
        # Without links no graph is built, but segments are still merged and moved to disk, as Qdrant's
        # documentation recommends for writing with little memory ("Bulk upload", m: 0).
        links = self.hnsw_m if self.index_while_filling else 0
        return {
            "vectors_config": {
                DENSE: models.VectorParams(
                    size=identity.dimension, distance=models.Distance.COSINE, on_disk=self.vectors_on_disk
                )
            },
            "sparse_vectors_config": {TERMS: models.SparseVectorParams(modifier=models.Modifier.IDF)},
            "shard_number": self.shards,
            "replication_factor": self.replicas,
            "write_consistency_factor": self.write_consistency,
            "on_disk_payload": self.payload_on_disk,
            "hnsw_config": self._hnsw(links),
            "optimizers_config": models.OptimizersConfigDiff(
                indexing_threshold=self.indexing_threshold_kb, max_optimization_threads=self.optimizer_threads or None
            ),
            "quantization_config": self._quantization(),
        }

    def when_filled(self) -> dict[str, Any] | None:
        """Arguments of `update_collection` after the last passage is written; None if there is nothing to do."""
        if self.index_while_filling:
            return None
        return {"hnsw_config": self._hnsw(self.hnsw_m)}

    def search(self, hnsw_ef: int) -> models.SearchParams:
        """How to search for the nearest passages. Scores are those of the full vectors, even if they are quantized."""
        if self.quantization == "none":
            return models.SearchParams(hnsw_ef=hnsw_ef)
        rescored = models.QuantizationSearchParams(rescore=True, oversampling=self.oversampling)
        return models.SearchParams(hnsw_ef=hnsw_ef, quantization=rescored)

    def exact(self) -> models.SearchParams:
        """How one side scores the passages of the other: exactly."""
        if self.quantization == "none":
            return models.SearchParams(exact=True)
        return models.SearchParams(exact=True, quantization=models.QuantizationSearchParams(ignore=True))

    def _hnsw(self, links: int) -> models.HnswConfigDiff:
        return models.HnswConfigDiff(
            m=links, ef_construct=self.hnsw_ef_construct, max_indexing_threads=self.optimizer_threads or None
        )

    def _quantization(self) -> models.ScalarQuantization | models.BinaryQuantization | None:
        match self.quantization:
            case "int8":
                # The outermost hundredth of the values would make the scale too coarse: Qdrant's own advice.
                scalar = models.ScalarQuantizationConfig(
                    type=models.ScalarType.INT8, quantile=0.99, always_ram=self.quantized_in_memory
                )
                return models.ScalarQuantization(scalar=scalar)
            case "binary":
                binary = models.BinaryQuantizationConfig(always_ram=self.quantized_in_memory)
                return models.BinaryQuantization(binary=binary)
        return None


def layout_of(settings: Settings) -> Layout:
    return Layout(
        shards=settings.qdrant_shards,
        replicas=settings.qdrant_replicas,
        write_consistency=settings.qdrant_write_consistency,
        quantization=settings.qdrant_quantization,
        quantized_in_memory=settings.qdrant_quantized_in_memory,
        oversampling=settings.qdrant_oversampling,
        vectors_on_disk=settings.qdrant_vectors_on_disk,
        payload_on_disk=settings.qdrant_payload_on_disk,
        hnsw_m=settings.qdrant_hnsw_m,
        hnsw_ef_construct=settings.qdrant_hnsw_ef_construct,
        indexing_threshold_kb=settings.qdrant_indexing_threshold_kb,
        index_while_filling=settings.qdrant_index_while_filling,
        optimizer_threads=settings.qdrant_optimizer_threads,
    )
