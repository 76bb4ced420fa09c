"""An answer as Markdown, to be pasted elsewhere: its marks keep their numbers, and each names its source. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.answering.types import Answer
from app.web.page.views.marked_text import shortened
from app.web.page.words.labels import LABELS, Labels, day
from retrieval.text.web_address import is_web_address
from retrieval.types import Hit, Post

_TITLE = 120
# What would begin a link, an image, code, emphasis, a table or HTML in the middle of a line.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")
_BEGINS_BLOCK = re.compile(r"^(\s*)([#+=>-]|\d+[.)])")


def answer_markdown(answer: Answer, hits: Sequence[Hit | None], labels: Labels) -> str:
    """Question, sentences with their marks, and the posts cited; "" for an answer without sentences.

    Args:
        hits: The answer's; None where one is gone.
    """
    if not answer.sentences:
        return ""
    paragraphs: list[str] = [f"**{plain(answer.question.text)}**"]
    written: list[str] = []
    for sentence in answer.sentences:
        marks = "".join(f"[{mark}]" for mark in sorted({one.mark for one in sentence.citations}))
        if sentence.quoted:
            paragraphs += [" ".join(written)] if written else []
            written = []
            lines = [plain(line) for line in sentence.text.split("\n")]
            paragraphs.append("\n".join(f"> {line}" for line in lines) + f" {marks}")
        else:
            written.append(f"{plain(sentence.text)} {marks}")
    paragraphs += [" ".join(written)] if written else []
    cited = sorted({one.mark for sentence in answer.sentences for one in sentence.citations})
    sources = [f"- [{mark}] {_source(hit.post, labels)}" for mark in cited if (hit := hits[mark - 1]) is not None]
    return "\n\n".join([*paragraphs, f"{labels.markdown_sources}:", "\n".join(sources)]) + "\n"


def plain(text: str) -> str:
    """The text in one line, with all that Markdown would read as more than text escaped.

    >>> plain("1. *free* [coffee](http://x)")
    '1\\\\. \\\\*free\\\\* \\\\[coffee\\\\](http://x)'
    """
    line = _SPECIAL.sub(r"\\\1", " ".join(text.split()))
    return _BEGINS_BLOCK.sub(lambda begun: f"{begun[1]}{begun[2][:-1]}\\{begun[2][-1]}", line)


def _source(post: Post, labels: Labels) -> str:
    title = plain(shortened(post.title.strip() or post.text.strip().split("\n", 1)[0], _TITLE)) or labels.untitled
    # A parenthesis would end the address too early.
    url = post.url.replace("(", "%28").replace(")", "%29").replace(" ", "%20")
    named = f"[{title}]({url})" if is_web_address(post.url) else title
    written = day(post.created_at, "zh" if labels is LABELS["zh"] else "en") if post.created_at is not None else ""
    return " · ".join(filter(None, (named, f"@{plain(post.author)}" if post.author else "", written)))
