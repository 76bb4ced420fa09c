"""What a GGUF file says of itself, read from its first kilobytes: enough to tell a bad one before llama.cpp loads it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from retrieval.errors import ModelMissing

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_LONGEST_STRING, _MOST_KEYS, _MOST_ITEMS = 1 << 24, 1 << 16, 1 << 24
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
_KV_BYTES = 2  # a number of the KV cache, as llama.cpp makes it unasked: f16
_WORKING_BYTES = 300 << 20  # compute buffers and the interpreter's own; 180-280 MB seen from 0.1 to 8 B parameters


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A model on disk.

    Attributes:
        parts: The file, or all parts of a split one in order.
        size_bytes: Of all parts.
        fields: Its metadata before the tokenizer's, by key: scalars, strings and short arrays.
    """

    parts: tuple[Path, ...]
    size_bytes: int
    fields: dict[str, Any]

    @property
    def architecture(self) -> str:
        return str(self.fields.get("general.architecture", ""))

    def memory_bytes(self, context_tokens: int, *, weights: bool = True) -> int:
        """Memory that it needs with such a context: weights, KV cache and working space.

        An estimate that errs to the high side: a sliding window, which makes the cache smaller, is not counted.

        Args:
            weights: False where they go to a GPU.
        """
        layers = self._number("block_count", 0)
        heads = max(1, self._number("attention.head_count", 1))
        groups = self.fields.get(f"{self.architecture}.attention.head_count_kv")
        if isinstance(groups, list):  # a number for each layer
            key_heads = sum(group for group in groups if isinstance(group, int))
        else:
            key_heads = self._number("attention.head_count_kv", heads) * layers
        head = self._number("embedding_length", 0) // heads
        width = self._number("attention.key_length", head) + self._number("attention.value_length", head)
        cache = context_tokens * key_heads * width * _KV_BYTES
        return cache + _WORKING_BYTES + (self.size_bytes if weights else 0)

    def _number(self, name: str, default: int) -> int:
        value = self.fields.get(f"{self.architecture}.{name}", default)
        if isinstance(value, list):
            value = max((one for one in value if isinstance(one, int)), default=default)
        return value if isinstance(value, int) else default


def open_gguf(path: Path) -> GgufFile:
    """The model in this file, or in the split files of which this is the first.

    Raises:
        ModelMissing: There is no such file, it cannot be read, is not a GGUF file, is cut off within its head, or is
            a part of a split model without the others.
    """
    parts = _parts(path)
    try:
        size = sum(part.stat().st_size for part in parts)
        with path.open("rb") as file:
            fields = _fields(file, path)
    except OSError as error:
        raise ModelMissing(
            f"the model file {path} cannot be read: {error.strerror}",
            "set STIPPLE_LLM to a name that `stipple models` lists, a GGUF file, `owner/repo:file.gguf`, an endpoint's "
            "http address, smollm2 or none",
        ) from error
    return GgufFile(parts, size, fields)


def _parts(path: Path) -> tuple[Path, ...]:
    split = _PART.search(path.name)
    if split is None:
        return (path,)
    stem, number, count = path.name[: split.start()], int(split[1]), int(split[2])
    parts = [path.with_name(f"{stem}-{part:05}-of-{count:05}.gguf") for part in range(1, count + 1)]
    if number != 1:
        raise ModelMissing(
            f"{path.name} is part {number} of {count} of a model", f"set STIPPLE_LLM to its first part, {parts[0]}"
        )
    missing = [part.name for part in parts[1:] if not part.is_file()]
    if missing and path.is_file():
        raise ModelMissing(
            f"of the {count} parts of {path.name} these are missing: {', '.join(missing)}",
            f"put them beside it, in {path.parent}",
        )
    return tuple(parts)


def _fields(file: BinaryIO, path: Path) -> dict[str, Any]:
    magic = file.read(4)
    if magic != _MAGIC:
        begins = "it is empty" if not magic else f"it begins with {magic!r}"
        raise ModelMissing(f"{path} is no GGUF file: {begins}", "set STIPPLE_LLM to a model in llama.cpp's GGUF format")
    fields: dict[str, Any] = {}
    try:
        version, _, keys = struct.unpack("<IQQ", file.read(20))
        if not 2 <= version <= 9 or keys > _MOST_KEYS:
            raise _DamagedError
        for _ in range(keys):
            key = _string(file)
            if key.startswith("tokenizer."):
                break  # the vocabulary: megabytes, and nothing in it that is asked for here
            (kind,) = struct.unpack("<I", file.read(4))
            fields[key] = _value(file, kind)
    except (struct.error, UnicodeDecodeError, _DamagedError):
        raise ModelMissing(
            f"{path} ({path.stat().st_size:,} bytes) is cut off or damaged within its head",
            "download it again, and compare its size with the publisher's",
        ) from None
    return fields


class _DamagedError(Exception):
    """A count or a type that no GGUF file has."""


def _string(file: BinaryIO) -> str:
    (size,) = struct.unpack("<Q", file.read(8))
    if size > _LONGEST_STRING:
        raise _DamagedError
    data = file.read(size)
    if len(data) < size:
        raise _DamagedError
    return data.decode("utf-8")


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _string(file)
    if kind == _ARRAY:
        item, count = struct.unpack("<IQ", file.read(12))
        if count > _MOST_ITEMS:
            raise _DamagedError
        return [_value(file, item) for _ in range(count)]
    if kind not in _SCALARS:
        raise _DamagedError
    form = _SCALARS[kind]
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]
