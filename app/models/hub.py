"""Models on the hub: chosen, downloaded with progress, resumed where a download broke off, checked, and then kept.

huggingface_hub resumes within one call, and throws away what it has when the process ends. Models take hours on a slow
line, so the bytes are fetched here into a file that stays, checked against the hub's sha256, and only then given to
huggingface_hub's cache, whose layout and links it makes itself.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from retrieval.errors import ModelMissing

_NAMED = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)(?::(?P<wanted>[\w./-]+))?")
_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$")
# Quantisations to take where none is asked for: the first that is there. Q4_K_M is what most publishers recommend.
_PREFERRED = ("Q4_K_M", "Q4_K_S", "Q4_0", "IQ4_XS", "Q5_K_M", "Q8_0", "MXFP4", "F16", "BF16")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK_BYTES = 1 << 22


def is_on_hub(llm: str) -> bool:
    """Whether a setting is `owner/repo`, `owner/repo:Q4_K_M` or `owner/repo:file.gguf`; a path ends in .gguf alone."""
    named = _NAMED.fullmatch(llm)
    return named is not None and not named["repository"].lower().endswith(".gguf") and not llm.startswith(".")


def download(llm: str, cache: Path | None = None, endpoint: str | None = None) -> Path:
    """The file on disk; of a split model its first part, the others beside it. What is there is not asked for again.

    Args:
        cache: Folder of huggingface_hub's cache; None: its own (HF_HOME).
        endpoint: Address of the hub; None: its own (HF_ENDPOINT).

    Raises:
        ModelMissing: It cannot be had; says why, and what to do.
    """
    from httpx import HTTPError
    from huggingface_hub.errors import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    named = _NAMED.fullmatch(llm)
    assert named is not None, "only names that is_on_hub knows come here"
    repository, wanted = named["repository"], named["wanted"] or ""
    hub = _Hub(repository, cache, endpoint)
    try:
        kept = hub.kept()
        names = choose(kept, wanted)
        if not names:
            names = choose(hub.offered(), wanted)
            if not names:
                raise _nothing_fits(repository, wanted, hub.offered())
            for name in names:
                hub.fetch(name)
        return hub.path(names[0])
    except GatedRepoError as error:
        raise ModelMissing(
            f"{repository} is gated: the hub gives it only to those who accepted its terms",
            f"accept them on the page of {repository}, then set HF_TOKEN to a token of yours",
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelMissing(
            f"the hub has no repository {repository}, or not for you",
            "correct STIPPLE_LLM; for a private one set HF_TOKEN",
        ) from error
    except EntryNotFoundError as error:
        raise ModelMissing(f"{repository} has no file {wanted}", "correct STIPPLE_LLM") from error
    except OfflineModeIsEnabled as error:
        raise ModelMissing(
            f"{llm} is not in the cache, and HF_HUB_OFFLINE forbids to download it",
            "download it where there is a network and name its path in STIPPLE_LLM, or unset HF_HUB_OFFLINE",
        ) from error
    except (HfHubHTTPError, HTTPError) as error:
        raise ModelMissing(
            f"the hub does not give {llm}: {(str(error).splitlines() or [type(error).__name__])[0]}",
            "try again: what was downloaded is kept, and the rest will follow; or name a file's path in STIPPLE_LLM",
        ) from error
    except OSError as error:
        raise ModelMissing(
            f"{llm} cannot be written to the cache: {error.strerror or error}",
            "free some space, or point HF_HOME to a folder with more; what was downloaded is kept",
        ) from error


def choose(files: Sequence[str], wanted: str) -> list[str]:
    """Which of a repository's files make the model: one, or all parts of a split one in order; none where none fits.

    Args:
        wanted: A file's name, a quantisation, or "" for the one that most people take.

    >>> choose(["a-Q8_0.gguf", "a-Q4_K_M.gguf", "mmproj-a.gguf"], "")
    ['a-Q4_K_M.gguf']
    >>> choose(["b-Q8_0-00002-of-00002.gguf", "b-Q8_0-00001-of-00002.gguf"], "q8_0")
    ['b-Q8_0-00001-of-00002.gguf', 'b-Q8_0-00002-of-00002.gguf']
    """
    if wanted.lower().endswith(".gguf"):
        return _with_parts([name for name in files if name == wanted], files)
    models = sorted(
        name
        for name in files
        if name.lower().endswith(".gguf") and not re.search(r"mmproj|imatrix|-mtp", name, re.IGNORECASE)
    )
    first = [name for name in models if (part := _PART.search(name)) is None or part[1] == "00001"]
    for quantisation in [wanted] if wanted else _PREFERRED:
        exact = re.compile(rf"(?<![A-Za-z0-9]){re.escape(quantisation)}(?![A-Za-z0-9_])", re.IGNORECASE)
        found = [name for name in first if exact.search(name)]
        if found:
            return _with_parts([min(found, key=len)], files)
    return _with_parts(first[:1], files) if not wanted else []


def _with_parts(names: list[str], files: Sequence[str]) -> list[str]:
    if not names or (part := _PART.search(names[0])) is None:
        return names
    stem, count = names[0][: part.start()], int(part[2])
    parts = [f"{stem}-{number:05}-of-{count:05}.gguf" for number in range(1, count + 1)]
    return parts if set(parts) <= set(files) else []


def _nothing_fits(repository: str, wanted: str, offered: Sequence[str]) -> ModelMissing:
    there = [name for name in offered if name.lower().endswith(".gguf")]
    if not there:
        return ModelMissing(f"{repository} has no GGUF file", "choose a repository of GGUF files")
    return ModelMissing(
        f"{repository} has no {wanted}; it has {', '.join(there[:12])}",
        f"set STIPPLE_LLM to one of them, as {repository}:{there[0]}",
    )


class _Hub:
    """One repository, on the hub and in the cache."""

    def __init__(self, repository: str, cache: Path | None, endpoint: str | None) -> None:
        from huggingface_hub import constants
        from huggingface_hub.file_download import repo_folder_name

        self._repository, self._endpoint = repository, endpoint
        self._cache = cache if cache is not None else Path(constants.HF_HUB_CACHE)
        self._folder = self._cache / repo_folder_name(repo_id=repository, repo_type="model")
        self._offered: list[str] | None = None

    def kept(self) -> list[str]:
        """Files of the newest downloaded revision, without asking the hub."""
        try:
            revision = (self._folder / "refs" / "main").read_text("ascii").strip()
        except OSError:
            return []
        root = self._folder / "snapshots" / revision
        return [str(path.relative_to(root).as_posix()) for path in root.rglob("*.gguf") if path.exists()]

    def offered(self) -> list[str]:
        from huggingface_hub import HfApi

        if self._offered is None:
            self._offered = HfApi(endpoint=self._endpoint).list_repo_files(self._repository)
        return self._offered

    def path(self, name: str) -> Path:
        from huggingface_hub import hf_hub_download

        return Path(hf_hub_download(self._repository, name, cache_dir=self._cache, local_files_only=True))

    def fetch(self, name: str) -> None:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url
        from huggingface_hub.utils._fixes import WeakFileLock

        url = hf_hub_url(self._repository, name, endpoint=self._endpoint)
        about = get_hf_file_metadata(url, endpoint=self._endpoint)
        if about.etag is not None and _SHA256.fullmatch(about.etag):
            blob = self._folder / "blobs" / about.etag
            blob.parent.mkdir(parents=True, exist_ok=True)
            with WeakFileLock(blob.with_suffix(".stipple-lock")):
                if not blob.exists():
                    self._fetch_blob(name, url, about, blob)
        # The blob is there: this makes the links of the cache. A file without a blob is small, and is fetched now.
        hf_hub_download(self._repository, name, cache_dir=self._cache, endpoint=self._endpoint)

    def _fetch_blob(self, name: str, url: str, about: Any, blob: Path) -> None:
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils._headers import build_hf_headers

        begun = blob.with_suffix(".stipple-part")
        have = begun.stat().st_size if begun.exists() else 0
        free = shutil.disk_usage(blob.parent).free
        if about.size is not None and about.size - have > free:
            raise ModelMissing(
                f"{name} takes {about.size / 1e9:.1f} GB, and the disk of {self._cache} has {free / 1e9:.1f} GB free",
                "free some space, or point HF_HOME to a folder with more",
            )
        if about.size is not None and have > about.size:
            begun.unlink()  # the remains of something else
            have = 0
        headers = build_hf_headers()
        if urlsplit(about.location).netloc != urlsplit(url).netloc:
            headers.pop("authorization", None)  # the token is the hub's, not its storage's
        with begun.open("ab") as file:
            http_get(
                about.location, file, resume_size=have, headers=headers, expected_size=about.size,
                displayed_filename=name, tqdm_class=_progress_bar(),
            )  # fmt: skip
        found = _sha256(begun)
        if found != blob.name:
            begun.unlink()
            raise ModelMissing(
                f"what was downloaded as {name} is not what the hub has: its sha256 is {found}, not {blob.name}",
                "try again; where it stays so, something between here and the hub changes files",
            )
        begun.replace(blob)


def _progress_bar() -> Any:
    """A bar on standard error. The library's own is silent where that is a file (a container's log is one), and once an
    embedder is loaded, which turns its bars off in the whole process.
    """
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]  # it counts bytes, not items
        def __init__(self, *given: Any, **named: Any) -> None:
            named.pop("name", None)  # a group of the library's own bars
            on_terminal = sys.stderr.isatty()
            shown = {"disable": False, "mininterval": 0.1 if on_terminal else 10}
            super().__init__(*given, **named | shown)

    return Bar


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
