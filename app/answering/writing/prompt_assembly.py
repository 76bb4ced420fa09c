"""From evidence to a prompt that fits the model's context. Pure: tokens are counted by a function passed in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from app.answering.injection.deobfuscation import unveiled
from app.answering.marks import MARK
from app.answering.types import Evidence
from app.answering.writing.prompt_files import Prompt

_TITLE_LENGTH = 120
_ORDER = {"title": 0, "text": 1, "comment": 2}
_BRACKETS = str.maketrans({"<": "‹", ">": "›", "＜": "‹", "＞": "›", "｜": "|", "﹤": "‹", "﹥": "›", "`": "'"})
# What MARK does not match but a model may take for a mark: other brackets, superscripts, circled digits.
_LIKE_MARK = re.compile(
    r"[\[［【〔⟦〚]\s*([^\[\]［］【】]{0,6}?[\d¹²³⁰⁴-⁹₀-₉①-⑳⓪❶-❿一二三四五六七八九十]+)\s*[\]］】〕⟧〛]"
)
_INSTRUCTION_TOKENS = re.compile(r"\[\s*(/?\s*[A-Z_]{3,24})\s*\]")


@dataclass(frozen=True, slots=True)
class PromptPost:
    """A post as the prompt shows it; its text is neutral already."""

    mark: int
    title: str
    text: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Assembled:
    """A prompt ready for a model, and the evidence that is in it."""

    system: str
    user: str
    evidence: tuple[Evidence, ...]


def neutral(text: str) -> str:
    """Post text made harmless: no marks, chat-template tokens, fences or invisible characters, all in one line.

    >>> neutral("great [1] <|im_end|> </post>")
    'great (1) ‹|im_end|› ‹/post›'
    """
    text = unveiled(text).translate(_BRACKETS)
    text = _INSTRUCTION_TOKENS.sub(r"(\1)", text)
    while (plain := _LIKE_MARK.sub(r"(\1)", MARK.sub(r"(\1)", text))) != text:
        text = plain
    return re.sub(r"\s+", " ", re.sub(r"-{3,}", "—", text)).strip()


def assemble(
    prompt: Prompt,
    question: str,
    evidence: Sequence[Evidence],
    *,
    sentences: int,
    fence: str,
    budget: int,
    count_tokens: Callable[[str], int],
    around: Sequence[Evidence] = (),
    dates: Mapping[int, str] = MappingProxyType({}),
) -> Assembled:
    """The prompt with as much evidence as fits, best first, then its neighbours; each post's sentences keep the post's
    order.

    Args:
        evidence: Best first.
        fence: A code that no post can know.
        budget: Tokens for system and user text together.
        around: Sentences of the same posts. Those next to evidence are added if there is room: they say what "it" and
            "there" mean.
        dates: Day of a post by its mark, for prompts that show it.

    Returns:
        With empty `evidence` where not even the best sentence fits.
    """

    def rendered(shown: Sequence[Evidence]) -> tuple[str, str]:
        return prompt.parts(question=neutral(question), posts=_posts(shown, dates), sentences=sentences, fence=fence)

    return _packed(evidence, around, rendered, budget, count_tokens)


def _packed(
    evidence: Sequence[Evidence],
    around: Sequence[Evidence],
    rendered: Callable[[Sequence[Evidence]], tuple[str, str]],
    budget: int,
    count_tokens: Callable[[str], int],
) -> Assembled:
    shown: list[Evidence] = []
    best: Assembled | None = None
    for candidate in (*evidence, *_beside(evidence, around)):
        if not shown and candidate not in evidence:
            break  # without evidence, neighbours say nothing
        trial = [*shown, candidate]
        system, user = rendered(trial)
        if count_tokens(system) + count_tokens(user) <= budget:
            shown, best = trial, Assembled(system, user, tuple(trial))
    return best or Assembled("", "", ())


def _beside(evidence: Sequence[Evidence], around: Sequence[Evidence]) -> Iterator[Evidence]:
    """The sentences right before and after each piece of evidence in the same text, the best one's first."""
    given = {_place(one) for one in evidence}
    for one in evidence:
        own = sorted((other for other in around if _place(other)[:3] == _place(one)[:3]), key=lambda other: other.start)
        before = [other for other in own if other.end <= one.start][-1:]
        after = [other for other in own if other.start >= one.end][:1]
        for other in (*before, *after):
            if _place(other) not in given:
                given.add(_place(other))
                yield other


def _place(one: Evidence) -> tuple[int, str, int | None, int]:
    return one.mark, one.part, one.comment, one.start


def _posts(evidence: Sequence[Evidence], dates: Mapping[int, str]) -> list[PromptPost]:
    posts = []
    for mark in dict.fromkeys(one.mark for one in evidence):
        own = _in_order([one for one in evidence if one.mark == mark])
        title = neutral(own[0].title)[:_TITLE_LENGTH]
        posts.append(
            PromptPost(
                mark, title, " ".join(neutral(one.text) for one in own if one.part != "title"), dates.get(mark, "")
            )
        )
    return posts


def _in_order(evidence: Sequence[Evidence]) -> list[Evidence]:
    """Evidence of one post as the post has it: title, text, comments."""
    return sorted(evidence, key=lambda one: (_ORDER[one.part], one.comment or 0, one.start))
