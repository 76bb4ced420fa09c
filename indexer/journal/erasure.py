"""Erases posts on disk: from the journal, every generation, the embedding cache, and rejected lines.

The process that has the index open follows the journal, and tells what keeps posts' words elsewhere.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from indexer.journal.journal import Journal
from indexer.pipeline.embedding_cache import forget_embeddings
from retrieval.disk import naming_disk_trouble
from retrieval.ingestion import ErasureTargets
from retrieval.stores.contract import PostStore
from retrieval.stores.payload import name_key


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was forgotten.

    Attributes:
        posts: Ids that were given, or found for the authors.
        found: How many of them were in the index or the journal.
        authors: Handles whose posts are blocked from now on.
        lines: How many rejected lines were deleted.
    """

    posts: tuple[str, ...]
    found: int
    authors: tuple[str, ...]
    lines: int

    def __str__(self) -> str:
        text = f"forgot {_count(self.found, 'post')}"
        if missing := len(self.posts) - self.found:
            text += f"; {_count(missing, 'ID')} not in the index, blocked too"
        if self.authors:
            text += f"; {_count(len(self.authors), 'author')} blocked from now on"
        return text + "; `stipple prune` frees the space and deletes old generations"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def forget(
    store: PostStore,
    data_dir: Path,
    post_ids: Sequence[str],
    authors: Sequence[str] = (),
    *,
    by: str,
    erasure_targets: ErasureTargets = MappingProxyType({}),
) -> Erasure:
    """Forget posts, and everything by these authors, also in the future. Durable, and invisible to readers, on return.

    Args:
        by: Who asked, for the audit.
        erasure_targets: What else forgets these posts at once; a running server has its own.

    Raises:
        FixableError: The disk is full or forbidden.
    """
    with naming_disk_trouble(data_dir), Journal(data_dir / "journal.sqlite") as journal:
        names = {name_key(author) for author in authors}
        ids = list(dict.fromkeys([*post_ids, *_written_by(names, store, journal)]))
        waiting = journal.pending(ids, 0)
        found = {*store.stored_hashes(ids), *(key for key, content_hash in waiting.items() if content_hash)}
        journal.forget(ids, by, authors)  # first: whatever happens next, they stay blocked
        forget_in_files(store, data_dir, ids)
        lines = _forget_rejects(data_dir / "rejects", set(ids), names)
        for target in erasure_targets.values():
            target(ids)
    return Erasure(tuple(ids), len(found), tuple(authors), lines)


def forget_in_files(store: PostStore, data_dir: Path, ids: Sequence[str]) -> None:
    """Delete posts from every generation, and vectors that only they needed."""
    store.wipe(ids)
    forget_embeddings(data_dir / "embeddings.sqlite", ids)


def _written_by(names: Collection[str], store: PostStore, journal: Journal) -> Iterator[str]:
    if not names:
        return
    for stored in store.stored_posts():
        if name_key(stored.post.author) in names:
            yield stored.post.id
    for batch in journal.batches(0):
        for change in batch:
            if change.stored is not None and name_key(change.stored.post.author) in names:
                yield change.post_id


def _forget_rejects(folder: Path, ids: Collection[str], names: Collection[str]) -> int:
    """Delete the rejected lines of these ids and authors, as far as they can be read; returns how many."""
    deleted = 0
    for path in sorted(folder.glob("*.jsonl")) if folder.is_dir() else ():
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not _names(line, ids, names)]
        if len(kept) == len(lines):
            continue
        deleted += len(lines) - len(kept)
        draft = path.with_name(path.name + ".new")
        with draft.open("wb") as file:
            file.writelines(kept)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return deleted


def _names(line: bytes, ids: Collection[str], names: Collection[str]) -> bool:
    try:
        raw = json.loads(line)["raw"]
    except (ValueError, KeyError, TypeError):
        return False
    try:
        line_value = json.loads(raw)
    except ValueError:
        # Not JSON, so without fields: an id in quotation marks may be the post's.
        return any(f'"{one}"' in raw for one in ids)
    if not isinstance(line_value, dict):
        return False
    author = line_value.get("author")
    return str(line_value.get("id", "")) in ids or (isinstance(author, str) and name_key(author.lstrip("@")) in names)
