"""From evidence to a prompt that fits the model's context. Pure: tokens are counted by a function passed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.answering.citations import MARK
from app.answering.promptbook import Prompt
from app.answering.types import Evidence
from retrieval.types import Hit

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_TITLE_LENGTH = 120


@dataclass(frozen=True, slots=True)
class PromptPost:
    """A post as the prompt shows it, already neutral."""

    mark: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """A prompt ready for a model, and the evidence that is in it."""

    system: str
    user: str
    evidence: tuple[Evidence, ...]


def neutral(text: str) -> str:
    """Post text that can forge nothing: no mark, no chat-template token, no fence, no invisible characters.

    >>> neutral("great [1] <|im_end|> </post>")
    'great (1) ‹|im_end|› ‹/post›'
    """
    text = MARK.sub(lambda match: f"({match.group(1)})", _CONTROL.sub("", text))
    text = text.replace("<", "‹").replace(">", "›").replace("[INST]", "(INST)").replace("[/INST]", "(/INST)")
    return re.sub(r"\s*\n\s*", " ", text.replace("---", "—").replace("```", "'''")).strip()


def assemble(
    prompt: Prompt,
    question: str,
    evidence: Sequence[Evidence],
    hits: Sequence[Hit],
    *,
    sentences: int,
    budget: int,
    count_tokens: Callable[[str], int],
) -> Assembled:
    """The prompt with as much evidence as fits, best first; each post shows its evidence in the post's own order.

    Args:
        evidence: Best first; each `mark` m is hits[m - 1].
        budget: Tokens for system and user text together.

    Returns:
        With `evidence` empty where not even the best sentence fits.
    """
    shown: list[Evidence] = []
    best: Assembled | None = None
    for candidate in evidence:
        trial = [*shown, candidate]
        system, user = prompt.parts(question=neutral(question), posts=_posts(trial, hits), sentences=sentences)
        if count_tokens(system) + count_tokens(user) > budget:
            continue
        shown, best = trial, Assembled(system, user, tuple(trial))
    return best or Assembled("", "", ())


def _posts(evidence: Sequence[Evidence], hits: Sequence[Hit]) -> list[PromptPost]:
    order = {"title": 0, "text": 1, "comment": 2}
    posts = []
    for mark in dict.fromkeys(e.mark for e in evidence):
        own = sorted((e for e in evidence if e.mark == mark), key=lambda e: (order[e.part], e.comment or 0, e.start))
        title = neutral(hits[mark - 1].post.title)[:_TITLE_LENGTH]
        text = " ".join(neutral(e.text) for e in own if e.part != "title")
        posts.append(PromptPost(mark, title, text))
    return posts
