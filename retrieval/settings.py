"""The only reader of the environment: every setting of Stipple, with its default and its meaning.

`docs/configuration.md` lists the same; a test fails when the two differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from retrieval.errors import FixableError


class Settings(BaseSettings):
    """Read once, in a command's `main`, and passed on. Each field is a variable STIPPLE_<FIELD>, or a line of .env."""

    model_config = SettingsConfigDict(env_prefix="STIPPLE_", env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Field(Path("stipple-data"), description="Folder of the index, the embeddings and the logs.")

    host: str = Field("127.0.0.1", description="Address that `stipple serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port that `stipple serve` listens on; 0 takes a free one.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe log line shown.")
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="Shape of log lines; `auto` is text on a terminal and JSON otherwise."
    )

    qdrant_url: str = Field(
        "",
        description="Qdrant server to use instead of the embedded store, as http://host:6333; of a cluster, the nodes "
        "with commas between them: those that are down are passed over.",
    )
    qdrant_api_key: str = Field("", repr=False, description="Key of that server; never logged.")
    qdrant_prefix: str = Field("stipple", description="First part of the names of its collections and alias.")
    qdrant_timeout_s: float = Field(30.0, gt=0, description="How long one request to it may take.")
    qdrant_search_timeout_s: float = Field(
        5.0, gt=0, description="How long one request of a search may take, before the search ends in a 503."
    )
    qdrant_patience_s: float = Field(
        300.0, ge=0, description="How long a reindex waits for a server that is down or overloaded, each time."
    )
    qdrant_small_changes: Literal["copy", "in_place"] = Field(
        "copy",
        description="How a reindex of little goes: in a copy of the collection that is switched to, or `in_place`, in "
        "the current one, which takes time by what changed alone, shows each post as it changes, and cannot be undone.",
    )
    qdrant_shards: int = Field(1, ge=1, le=1000, description="Shards of a generation; of a cluster, twice its nodes.")
    qdrant_replicas: int = Field(
        1, ge=1, le=100, description="Copies of each shard, on different nodes; 2 outlive the loss of any one node."
    )
    qdrant_write_consistency: int = Field(
        1, ge=1, le=100, description="Copies that must have a write before it counts as done; at most all."
    )
    qdrant_quantization: Literal["none", "int8", "binary"] = Field(
        "none",
        description="Form of the vectors that a search looks at first: `int8` takes a quarter of the memory, `binary` "
        "1/32 (for 1,024 dimensions and more); the best are scored again by the whole vectors.",
    )
    qdrant_quantized_in_memory: bool = Field(
        True, description="Whether the quantized vectors are kept in memory, also where the whole ones are on disk."
    )
    qdrant_oversampling: float = Field(
        2.0, ge=1, le=20, description="How many times as many quantized vectors are looked at as are scored again."
    )
    qdrant_vectors_on_disk: bool = Field(False, description="Whether whole vectors stay on disk until they are read.")
    qdrant_payload_on_disk: bool = Field(True, description="Whether posts stay on disk until they are read.")
    qdrant_hnsw_m: int = Field(
        16, ge=4, le=128, description="Links of each vector in the search graph; more find more, and take more memory."
    )
    qdrant_hnsw_ef_construct: int = Field(
        100, ge=16, le=2000, description="Neighbours looked at for each vector when the graph is built."
    )
    qdrant_indexing_threshold_kb: int = Field(
        10_000, ge=1, description="Vectors of so many kilobytes in one segment get a graph; less are searched whole."
    )
    qdrant_optimizer_threads: int = Field(
        0,
        ge=0,
        le=256,
        description="Threads by which it builds a generation's search graph, in each shard; few leave searches their "
        "turn. 0: as many as it likes.",
    )
    qdrant_index_while_filling: bool = Field(
        False, description="Whether the graph grows while a generation is filled, rather than at its end in one go."
    )

    embedding_model: str = Field(
        "multilingual-e5-small+all-MiniLM-L6-v2",
        description="Embedder: one name, or several joined by `+`: the first reads every text, the others also those "
        "in languages they know. Names: `multilingual-e5-small`, `all-MiniLM-L6-v2` (both installed with Stipple), a "
        "sentence-transformers model's hub id, or a folder.",
    )
    embedding_languages: str = Field(
        "",
        description="Languages the embedder knows, as `en,zh`, or `*`; empty: `en,zh` for multilingual-e5-small, `en` "
        "for all-MiniLM-L6-v2, else `*`. Only where one model is named; so are the prompts.",
    )
    embedding_query_prompt: str = Field(
        "", description="Text put before a query; empty: what the model itself declares."
    )
    embedding_passage_prompt: str = Field("", description="Text put before a passage; empty: what the model declares.")
    embedding_dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the embedder's weights; `auto` is bfloat16 where the processor has it."
    )
    embedding_backend: Literal["auto", "torch", "openvino"] = Field(
        "auto",
        description="What computes many passages: `auto` is OpenVINO where it is installed (`stipple[openvino]`), the "
        "processor embeds, and its vectors are those of torch; else torch.",
    )
    embedding_batch_tokens: int = Field(
        4096,
        ge=256,
        le=1048576,
        description="Tokens that the embedder reads at once, padding included; 16 times on a GPU.",
    )
    threads: int = Field(0, ge=0, le=256, description="Processor threads for each model; 0 is one per core.")

    readers: Literal["auto", "open", "keys", "password", "accounts", "proxy"] = Field(
        "auto",
        description="Who may read: `open`, everybody; `keys`, programs with a key (`stipple keys add --read NAME`); "
        "also people who sign in by the community's one `password` or by `accounts` (`stipple readers`), or whom a "
        "`proxy` names. `auto` is `open` on a loopback address; on others it must be said.",
    )
    read_keys: bool = Field(False, description="Earlier name of `STIPPLE_READERS=keys`.")
    reader_header: str = Field(
        "Remote-User",
        description="Header in which a proxy of `STIPPLE_TRUSTED_PROXIES` names the reader, with "
        "`STIPPLE_READERS=proxy`; from anywhere else it is not believed.",
    )
    session_days: float = Field(30.0, gt=0, le=400, description="Days until somebody has to sign in again.")
    allowed_hosts: str = Field(
        "",
        description="Names under which Stipple is reached, as `search.example.org,*.example.net`, or `*` for any; "
        "beside `localhost`, loopback addresses, `STIPPLE_HOST` and the address that a connection came to.",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of the reverse proxies whose `X-Forwarded-For` is believed, as "
        "`127.0.0.1,10.0.0.0/8`; empty: nobody's.",
    )
    metrics_from: str = Field(
        "127.0.0.0/8,::1",
        description="Addresses or networks that may read `/metrics`; for others there is no such page.",
    )
    limit_search: str = Field(
        "240/minute",
        description="Searches and pages of one client, as `240/minute` or `10/second;5000/day`; empty: any number. A "
        "client is a key, or an address; loopback is not limited.",
    )
    limit_answer: str = Field("60/minute;2000/day", description="Answers of one client.")
    limit_conversation: str = Field(
        "120/minute", description="Conversations that one client reads or deletes, each time one."
    )
    limit_feedback: str = Field("20/minute;200/day", description="Verdicts on answers by one client.")
    limit_sign_in: str = Field(
        "10/minute;200/day",
        description="Times that somebody at one address may try to sign in; holds for loopback too.",
    )
    limit_kept: str = Field(
        "100/day",
        description="Conversations begun by one client that are kept; further ones are answered, and not kept.",
    )
    limit_storage: str = Field(
        "memory://",
        description="Where requests are counted: `memory://`, of this process alone, or `redis://host:6379` (also of "
        "Valkey), which several processes share; needs the package `redis`.",
    )
    most_connections: int = Field(
        512, ge=8, le=65535, description="Connections at once; a further one gets 503 and is closed."
    )
    most_asking: int = Field(
        0,
        ge=0,
        le=10000,
        description="Searches and answers that are worked on at once, others wait in a queue; 0: four for each "
        "processor.",
    )
    most_waiting: int = Field(64, ge=0, le=100000, description="Requests in that queue; a further one gets 503.")
    longest_wait_s: float = Field(
        10.0, gt=0, le=300, description="Longest that a request waits there, before it gets 503."
    )
    reindex_niceness: int = Field(
        10, ge=0, le=19, description="How far `stipple reindex` steps aside for whoever answers people; 0 not at all."
    )

    dense_weight_known: float = Field(
        0.85, ge=0, le=1, description="Share of cosine in the fused score, in a language that the embedder knows."
    )
    dense_weight_unknown: float = Field(
        0.8,
        ge=0,
        le=1,
        description="The same in a language it does not know, for very short passages; less for long ones.",
    )
    candidates: int = Field(100, ge=10, le=1000, description="Passages that each of dense and lexical search brings.")

    boost_freshness: float = Field(
        0.0, ge=0, le=0.4, description="Share of the score that goes by how new a post is; the match has the rest."
    )
    boost_popularity: float = Field(
        0.0, ge=0, le=0.4, description="Share of the score that goes by how many likes a post has."
    )
    boost_half_life_days: float = Field(
        180.0, gt=0, description="A post so many days older than the newest one found counts as half as fresh."
    )

    rerank_model: str = Field(
        "", description="CrossEncoder that re-orders the best hits: a hub id or a folder; empty: none."
    )
    rerank_hits: int = Field(30, ge=2, le=200, description="How many of the best hits it reads.")
    rerank_budget_ms: int = Field(
        300, ge=1, le=60000, description="Longest that a search waits for it; then the fused order is served."
    )

    remember_queries: bool = Field(
        True, description="Whether what people ask is kept, without who asked, to suggest it to others."
    )

    keep_conversations: bool = Field(
        True,
        description="Whether conversations and feedback are kept, without who asked; without, each question is alone.",
    )
    conversation_turns: int = Field(20, ge=1, le=200, description="Most questions of one conversation.")
    conversations_kept: int = Field(
        1000, ge=1, le=1_000_000, description="Conversations kept; of more, those that rested longest go."
    )
    conversation_days: float = Field(30.0, gt=0, le=36500, description="Days that one is kept after its last question.")
    followups: int = Field(3, ge=0, le=5, description="Questions suggested after an answer, each tried first; 0: none.")

    llm: str = Field(
        "qwen2.5-coder-1.5b",
        description="Model that writes answers: a name that `stipple models` lists (`stipple models pull` brings it), "
        "a GGUF file, `owner/repo:file.gguf` or `owner/repo:Q4_K_M` on the hub, the address of an OpenAI-compatible "
        "endpoint as `http://host:8080/v1`, or `none` for answers made of quotes alone.",
    )
    llm_model: str = Field("", description="Name of the model at the endpoint; empty: the first that it offers.")
    llm_api_key: str = Field("", repr=False, description="Key of the endpoint; never logged.")
    llm_parallel: int = Field(
        4, ge=1, le=256, description="Answers written at once: asked of the endpoint, or by a GGUF (then at most 16)."
    )
    llm_niceness: int = Field(
        10, ge=0, le=19, description="How far the process that writes with a GGUF gives way to searches; 0: not at all."
    )
    llm_memory_gb: float = Field(
        0.0, ge=0, le=4096, description="Most memory of that process beside the model's file, in GB; 0: no limit."
    )
    llm_connect_timeout_s: float = Field(
        5.0, gt=0, description="How long the endpoint may take to accept a connection."
    )
    llm_read_timeout_s: float = Field(
        60.0, gt=0, description="How long the endpoint may be silent, before its first word or between two."
    )
    llm_retries: int = Field(
        2,
        ge=0,
        le=10,
        description="Times that it is asked again after 429, 5xx or a broken connection, before a word came.",
    )
    llm_request_fields: str = Field(
        "", description="JSON object put into each request to the endpoint, for what only it knows; empty: nothing."
    )
    llm_languages: str = Field(
        "",
        description="Languages it writes, as `en,zh`, or `*`; empty: what `stipple models` lists, of any other `*`.",
    )
    llm_context_tokens: int = Field(
        4096,
        ge=512,
        le=1048576,
        description="Context given to the model; of an endpoint, what is assumed where it does not say.",
    )
    llm_gpu_layers: int = Field(
        0, ge=-1, le=1000, description="Layers of a GGUF put on the GPU, -1 for all; needs llama.cpp built for it."
    )
    llm_thinking_tokens: int = Field(
        -1,
        ge=-1,
        le=65536,
        description="Most tokens that a reasoning model may think before it answers; -1: 0 (not at all) for a GGUF "
        "here, 2048 at an endpoint.",
    )
    llm_max_tokens: int = Field(256, ge=16, le=4096, description="Most tokens that it may write for one answer.")
    llm_timeout_s: float = Field(
        120.0, gt=0, description="Longest that one answer may be written; then what is there counts."
    )
    llm_queue: int = Field(16, ge=0, le=1000, description="Askers that may wait for the model; one more gets quotes.")
    llm_queue_s: float = Field(
        25.0,
        gt=0,
        le=600,
        description="Seconds from when a question came until its turn at the model; after that it gets quotes.",
    )

    answer_hits: int = Field(
        6, ge=1, le=20, description="Posts that an answer may draw on, without two in another language."
    )
    answer_sentences: int = Field(
        3, ge=1, le=10, description="Most sentences that a model writes, and most quotes under them."
    )
    answer_gate: float = Field(
        0.5, ge=0, le=1, description="How sure Stipple must be that the posts answer; 0 always answers, 1 never does."
    )
    answer_support: float = Field(
        0.5, ge=0, le=1, description="Least support by its posts that a written sentence needs in order to be shown."
    )
    nli_model: str = Field(
        "", description="CrossEncoder that checks written sentences as well: a hub id or a folder; empty: none."
    )
    nli_budget_ms: int = Field(
        2000, ge=1, le=60000, description="Longest that a sentence waits for it; then the other checks decide alone."
    )


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        FixableError: A variable has an invalid value; names the variable and what is allowed.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "STIPPLE_" + str(first["loc"][0]).upper() if first["loc"] else "STIPPLE_*"
        raise FixableError(
            f"the setting {name} is {first['input']!r}: {first['msg']}", f"correct {name} (docs/configuration.md)"
        ) from None


def changed(settings: Settings, given: Mapping[str, object]) -> Settings:
    """The settings, overridden by a command's options.

    Raises:
        FixableError: An option has an invalid value.
    """
    try:
        return Settings.model_validate({**settings.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise FixableError(
            f"{name} is {first['input']!r}: {first['msg']}", f"correct the option that sets {name}"
        ) from None
