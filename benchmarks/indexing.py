"""How fast an index is filled: beside txtai and Chroma, what is not embedding, runs that change little, and memory.

    python benchmarks/indexing.py --posts stackexchange_small.jsonl --map text=body --peers txtai chroma
    python benchmarks/indexing.py --posts hackernews.jsonl zh_reviews.jsonl --map … --size 100000
    python benchmarks/indexing.py --memory 1000000

Each figure comes from a process of its own, on the same processor threads (`--threads`).

- posts/s: from the first line read to a generation that can be searched, without loading the model. The peers get the
  same texts (title, text and tags of each post) and the same embedder, which may be several models joined: txtai as a
  function (`Embeddings(method="external", transform=…).index(…)`), Chroma as vectors (`collection.upsert(…)` in batches
  of 1,000). `--embed` says by what they embed (peer_embedder.py). Chroma is looked for in this Python, or in the one
  that `--chroma-python` names, which must have Stipple's dependencies too.
- cosine: lowest and mean cosine of stored vectors against the same model in float32, on 500 passages.
- passages and tokens: ours are cut so that each word of a post is read, with some overlap; the peers read the first 256
  tokens of a post and drop the rest. Both counts are given, so that posts/s can be told from work/s.
- other than embedding: what the first run took beyond embedding alone. Reading and writing go on while the model works
  and take processor time from it, so that the time for which it was busy is more than embedding costs. Every eighth
  batch is therefore embedded again after the run, with nothing beside it, and the busy time scaled by what that took.
  The share in which the model was idle is given too.
- second run: the same file again. 1 % changed: every hundredth post with another text, then the same file.
- `--memory N`: N posts are streamed, their vectors made from random numbers as if they were stored; peak memory (RSS,
  pages of mapped files included) above that of the process before it began, and the highest anonymous memory seen.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.indexing_measures import changed, child_cosine, child_fill, child_tokens, posts_of, sized, texts_of
from benchmarks.indexing_memory import anonymous_mb, child_memory
from benchmarks.indexing_peers import child_chroma, child_txtai
from benchmarks.peer_embedder import HOWS

CHILDREN = {
    "fill": child_fill, "cosine": child_cosine, "txtai": child_txtai, "chroma": child_chroma, "memory": child_memory,
    "tokens": child_tokens,
}  # fmt: skip


def run(
    child: str, args: argparse.Namespace, data: Path, posts: Sequence[Path], python: str = sys.executable
) -> dict[str, Any]:
    """One figure, from a process of its own."""
    given = [python, __file__, "--child", child, "--data", str(data), "--threads", str(args.threads)]
    given += ["--embed", args.embed, "--memory", str(args.memory), "--posts", *map(str, posts)]
    for move in args.moves:
        given += ["--map", move]
    environment = os.environ | {"OMP_NUM_THREADS": str(args.threads), "TOKENIZERS_PARALLELISM": "false"}
    most_anonymous_mb = 0
    with subprocess.Popen(given, stdout=subprocess.PIPE, env=environment, text=True) as process:
        while process.poll() is None:
            most_anonymous_mb = max(most_anonymous_mb, anonymous_mb(process.pid))
            time.sleep(0.1)
        said = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{child} ended with {process.returncode}")
    figures: dict[str, Any] = json.loads(said.splitlines()[-1]) | {"anonymous_mb": most_anonymous_mb}
    print(f"{child:10} {json.dumps(figures)}", file=sys.stderr, flush=True)
    return figures


def measure(args: argparse.Namespace, work: Path) -> dict[str, Any]:
    figures: dict[str, Any] = {"benchmark": "indexing", "threads": args.threads}
    if args.posts:
        whole, data = sized(args.posts, args.size, work), work / "data"
        first = run("fill", args, data, [whole])
        second = run("fill", args, data, [whole])
        third = run("fill", args, data, [changed(whole, args.moves)])
        figures |= {"files": [path.name for path in args.posts], "stipple": first} | run("cosine", args, data, [whole])
        figures["model_idle"] = round(1 - first["embedding_s"] / first["seconds"], 3)
        figures["other_than_embedding"] = round(1 - first["embedding_alone_s"] / first["seconds"], 3)
        figures["read"] = run("tokens", args, data, [whole])
        figures |= {"second_run": second, "second_run_share": round(second["seconds"] / first["seconds"], 4)}
        figures |= {"changed_run": third, "changed_run_share": round(third["seconds"] / first["seconds"], 4)}
        if args.peers:
            args.posts = [whole]
            (work / "texts.json").write_text(json.dumps(texts_of(posts_of(args))), "utf-8")
        for peer in args.peers:
            python = args.chroma_python if peer == "chroma" and args.chroma_python else sys.executable
            figures[peer] = run(peer, args, work, [whole], python)
    if args.memory:
        figures["memory"] = run("memory", args, work, [])
    return figures | {"load_1_min": round(os.getloadavg()[0], 1)}


def table(figures: dict[str, Any]) -> Iterator[str]:
    if "stipple" in figures:
        first = figures["stipple"]
        took = f"{first['posts']:,} posts in {first['seconds']:,} s"
        yield f"{'stipple, posts/s':34} {first['posts_per_s']:>9,}   ({took})"
        for peer in ("txtai", "chroma"):
            if peer in figures:
                times = first["posts_per_s"] / figures[peer]["posts_per_s"]
                theirs = figures[peer]["posts_per_s"]
                yield f"{peer + ', posts/s':34} {theirs:>9,}   stipple is {times:.2f} times as fast; bar: 2"
        read, rows = figures["read"], [("stipple", first, figures["read"]["passages"], figures["read"]["tokens"])]
        rows += [
            (peer, figures[peer], figures[peer]["posts"], read["peers_tokens"])
            for peer in ("txtai", "chroma")
            if peer in figures
        ]
        for name, figure, passages, tokens in rows:
            per_s = [round(count / figure["seconds"]) for count in (passages, tokens)]
            yield f"{name + ', passages and tokens/s':34} {per_s[0]:>9,}   {per_s[1]:,} (of {tokens:,} tokens)"
        yield f"{'lowest cosine against float32':34} {figures['lowest_cosine']:>9}   bar: .999"
        yield f"{'other than embedding':34} {figures['other_than_embedding']:>9.1%}   bar: 15 %"
        yield f"{'the model idle':34} {figures['model_idle']:>9.1%}"
        yield f"{'second run, of the first':34} {figures['second_run_share']:>9.2%}   bar: 3 %"
        yield f"{'1 % changed, of the first':34} {figures['changed_run_share']:>9.2%}   bar: 5 %"
    if "memory" in figures:
        memory = figures["memory"]
        yield f"{'memory above the process, MB':34} {memory['above_mb']:>9,}   ({memory['posts']:,} posts; bar: 2,000)"
        yield f"{'of it anonymous, MB':34} {memory['anonymous_mb']:>9,}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--posts", type=Path, nargs="*", default=[])
    parser.add_argument("--map", dest="moves", action="append", default=[], metavar="NEW=OLD")
    parser.add_argument("--size", type=int, help="read so many posts only")
    parser.add_argument("--peers", nargs="*", default=[], choices=["txtai", "chroma"])
    parser.add_argument("--chroma-python", help="a Python that has chromadb and sentence-transformers")
    parser.add_argument("--memory", type=int, default=0, metavar="N")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, help="where indexes are made (default: a new folder, deleted afterwards)")
    parser.add_argument("--embed", choices=HOWS, default=HOWS[0], help="by what the peers embed (peer_embedder.py)")
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(CHILDREN[args.child](args)))
        return
    if args.work is not None:
        args.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        figures = measure(args, Path(work))
    print("\n".join(table(figures)))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
