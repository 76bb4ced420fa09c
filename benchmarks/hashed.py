"""Stipple's server and its reindex in processes of their own, but for the model: embeddings are hashed trigrams.

What the benchmarks that use it try are files, locks and the journal, and a model would only make it slower.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def serving(data: Path, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, __file__, "serve", str(data), str(port)])


def reindexing(data: Path, posts: Path, anew: bool = False) -> subprocess.Popen[bytes]:
    given = [sys.executable, __file__, "reindex", str(data), str(posts), *(["--anew"] if anew else [])]
    return subprocess.Popen(given, stdout=subprocess.DEVNULL)


def _serve(data: Path, port: int) -> None:
    """A server as `stipple serve` makes it, but for the embedder."""
    import uvicorn

    from app.main import create_app
    from app.services import Services
    from app.web.logs import configure_logs
    from indexer.journal.journal_ingestion import JournalIngestion
    from retrieval.models.embedding import HashEmbedder
    from retrieval.settings import Settings
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    settings = Settings(data_dir=data, llm="none", log_level="error", _env_file=None)
    configure_logs(settings)
    store, embedder = open_store(settings), HashEmbedder()
    ingestion = JournalIngestion(settings, store, embedder, TermWeigher())
    app = create_app(settings, Services(settings, store, embedder, None, None, ingestion))
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False)


def _reindex(data: Path, posts: Path, anew: bool) -> None:
    """`stipple reindex --prune`, but for the embedder, which takes a little time for each batch."""
    from indexer.commands.cli import add_commands, reindex_into
    from indexer.readers.sources import find_sources
    from retrieval.models.embedding import HashEmbedder
    from retrieval.settings import Settings
    from retrieval.stores.factory import open_store
    from retrieval.text.terms import TermWeigher

    parser = argparse.ArgumentParser()
    add_commands(parser.add_subparsers())
    given = ["reindex", str(posts), "--quiet", "--json", "--prune", "--prune-up-to", "1000000"]
    args = parser.parse_args([*given, "--anew"] if anew else given)
    settings = Settings(data_dir=data, _env_file=None)
    sys.exit(
        reindex_into(open_store(settings), HashEmbedder(), TermWeigher(), find_sources(args.paths), args, settings)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    serve = commands.add_parser("serve")
    serve.add_argument("data", type=Path)
    serve.add_argument("port", type=int)
    reindex = commands.add_parser("reindex")
    reindex.add_argument("data", type=Path)
    reindex.add_argument("posts", type=Path)
    reindex.add_argument("--anew", action="store_true")
    args = parser.parse_args()
    if args.command == "serve":
        _serve(args.data, args.port)
    else:
        _reindex(args.data, args.posts, args.anew)


if __name__ == "__main__":
    main()
