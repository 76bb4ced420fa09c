"""What the index must hold while posts are changed, put and taken away; made of a few words."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

EVERGREEN: dict[str, Any] = {
    "id": "evergreen",
    "text": "The lighthouse keeper waters an evergreen every morning",
    "likes": 1,
}
QUERY = "lighthouse keeper evergreen"
WORDS = (
    "harbour", "coffee", "bicycle", "garden", "lantern", "market", "noodle", "orchard", "pebble", "river", "teapot",
)  # fmt: skip


class World:
    """What the index must hold: the posts of the file, and what was accepted since the file was read last."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self.chance, self.made = chance, 0
        self.file: dict[str, dict[str, Any]] = {"evergreen": EVERGREEN}
        for _ in range(count):
            self.add(self.file)
        self.accepted: dict[str, dict[str, Any]] = {}

    def add(self, posts: dict[str, dict[str, Any]]) -> dict[str, Any]:
        self.made += 1
        post = {"id": f"p{self.made}", "text": self.words(), "likes": self.chance.randrange(9)}
        posts[f"p{self.made}"] = post
        return post

    def words(self) -> str:
        return ". ".join(" ".join(self.chance.choices(WORDS, k=8)) for _ in range(self.chance.choice((1, 1, 2, 30))))

    def turn(self, share: float) -> None:
        """Change about this share of the file."""
        ids = [one for one in self.file if one != "evergreen"]
        for one in self.chance.sample(ids, max(1, int(share * len(ids)))):
            match self.chance.randrange(4):
                case 0:
                    self.file[one] = self.file[one] | {"likes": self.chance.randrange(1_000)}
                case 1:
                    del self.file[one]
                case 2:
                    self.add(self.file)
                case _:
                    self.file[one] = self.file[one] | {"text": self.words()}

    def write(self, path: Path) -> None:
        path.write_text("".join(json.dumps(post) + "\n" for post in self.file.values()), "utf-8")

    def compared(self, data: Path) -> tuple[int, int, int]:
        """Posts that are lost, doubled or too many, and in another version, in the index as it is."""
        from indexer.posts.validation import to_post
        from retrieval.settings import Settings
        from retrieval.stores.factory import open_store
        from retrieval.text.content_hash import content_hash

        wanted = {one: content_hash(to_post(post)) for one, post in (self.file | self.accepted).items()}
        stored = open_store(Settings(data_dir=data, _env_file=None)).stored_posts()
        held = [(one.post.id, one.content_hash) for one in stored]
        ids = [post_id for post_id, _ in held]
        lost, extra = wanted.keys() - set(ids), len(ids) - len(set(ids)) + len(set(ids) - wanted.keys())
        other = sum(1 for post_id, content in held if post_id in wanted and wanted[post_id] != content)
        return len(lost), extra, other
