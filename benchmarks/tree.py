"""Counts the rooms of a checkout: modules a folder, names, lengths, and modules that only one other imports.

    python benchmarks/tree.py            # this checkout
    python benchmarks/tree.py ../other   # another one

Facts of the source text alone: nothing of the checkout is imported or run. A table, then one JSON line.
"""

from __future__ import annotations

import ast
import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

PACKAGES = ("app", "indexer", "prompts", "retrieval", "stipple")
_SMALL_LINES = 60
_MOST_MODULES = 14


def modules_of(root: Path, packages: tuple[str, ...] = PACKAGES) -> dict[str, Path]:
    """The modules of some packages by dotted name, without `__init__` and `__main__`."""
    paths = (path for package in packages for path in sorted((root / package).rglob("*.py")))
    return {
        ".".join(path.relative_to(root).with_suffix("").parts): path for path in paths if not path.stem.startswith("__")
    }


def imported(path: Path, modules: dict[str, Path]) -> set[str]:
    """Which of the modules a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names & modules.keys()


def counts(root: Path) -> dict[str, object]:
    """The figures of one checkout."""
    modules = modules_of(root)
    lines = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules.items()}
    folders = Counter(str(path.parent.relative_to(root)) for path in modules.values())
    importers: defaultdict[str, set[str]] = defaultdict(set)
    for name, path in modules.items():
        for other in imported(path, modules) - {name}:
            importers[other].add(name)
    basenames: defaultdict[str, list[str]] = defaultdict(list)
    for name in modules:
        basenames[name.rpartition(".")[2]].append(name)
    longest = max(lines, key=lambda name: lines[name])
    return {
        "modules": len(modules),
        "lines": sum(lines.values()),
        "median_lines": median(lines.values()),
        "longest": f"{longest} ({lines[longest]})",
        "folders": len(folders),
        "fullest_folder": "{} ({})".format(*folders.most_common(1)[0]),
        "folders_over_14": sorted(f"{name} ({n})" for name, n in folders.items() if n > _MOST_MODULES),
        "ing_names": sorted(name for name in modules if name.endswith("ing")),
        "same_basename": {name: where for name, where in sorted(basenames.items()) if len(where) > 1},
        "small_with_one_importer": sorted(
            f"{name} ({n}) <- {next(iter(importers[name]))}"
            for name, n in lines.items()
            if n < _SMALL_LINES and len(importers[name]) == 1
        ),
    }


def main() -> None:
    figures = counts(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve())
    for name, value in figures.items():
        print(f"{name.replace('_', ' '):26} {_size(value)}")
        lines = [f"{key}: {', '.join(where)}" for key, where in value.items()] if isinstance(value, dict) else value
        if isinstance(lines, list):
            print(*(f"    {line}" for line in lines), sep="\n")
    print(json.dumps({name: _size(value) for name, value in figures.items()}))


def _size(value: object) -> object:
    return len(value) if isinstance(value, (list, dict)) else value


if __name__ == "__main__":
    main()
