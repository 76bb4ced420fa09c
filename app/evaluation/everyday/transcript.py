"""Answers in full, with what is wrong with each, for a person to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.evaluation.everyday.rightness import GradedAnswer


def transcript(models: str, answers: Sequence[GradedAnswer]) -> str:
    """All answers, in Markdown. Two runs that show the same give the same text: it holds no time and no fence."""
    right = sum(one.right for one in answers)
    head = f"# {right} of {len(answers)} right\n\n{models}\n"
    return "\n".join([head, *(line for one in answers for line in _answer(one))]) + "\n"


def _answer(one: GradedAnswer) -> Iterator[str]:
    question, answer = one.question, one.answer
    yield f"## {question.id}: {'right' if one.right else 'WRONG'}"
    yield f"**{question.text}**" + (f" ({question.now})" if question.now else "")
    yield ""
    yield f"{answer.kind}, {answer.outcome}, confidence {answer.confidence:.2f}"
    yield ""
    for sentence in answer.sentences:
        marks = "".join(f"[{citation.mark}]" for citation in sentence.citations)
        yield f"- {'“' + sentence.text + '”' if sentence.quoted else sentence.text} {marks}".replace("\n", " / ")
    if answer.note:
        yield f"- _{answer.note}_"
    yield ""
    cited = sorted({(citation.mark, citation.post_id) for s in answer.sentences for citation in s.citations})
    shown = cited or [(number, hit.post.id) for number, hit in enumerate(answer.hits[:3], start=1)]
    for mark, post_id in shown:
        post = answer.hits[mark - 1].post
        dated = post.created_at.date().isoformat() if post.created_at else "undated"
        yield f"    [{mark}] {post_id}, {dated}: {post.title}"
    yield ""
    if not one.right:
        yield f"wrong: {one.why()}"
    for ways in one.unsaid_should if question.answerable and not one.declined else ():
        yield f"should: {' | '.join(ways)}"
    yield f"in: {' '.join(question.posts) or 'no post'}"
    yield ""
