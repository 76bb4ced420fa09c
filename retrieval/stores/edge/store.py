"""The embedded store: Qdrant Edge in this process, one folder per generation, a pointer file to the current one.

    <data_dir>/index/CURRENT                      name of the current generation
                     writing.lock                 held by the process that writes
                     generations/0001-<model>-s1/ manifest.json (written last), posts.sqlite, edge/ (the shard),
                                                  open.lock (held by the process that has the shard open),
                                                  changing.lock (held while it is changed, or copied)

A shard is open in one process at a time. The catalog beside it (posts.sqlite) is not locked, so that a reindex in
another process can compare and carry over what a server has open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

from retrieval.disk import naming_folder_trouble, refuse_nearly_full, write_durably
from retrieval.errors import FixableError, IndexLocked, IndexMissing
from retrieval.stores.contract import GenerationInfo, Reached, StoredPost, say_nothing
from retrieval.stores.edge.generation import CATALOG, EdgeGeneration, changing
from retrieval.stores.edge.manifest import MANIFEST, read_manifest, rebuilding
from retrieval.stores.edge.post_catalog import Catalog
from retrieval.stores.edge.post_catalog_changes import CatalogChanger
from retrieval.stores.edge.writer import EdgeWriter, copy_generation, delete_generation
from retrieval.stores.generations import NAME, generation_name, holding, refuse_mismatch
from retrieval.types import Identity


class EdgeStore:
    """A PostStore in a local folder. Nothing is created there before something is written."""

    def __init__(self, data_dir: Path) -> None:
        self._root = data_dir / "index"
        self._generations = self._root / "generations"
        self._pointer = self._root / "CURRENT"

    def current(self) -> str | None:
        """See PostStore; None also if the folder was deleted, so that a reindex rebuilds it."""
        name = self._pointed()
        return name if name is not None and (self._generations / name).is_dir() else None

    def generations(self) -> list[GenerationInfo]:
        return [_info(folder) for folder in self._folders() if (folder / MANIFEST).exists()]

    def open(self, expected: Identity) -> EdgeGeneration:
        folder = self._current_folder()
        if folder is None:
            raise self._missing()
        refuse_nearly_full(folder)
        refuse_mismatch(read_manifest(folder).identity, expected)
        return EdgeGeneration(folder, _info(folder))

    @contextmanager
    def carried(self, name: str) -> Iterator[EdgeGeneration]:
        """A finished generation, to be read completely: itself, or a copy if another process has it open."""
        folder = self._generations / name
        copy = self._copied_out()
        refuse_nearly_full(folder)
        try:
            generation = EdgeGeneration(folder, _info(folder))
        except IndexLocked:
            with naming_folder_trouble(self._root):
                copy_generation(folder, copy)
            generation = EdgeGeneration(copy, _info(folder))
        try:
            yield generation
        finally:
            generation.close()
            self._copied_out()

    def stored_hashes(self, ids: Sequence[str]) -> dict[str, str]:
        folder = self._current_folder()
        if folder is None:
            return {}
        with naming_folder_trouble(folder, rebuilding(folder)), closing(Catalog(folder / CATALOG)) as catalog:
            return catalog.hashes(ids)

    def stored_posts(self) -> Iterator[StoredPost]:
        folder = self._current_folder()
        if folder is None:
            return
        with naming_folder_trouble(folder, rebuilding(folder)), closing(Catalog(folder / CATALOG)) as catalog:
            yield from catalog.stored_posts()

    def stored_ids(self) -> Iterator[str]:
        folder = self._current_folder()
        if folder is None:
            return
        with naming_folder_trouble(folder, rebuilding(folder)), closing(Catalog(folder / CATALOG)) as catalog:
            yield from catalog.stored_ids()

    def reached(self, name: str = "") -> Reached:
        folder = self._generations / name if name else self._current_folder()
        if folder is None or not folder.is_dir():
            return {}
        with naming_folder_trouble(folder, rebuilding(folder)), closing(Catalog(folder / CATALOG)) as catalog:
            return catalog.reached()

    @contextmanager
    def writing(self, tell: Callable[[str], None] = say_nothing) -> Iterator[None]:  # noqa: ARG002  # waits for nothing
        with ExitStack() as held:
            with naming_folder_trouble(self._root):
                self._generations.mkdir(parents=True, exist_ok=True)
                held.enter_context(holding(self._root / "writing.lock", str(self._root)))
            yield

    def begin(self, identity: Identity) -> EdgeWriter:
        with naming_folder_trouble(self._root):
            return EdgeWriter(self._next_folder(identity), identity)

    def begin_copy(self, identity: Identity) -> EdgeWriter | None:
        like = self._current_folder()
        if like is None or read_manifest(like).identity != identity:
            return None
        with naming_folder_trouble(self._root):
            return EdgeWriter(self._next_folder(identity), identity, like)

    def wipe(self, ids: Sequence[str]) -> None:
        for folder in self._folders():
            if not (folder / MANIFEST).exists():
                continue
            with (
                naming_folder_trouble(folder, rebuilding(folder)),
                changing(folder),
                closing(CatalogChanger(folder / CATALOG)) as catalog,
            ):
                catalog.delete(ids)
                catalog.empty_log()

    def switch(self, name: str) -> None:
        if not NAME.fullmatch(name) or not (self._generations / name / MANIFEST).exists():
            raise ValueError(f"{name} is not a finished generation of {self._root}")
        with naming_folder_trouble(self._root):
            write_durably(self._pointer, name + "\n")

    def drop(self, name: str) -> None:
        if name == self.current():
            raise ValueError(f"{name} is the current generation: switch to another first")
        with naming_folder_trouble(self._root):
            delete_generation(self._generations / name)

    def _missing(self) -> IndexMissing:
        pointed, others = self._pointed(), [one.name for one in self._folders() if (one / MANIFEST).exists()]
        if pointed is None or not others:
            return IndexMissing(f"nothing is indexed in {self._root} yet", "run `stipple reindex PATH`")
        return IndexMissing(
            f"the index {pointed} is gone, which {self._pointer} names",
            f"go back to another by `stipple rollback {others[-1]}`, or run `stipple reindex PATH`",
        )

    def _next_folder(self, identity: Identity) -> Path:
        """The folder of the next generation, after deleting what interrupted writers left."""
        self._generations.mkdir(parents=True, exist_ok=True)
        folders = self._folders()
        # A server may still have the current one open after its folder was deleted: do not reuse its name.
        name = generation_name(identity, [*(folder.name for folder in folders), self._pointed() or ""])
        self._copied_out()
        for folder in folders:
            if not (folder / MANIFEST).exists():
                delete_generation(folder)
        return self._generations / name

    def _copied_out(self) -> Path:
        """The folder for a copy made by `carried`, after deleting what an interrupted process left there."""
        copy = self._root / "carried"
        if copy.exists():
            delete_generation(copy)
        return copy

    def _pointed(self) -> str | None:
        try:
            name = self._pointer.read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            fix = "make it readable for this user, or delete it and run `stipple reindex PATH`"
            raise FixableError(f"{self._pointer} cannot be read: {error}", fix) from error
        if not NAME.fullmatch(name):
            fix = f"write the name of a generation into it: a folder in {self._generations}, or delete it and reindex"
            raise FixableError(f"{self._pointer} does not name a generation: {name[:80]!r}", fix)
        return name

    def _folders(self) -> list[Path]:
        """Folders of generations, finished or not, oldest first."""
        with naming_folder_trouble(self._root):
            if not self._generations.is_dir():
                return []
            found = [folder for folder in self._generations.iterdir() if NAME.fullmatch(folder.name)]
        return sorted(found, key=lambda folder: int(folder.name.partition("-")[0]))

    def _current_folder(self) -> Path | None:
        name = self.current()
        return None if name is None else self._generations / name


def _info(folder: Path) -> GenerationInfo:
    """The manifest with the current numbers of posts and passages."""
    info = read_manifest(folder)
    with naming_folder_trouble(folder, rebuilding(folder)), closing(Catalog(folder / CATALOG)) as catalog:
        held = catalog.state()
    return replace(info, posts=held.posts, passages=held.passages)
