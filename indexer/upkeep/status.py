"""What `stipple status` shows: the current generation, what else is on disk, and past runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from indexer.journal.journal import Journal
from indexer.run.run_history import Run, RunHistory
from retrieval.disk import naming_disk_trouble
from retrieval.errors import IndexMissing
from retrieval.search.calibration import dense_weights
from retrieval.settings import Settings
from retrieval.stores.factory import open_store


def status_facts(settings: Settings) -> dict[str, Any]:
    """As `--json` prints it. Needs no lock, and no model.

    Raises:
        IndexMissing: There is neither an index nor a past run.
    """
    store = open_store(settings)
    with naming_disk_trouble(settings.data_dir):
        runs = RunHistory(settings.data_dir).last()
    generations = {info.name: info for info in store.generations()}
    current = generations.get(store.current() or "")
    if current is None and not runs:
        raise IndexMissing(f"nothing is indexed in {settings.data_dir}", "run `stipple reindex PATH`")
    facts: dict[str, Any] = {}
    if current is not None:
        facts = {
            "generation": current.name,
            "posts": current.posts,
            "passages": current.passages,
            "model": current.identity.model,
            "dimension": current.identity.dimension,
            "schema": current.identity.schema,
            "created_at": current.created_at.isoformat(timespec="seconds"),
            "dense_weights": asdict(dense_weights(settings, current.identity.model)),
        }
    facts |= {
        "index_bytes": _size_bytes(settings.data_dir / "index"),
        "embeddings_bytes": sum(map(_size_bytes, settings.data_dir.glob("embeddings.sqlite*"))),
        "other_generations": [name for name in generations if current is None or name != current.name],
    }
    journal_path = settings.data_dir / "journal.sqlite"
    if journal_path.exists():
        with naming_disk_trouble(settings.data_dir), Journal(journal_path) as journal:
            reached = store.reached().get(journal.id, 0)
            facts |= {"accepted_changes": journal.last(), "changes_to_settle": max(0, journal.last() - reached)}
            facts["forgotten"] = [asdict(one) for one in journal.audit()]
    return facts | {"runs": [_run_facts(run) for run in runs]}


def status_lines(facts: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """The same for people."""
    if "generation" in facts:
        weights = facts["dense_weights"]
        yield f"posts              {facts['posts']:,} ({facts['passages']:,} passages)"
        yield f"generation         {facts['generation']}, of {facts['created_at']}"
        yield f"other generations  {', '.join(facts['other_generations']) or 'none'}"
        yield f"model              {facts['model']}, {facts['dimension']} dimensions"
        yield (
            f"dense weights      {weights['known']:.2f}, unknown languages {weights['unknown']:.2f} "
            f"({weights['source']})"
        )
    else:
        yield "posts              none yet"
    size = f"{settings.data_dir / 'index'}, {facts['index_bytes'] / 1e6:,.1f} MB"
    yield f"index              {settings.qdrant_url or size}"
    yield f"embeddings         {facts['embeddings_bytes'] / 1e6:,.1f} MB"
    if facts.get("accepted_changes"):
        settling = f"{facts['changes_to_settle']:,} not settled yet"
        yield f"journal            {facts['accepted_changes']:,} changes, {settling}"
    if facts.get("forgotten"):
        yield f"forgotten          {len(facts['forgotten']):,}, the last at {facts['forgotten'][-1]['at']}"
    if "writer_problem" in facts:
        yield f"writer             {facts['writer_problem']['problem']}"
        yield f"                   to fix: {facts['writer_problem']['fix']}"
    for run in facts["runs"]:
        yield from _run_lines(run)


def _run_facts(run: Run) -> dict[str, Any]:
    return asdict(run)


def _run_lines(run: Mapping[str, Any]) -> Iterator[str]:
    how = {"running": "is running", "done": "done", "failed": "failed", "interrupted": "was interrupted"}
    yield f"run {run['number']:<14} {run['started_at']}  {run['command']}: {how.get(run['state'], 'died')}"
    summary = run["summary"]
    if run["state"] == "done":
        counts = ", ".join(
            f"{summary[name]:,} {name}"
            for name in ("added", "changed", "recounted", "unchanged", "deleted", "rejected")
            if summary[name]
        )
        yield f"{'':19}{counts or 'no posts'} in {summary['seconds']:.0f} s"
    elif run["state"] != "failed" and run["stage"] == "building":
        yield f"{'':19}at building the search structures"
    elif run["state"] != "failed":
        of = f" of about {run['expected']:,}" if run["expected"] else ""
        unit = "lines" if run["stage"] == "reading" else "passages"
        yield f"{'':19}at {run['stage']}, {run['done']:,}{of} {unit}"
    if run["problem"]:
        yield f"{'':19}{run['problem']}"
    if run["state"] in {"died", "failed", "interrupted"}:
        yield f"{'':19}the index is unchanged; run it again, what was embedded is kept"
    for reason, count in run["rejected"].items():
        yield f"{'':19}{count:,} rejected: {reason}"
    if run["rejects_file"]:
        yield f"{'':19}rejected lines are in {run['rejects_file']}"


def _size_bytes(path: Path) -> int:
    """Disk usage of a file or folder: the files of an index are sparse, and much longer than what they use."""
    files = [path] if path.is_file() else path.rglob("*") if path.is_dir() else []
    return sum(file.stat().st_blocks * 512 for file in files if file.is_file())
