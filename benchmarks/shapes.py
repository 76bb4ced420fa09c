"""Archives of every shape, each searched for what is in it: posts that match, `total`, and hits that paging reaches.

    python benchmarks/shapes.py [--work DIR]

The archives are made here, of invented posts, a third of them about the subject that is asked for. All pages are asked
for by cursor, by offset, and by another limit: their totals have to agree, and no hit comes twice. A near copy that is
folded under a hit counts as reached. Prints a table and, last, one JSON line.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.systems import reindex  # found by the path above

# The subject first; the words of two subjects have nothing in common.
ENGLISH = (
    ("pottery kiln", "The {n}. bowl from our pottery kiln: {detail}, and the glaze ran {way}."),
    ("night train", "Took the night train again, carriage {n}: {detail}, and we arrived {way}."),
    ("tomato seedlings", "Row {n} of the tomato seedlings: {detail}, planted out {way}."),
)
CHINESE = (
    ("陶艺 窑", "第{n}个碗出窑了，陶艺工作室的窑：{detail}，釉流得{way}。"),
    ("夜班 火车", "又坐了夜班火车，{n}号车厢：{detail}，到站{way}。"),
    ("番茄 育苗", "第{n}排番茄育苗：{detail}，移栽{way}。"),
)
DETAILS = ("a crack at the rim", "blue all over", "cold at first", "nothing to complain about", "loud until midnight",
           "better than in March", "my aunt helped", "half price", "too much wind", "one more to go")  # fmt: skip
DETAILS_ZH = ("边上有裂纹", "整个是蓝色", "一开始很冷", "没什么可抱怨", "吵到半夜", "比三月好", "姑姑来帮忙", "半价",
              "风太大", "还差一个")  # fmt: skip
WAYS, WAYS_ZH = ("early", "late", "as hoped", "all wrong", "twice"), ("很早", "很晚", "如愿", "全错", "两次")


def a_post(number: int, *, chinese: bool = False) -> dict[str, Any]:
    subject, text = (CHINESE if chinese else ENGLISH)[number % 3]
    details, ways = (DETAILS_ZH, WAYS_ZH) if chinese else (DETAILS, WAYS)
    words = {"n": number, "detail": details[number * 7 % 10], "way": ways[number * 3 % 5]}
    return {
        "id": f"post-{number}",
        "title": f"{subject} {number}",
        "text": text.format(**words),
        "author": f"author {number % 40}",
        "created_at": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}",
    }


def but(post: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {name: value for name, value in (post | other).items() if value is not None}


def in_comments(number: int) -> dict[str, Any]:
    post = a_post(number)
    comment = {"author": post["author"], "text": post["text"]}
    return but(post, title=f"Thread {number}", text="Say it below.", comments=[comment])


SHAPES: dict[str, Callable[[int], list[dict[str, Any]]]] = {
    "many authors": lambda size: [a_post(n) for n in range(size)],
    "one author": lambda size: [but(a_post(n), author="the only one") for n in range(size)],
    "one author wrote 90 %": lambda size: [but(a_post(n), author="one" if n % 10 else "other") for n in range(size)],
    "one post": lambda _: [a_post(0)],
    "one template": lambda size: [but(a_post(0), id=f"post-{n}", title=None, text=f"{a_post(0)['text']} {n}")
                                  for n in range(size)],
    "Chinese alone": lambda size: [a_post(n, chinese=True) for n in range(size)],
    "both languages": lambda size: [a_post(n, chinese=n % 2 > 0) for n in range(size)],
    "one day": lambda size: [but(a_post(n), created_at="2026-05-01") for n in range(size)],
    "comments alone": lambda size: [in_comments(n) for n in range(size)],
    "without titles": lambda size: [but(a_post(n), title=None) for n in range(size)],
    "without dates": lambda size: [but(a_post(n), created_at=None) for n in range(size)],
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, help="keep the archives here")
    parser.add_argument("--size", type=int, default=501, help="posts of an archive")
    parser.add_argument("--only", choices=SHAPES, action="append", help="only this shape")
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="stipple-shapes-") as temporary:
        for name in args.only or SHAPES:
            folder = (args.work or Path(temporary)) / name.replace(" ", "-").replace("%", "percent")
            folder.mkdir(parents=True, exist_ok=True)
            posts = SHAPES[name](args.size)
            lines = [json.dumps(post, ensure_ascii=False) for post in posts]
            (folder / "posts.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
            reindex(folder / "data", folder / "posts.jsonl")
            rows.append({"shape": name, "posts": len(posts)} | measured(folder / "data", posts))
    print(f"{'shape':22} {'posts':>5} {'match':>5} {'total':>5} {'reached':>7} {'p50 ms':>6} {'nonsense':>8}")
    for row in rows:
        cells = [row[name] for name in ("posts", "match", "total", "reached", "p50_ms", "nonsense")]
        print(f"{row['shape']:22} {cells[0]:5} {cells[1]:5} {cells[2]:5} {cells[3]:7} {cells[4]:6.1f} {cells[5]:8}")
    print(json.dumps({"shapes": rows}))


def measured(data_dir: Path, posts: list[dict[str, Any]]) -> dict[str, Any]:
    from app.services import Services
    from retrieval.settings import Settings
    from retrieval.types import SearchQuery

    chinese = all("陶艺" in said(post) for post in posts[:1])
    query = CHINESE[0][0] if chinese else ENGLISH[0][0]
    matching = {post["id"] for post in posts if all(word in said(post) for word in query.split())}
    services = Services.build(Settings(data_dir=data_dir, llm="none", _env_file=None))
    with services.bundle() as bundle:
        search = bundle.searcher.search
        totals, reached, times = set[int](), list[str](), list[float]()
        for limit in (10, 50):
            cursor, shown = "", list[str]()
            while True:
                began = time.perf_counter()
                page = search(SearchQuery(query, limit=limit, cursor=cursor))
                times.append((time.perf_counter() - began) * 1000)
                totals.add(page.total)
                shown += [hit.post.id for hit in page.hits]
                reached += [one for hit in page.hits for one in (hit.post.id, *hit.similar_ids)]
                cursor = page.next_cursor
                if not cursor:
                    break
            assert len(shown) == len(set(shown)) == page.total, f"{len(shown)} hits shown, total {page.total}"
        totals |= {search(SearchQuery(query, offset=offset)).total for offset in (0, 5, 200, 1000)}
        assert len(totals) == 1, f"pages of one search say {totals}"
        nonsense = search(SearchQuery("qwxzv blorp")).total
    return {
        "match": len(matching),
        "total": totals.pop(),
        "reached": len(matching & set(reached)),
        "p50_ms": round(median(times), 1),
        "nonsense": nonsense,
    }


def said(post: dict[str, Any]) -> str:
    comments = [comment["text"] for comment in post.get("comments", ())]
    return " ".join([post.get("title", ""), post["text"], *comments])


if __name__ == "__main__":
    main()
