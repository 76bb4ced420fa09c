"""The layout of a generation on a Qdrant server: what is requested over HTTP, and what a search requests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retrieval.errors import FixableError, StoreUnreachable
from retrieval.settings import Settings
from retrieval.stores.payload import FILTERED, conditions
from retrieval.stores.server.store import ServerStore, connect
from retrieval.types import Filters, Near
from tests.retrieval.stores.offered import DAY_0, IDENTITY, a_query, fill, some_posts
from tests.retrieval.stores.server.http_qdrant import HttpQdrant


def store_on(server: HttpQdrant, folder: Path, **settings: Any) -> ServerStore:
    return connect(Settings(data_dir=folder, _env_file=None, qdrant_url=server.url, **settings))


def created(server: HttpQdrant) -> dict[str, Any]:
    (made,) = server.created.values()
    return made


def patched(server: HttpQdrant) -> list[dict[str, Any]]:
    return [one.body for one in server.asked if one.method == "PATCH"]


def test_a_collection_is_made_as_the_settings_say(server: HttpQdrant, tmp_path: Path) -> None:
    store = store_on(
        server, tmp_path, qdrant_shards=6, qdrant_replicas=2, qdrant_write_consistency=2, qdrant_quantization="int8",
        qdrant_vectors_on_disk=True, qdrant_payload_on_disk=False, qdrant_hnsw_m=32, qdrant_hnsw_ef_construct=256,
        qdrant_indexing_threshold_kb=20_000,
    )  # fmt: skip
    fill(store, some_posts(2))
    made = created(server)
    assert (made["shard_number"], made["replication_factor"], made["write_consistency_factor"]) == (6, 2, 2)
    assert made["vectors"]["dense"] == {"size": 16, "distance": "Cosine", "on_disk": True}
    assert made["sparse_vectors"]["terms"] == {"modifier": "idf"}
    assert made["on_disk_payload"] is False
    assert made["optimizers_config"] == {"indexing_threshold": 20_000}
    scalar = made["quantization_config"]["scalar"]
    assert (scalar["type"], scalar["always_ram"]) == ("int8", True)


def test_the_graph_is_built_when_the_last_passage_is_written(server: HttpQdrant, tmp_path: Path) -> None:
    fill(store_on(server, tmp_path, qdrant_hnsw_m=32, qdrant_hnsw_ef_construct=256), some_posts(2))
    assert created(server)["hnsw_config"] == {"m": 0, "ef_construct": 256}
    graph, facts = patched(server)
    assert graph == {"hnsw_config": {"m": 32, "ef_construct": 256}}
    assert "created_at" in facts["metadata"]  # a generation is finished once its metadata has the time
    paths = [(one.method, one.path.rpartition("/")[2]) for one in server.asked]
    assert paths.index(("PATCH", f"stipple-{store_on(server, tmp_path).current()}")) > paths.index(("PUT", "points"))


def test_the_graph_grows_meanwhile_where_that_is_set(server: HttpQdrant, tmp_path: Path) -> None:
    fill(store_on(server, tmp_path, qdrant_index_while_filling=True), some_posts(2))
    assert created(server)["hnsw_config"] == {"m": 16, "ef_construct": 100}
    assert [list(one) for one in patched(server)] == [["metadata"]]


def test_the_server_is_waited_for_until_it_has_built_and_said_so_twice(server: HttpQdrant, tmp_path: Path) -> None:
    store = store_on(server, tmp_path)
    writer = store.begin(IDENTITY)
    writer.upsert(some_posts(3))
    server.statuses = ["green", "green", "yellow", "yellow", "grey", "green", "yellow", "green", "green"]
    writer._poll_s = 0
    server.asked.clear()
    writer.finish()
    assert server.statuses == []
    assert {"optimizers_config": {}} in patched(server)  # an empty change wakes a server that waits for a write


def test_a_server_that_fails_to_build_is_told(server: HttpQdrant, tmp_path: Path) -> None:
    writer = store_on(server, tmp_path).begin(IDENTITY)
    server.statuses = ["green", "red"]
    with pytest.raises(StoreUnreachable, match="failed at stipple-0001"):
        writer.finish()


def test_every_field_that_is_filtered_by_has_an_index_of_its_kind_before_the_first_passage(
    server: HttpQdrant, tmp_path: Path
) -> None:
    fill(store_on(server, tmp_path), some_posts(2))
    (indexed,) = server.indexed.values()
    assert indexed == {
        "author": "keyword", "tags": "keyword", "language": "keyword", "created_at": "integer", "likes": "integer",
        "place": "geo", "ordinal": "integer",
    }  # fmt: skip
    paths = [one.path.rpartition("/")[2] for one in server.asked if one.method == "PUT"]
    assert paths == [paths[0], *["index"] * 7, "points"]


def test_no_filter_asks_for_a_field_without_an_index() -> None:
    everything = Filters(
        authors=("a",), tags=("b",), languages=("en",), since=DAY_0, until=DAY_0, min_likes=1, max_likes=2,
        without_authors=("c",), without_tags=("d",), near=Near(1, 2, 3),
    )  # fmt: skip
    assert {one.field for one in conditions(everything)} == set(FILTERED)


def test_an_index_that_is_missing_at_the_end_is_made_and_one_of_another_kind_is_told(
    server: HttpQdrant, tmp_path: Path
) -> None:
    store = store_on(server, tmp_path)
    writer = store.begin(IDENTITY)
    del server.indexed[f"stipple-{writer.name}"]["tags"]
    writer.finish()
    assert server.indexed[f"stipple-{writer.name}"]["tags"] == "keyword"
    writer = store.begin(IDENTITY)
    server.indexed[f"stipple-{writer.name}"]["likes"] = "keyword"
    with pytest.raises(FixableError, match=r"likes .* indexed as keyword, and has to be integer"):
        writer.finish()


def test_the_graph_is_built_by_as_many_threads_as_are_set(server: HttpQdrant, tmp_path: Path) -> None:
    fill(store_on(server, tmp_path, qdrant_optimizer_threads=1), some_posts(3))
    made = created(server)
    assert made["optimizers_config"]["max_optimization_threads"] == made["hnsw_config"]["max_indexing_threads"] == 1
    [graph] = [one["hnsw_config"] for one in patched(server) if "hnsw_config" in one]
    assert graph["max_indexing_threads"] == 1


@pytest.mark.parametrize(("quantization", "kind"), [("int8", "scalar"), ("binary", "binary")])
def test_quantized_vectors_are_looked_at_first_and_whole_ones_score(
    quantization: str, kind: str, server: HttpQdrant, tmp_path: Path
) -> None:
    store = store_on(server, tmp_path, qdrant_quantization=quantization, qdrant_oversampling=3.0)
    fill(store, some_posts(40))
    assert kind in created(server)["quantization_config"]
    server.asked.clear()
    store.open(IDENTITY).candidates(*a_query(1), 5, Filters())
    [searches] = (one.body["searches"] for one in server.asked if one.path.endswith("/query/batch"))
    first, second = [one for one in searches if "prefetch" not in one], [one for one in searches if "prefetch" in one]
    assert len(first) == len(second) == 2
    for one in [*first, *(prefetch for each in second for prefetch in each["prefetch"])]:
        assert {"rescore": True, "oversampling": 3.0}.items() <= one["params"]["quantization"].items()
        assert one["params"]["hnsw_ef"] == 20
    for one in second:
        assert one["params"]["exact"] is True
        assert one["params"]["quantization"]["ignore"] is True


def test_nothing_is_said_of_quantization_where_there_is_none(server: HttpQdrant, tmp_path: Path) -> None:
    store = store_on(server, tmp_path)
    fill(store, some_posts(3))
    server.asked.clear()
    store.open(IDENTITY).candidates(*a_query(1), 2, Filters())
    assert "quantization_config" not in created(server)
    searched = [one.body["searches"] for one in server.asked if one.path.endswith("/query/batch")]
    assert all("quantization" not in one["params"] for some in searched for one in some)
