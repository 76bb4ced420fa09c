"""One reply, token by token: what each adds, when it ends, and where its thought is cut off."""

from __future__ import annotations

import codecs

import structlog

from app.answering.generation.llama.vocabulary import Vocabulary
from app.answering.generation.thoughts import Piece, ThoughtSplitter

_log = structlog.get_logger()
CLOSING_TOKENS = 16
"""Most that end a thought and begin an answer."""
_MOST_CUTS = 3  # a model that keeps thinking after its thought was ended so often has no answer


class Reply:
    """Turns tokens into pieces.

    Attributes:
        ended: Whether no more tokens are wanted.

    Args:
        splitter: Knows whether the prompt ended within a thought.
        max_tokens, thinking_tokens: Most tokens of the answer, and of thought before it.
        room: Tokens that prompt and reply may take together.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        splitter: ThoughtSplitter,
        prompt_tokens: int,
        max_tokens: int,
        thinking_tokens: int,
        room: int,
    ) -> None:
        self._vocabulary, self._splitter = vocabulary, splitter
        self._max_tokens, self._thinking_tokens = max_tokens, thinking_tokens
        self._left = room - prompt_tokens
        self._answered = self._thought = self._cuts = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.ended = False

    def take(self, token: int) -> tuple[Piece, list[int]]:
        """What a token that the model chose adds to the reply, and the tokens that it is to read next."""
        if self._vocabulary.ends(token):
            self.ended = True
            return self._end(), []
        piece = self._splitter.feed(self._decoder.decode(self._vocabulary.piece(token)))
        self._left -= 1
        if self._splitter.closing:
            self._thought += 1
        else:
            self._answered += 1
        cut = bool(self._splitter.closing) and self._thought >= self._thinking_tokens
        self.ended = self._answered >= self._max_tokens or self._left <= 0 or (cut and self._cuts >= _MOST_CUTS)
        if self.ended:
            return _joined(piece, self._end()), []
        if not cut:
            return piece, [token]
        # The thought used up its tokens: end it as the model would, and let the model answer.
        _log.info("a thought was cut off", tokens=self._thought)
        self._cuts += 1
        rest = self._splitter.feed(self._decoder.decode(b"", final=True))
        closing = self._splitter.closing
        ending = self._vocabulary.tokens("\n" + closing + "\n\n" if "<|" not in closing else closing, special=True)
        self._left -= len(ending)
        return _joined(piece, rest, self._splitter.feed(closing)), [token, *ending]

    def _end(self) -> Piece:
        return _joined(self._splitter.feed(self._decoder.decode(b"", final=True)), self._splitter.rest())


def _joined(*pieces: Piece) -> Piece:
    return Piece("".join(piece.answer for piece in pieces), "".join(piece.thought for piece in pieces))
