"""Older generations: go back to one, or delete all that is not in use."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from indexer.journal.journal import Journal
from indexer.pipeline.post_encoder import PassageWeigher
from indexer.progress import Progress
from indexer.rejects import RejectsLog
from indexer.run.reindex import RunOptions, reindex, trim
from retrieval.disk import naming_disk_trouble
from retrieval.errors import FixableError, IndexMissing
from retrieval.models.embedding import Embedder
from retrieval.settings import Settings
from retrieval.sqlite_file import compact, open_sqlite
from retrieval.stores.contract import GenerationInfo, PostStore


def rollback(store: PostStore, name: str = "") -> tuple[GenerationInfo, GenerationInfo]:
    """Make another generation the current one; what opens it applies the journal.

    Args:
        name: Which; "" takes the one before the current one.

    Returns:
        The previous current generation, and the new one.

    Raises:
        IndexMissing, FixableError: There is no such generation.
        IndexLocked: Another process is writing.
    """
    with store.writing():
        generations, current = store.generations(), store.current()
        before = next((info for info in generations if info.name == current), None)
        if before is None and not generations:
            raise IndexMissing("nothing is indexed yet", "run `stipple reindex PATH`")
        # Where the current one is gone from the disk, the last of the others is the one before it.
        place = generations.index(before) if before is not None else len(generations)
        found = [info for info in generations if info.name == name] if name else generations[:place][-1:]
        if not found:
            assert before is not None, "without a current one, every other may be the one"  # or its name was wrong
            others = ", ".join(info.name for info in generations if info != before) or "none"
            what = f"there is no generation {name!r}" if name else f"there is no generation before {before.name}"
            raise FixableError(f"{what}; others: {others}", "name one of them, or reindex the posts you had before")
        store.switch(found[0].name)
    return before or found[0], found[0]


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted, and what is left."""

    generation: str
    posts: int
    generations: int
    rejects_files: int
    freed_bytes: int

    def __str__(self) -> str:
        return (
            f"kept {self.posts:,} posts in {self.generation}; deleted {self.generations:,} generations and "
            f"{self.rejects_files:,} rejects files; {self.freed_bytes / 1e6:,.1f} MB less on disk"
        )


def prune(
    store: PostStore, embedder: Embedder, weigher: PassageWeigher, settings: Settings, progress: Progress
) -> Pruned:
    """Rewrite the current generation, and delete the others, rejects files, and the space of deleted rows.

    Embeddings are kept, so that nothing is embedded again. A running server follows.

    Raises:
        IndexMissing, IndexLocked, FixableError: As `reindex` does.
    """
    data_dir = settings.data_dir
    if store.current() is None:
        raise IndexMissing(f"nothing is indexed in {data_dir}", "run `stipple reindex PATH`")
    before_bytes = _size_bytes(data_dir)
    old = {info.name for info in store.generations()}
    with RejectsLog(data_dir / "rejects" / "prune.rejects.jsonl", progress.saying) as rejects:
        summary = reindex(
            store, embedder, weigher, (), data_dir=data_dir, progress=progress, rejects=rejects,
            index_here=not settings.qdrant_url, options=RunOptions(anew=True),
        )  # fmt: skip
    with naming_disk_trouble(data_dir), store.writing():
        for info in store.generations():
            if info.name != store.current():
                store.drop(info.name)
        files = sorted((data_dir / "rejects").glob("*.jsonl"))
        for path in files:
            path.unlink()
        with Journal(data_dir / "journal.sqlite") as journal:
            trim(journal, store)
        for path in sorted(data_dir.glob("*.sqlite")):
            with closing(open_sqlite(path, autocommit=True)) as database:
                compact(database)
    return Pruned(summary.generation, summary.posts, len(old), len(files), before_bytes - _size_bytes(data_dir))


def _size_bytes(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
