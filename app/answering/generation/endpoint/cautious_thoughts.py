"""Thoughts of a model behind an endpoint whose chat template we cannot see. Pure.

Such a template may open the thought itself, so that the reply begins within it and only its closing tag arrives. Until
then it looks like an answer. So the whole first reply is held back: if no closing tag comes, this model's later replies
stream; if one does, each waits for its own. A first reply that is cut off says neither; the caller then finds out with
a question that has a short answer.
"""

from __future__ import annotations

from app.answering.generation.thoughts import Piece, ThoughtSplitter


class CautiousSplitter:
    """A ThoughtSplitter that, if told to hold, gives no answer before it knows that it is one."""

    def __init__(self, *, hold: bool) -> None:
        self._splitter = ThoughtSplitter()
        self._holding, self._raw = hold, ""
        self.opens_in_template: bool | None = None if hold else False
        """Whether the template opens the thought; None while it is not known."""

    def feed(self, piece: str) -> Piece:
        if not self._holding:
            split = self._splitter.feed(piece)
            if self._splitter.stray:
                self.opens_in_template = True
            return split
        self._raw += piece
        trial = ThoughtSplitter()
        trial.feed(self._raw)
        if trial.stray:
            self.opens_in_template = True
            return self._release(inside=True)
        if trial.thinking:
            self.opens_in_template = False  # the model opens its thoughts itself
            return self._release(inside=False)
        return Piece()

    def thought_apart(self) -> Piece:
        """Call this when the endpoint sends a thought in a separate field: its content is then never a thought."""
        if not self._holding:
            return Piece()
        self.opens_in_template = False
        return self._release(inside=False)

    def rest(self, *, cut_off: bool) -> Piece:
        """What is left when the reply has ended.

        Args:
            cut_off: It ran out of tokens. What was held may then be an unfinished thought.
        """
        if not self._holding:
            return self._splitter.rest()
        if cut_off:
            return Piece(thought=self._raw)
        if self._raw:
            self.opens_in_template = False
        held = self._release(inside=False)
        return Piece(held.answer + self._splitter.rest().answer, held.thought)

    def _release(self, *, inside: bool) -> Piece:
        self._holding = False
        self._splitter = ThoughtSplitter(inside=inside)
        return self._splitter.feed(self._raw)
