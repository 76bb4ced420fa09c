from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_lock_pins_every_library_by_its_hash_and_names_no_place() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert packages.keys() >= {"node_modules/htmx.org", "node_modules/htmx-ext-sse"}
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name


def test_a_library_that_was_changed_or_lost_is_brought_again(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="the build's own package is not here")
    import hatch_build

    assert hatch_build.fits(ROOT), "app/web/static/vendor is not what package-lock.json asks for: build the package"
    for name in ("package-lock.json", "app/web/static/vendor"):
        source, copy = ROOT / name, tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy(source, copy)
    assert hatch_build.fits(tmp_path)
    library = tmp_path / "app/web/static/vendor/sse.js"
    content = library.read_bytes()
    library.write_bytes(content + b" ")
    assert not hatch_build.fits(tmp_path)
    library.write_bytes(content)
    assert hatch_build.fits(tmp_path)
    library.unlink()
    assert not hatch_build.fits(tmp_path)
