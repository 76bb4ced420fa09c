"""A loaded model that talks: its context, its vocabulary, its chat template, and requests made into prompts."""

from __future__ import annotations

from functools import lru_cache

from app.answering.generation.llama.chat_template import ChatTemplate, Part
from app.answering.generation.llama.context import LlamaContext
from app.answering.generation.llama.gguf_loader import load_llama
from app.answering.generation.llama.reply import CLOSING_TOKENS, Reply
from app.answering.generation.llama.slots import shared
from app.answering.generation.llama.vocabulary import Vocabulary
from app.answering.generation.protocol import GenerateRequest, PromptTooLong
from app.answering.generation.thoughts import ThoughtSplitter
from app.models.gguf_file import GgufFile


class ChatModel:
    """A GGUF model in memory.

    Attributes:
        context_tokens: What prompt, thoughts and reply may share, without what the template takes.
        thinking_tokens: Most tokens of thought before a reply; 0 where the template does not say that it thinks.

    Args:
        context_tokens: Capped at what the model was trained with.
        sequences: How many share the context.

    Raises:
        ModelMissing: See load_llama.
    """

    def __init__(
        self,
        file: GgufFile,
        name: str,
        context_tokens: int,
        threads: int,
        thinking_tokens: int = 0,
        gpu_layers: int = 0,
        sequences: int = 1,
    ) -> None:
        trained = file.fields.get(f"{file.architecture}.context_length")
        if isinstance(trained, int) and 0 < trained < context_tokens:
            context_tokens = trained
        self.name = name
        self.context: LlamaContext = load_llama(file, context_tokens, threads, gpu_layers, sequences=sequences)
        self.vocabulary = Vocabulary(self.context.vocabulary_handle)
        self.template = ChatTemplate(self.context.template, self.vocabulary.bos, self.vocabulary.eos)
        self.thinking_tokens = thinking_tokens if self.template.thinks else 0
        self._room = self.context.window - CLOSING_TOKENS
        self.context_tokens = self._room - len(self.prompt("x", "x", think=False)[0])
        self._fixed = lru_cache(64)(self._fixed_tokens)

    def prompt(self, system: str, user: str, *, think: bool) -> tuple[list[int], ThoughtSplitter]:
        """The prompt's tokens, and a splitter that knows whether the prompt ends within a thought.

        Args:
            think: If False and the template begins a thought anyway, that thought is ended at once.
        """
        parts = self.template.parts(system, user, think=think)
        splitter = ThoughtSplitter()
        splitter.feed(parts[-1].text)
        if not think and splitter.closing:
            parts.append(Part(splitter.closing, content=False))
            splitter.feed(splitter.closing)
        return self.vocabulary.prompt(parts), splitter

    def begin(self, request: GenerateRequest) -> tuple[list[int], int, Reply, int]:
        """A request as the scheduler takes it: the prompt's tokens, how many of the first are the same whatever the
        user's text, the reply to fill, and the most tokens that prompt and reply take together.

        Raises:
            PromptTooLong: They do not fit the context.
        """
        thinking = request.thinking_budget(self.thinking_tokens)
        tokens, splitter = self.prompt(request.system, request.user, think=thinking > 0)
        left = self._room - len(tokens) - request.max_tokens
        if left < 0:
            raise PromptTooLong(
                f"the prompt takes {len(tokens):,} tokens and the reply up to {request.max_tokens:,}, and {self.name} "
                f"has a context of {self.context.window:,}",
                "raise STIPPLE_LLM_CONTEXT_TOKENS, or lower STIPPLE_ANSWER_HITS or STIPPLE_LLM_MAX_TOKENS",
            )
        thinking = min(thinking, left)
        # A thought that is cut off may be ended, and begun again, a few times.
        most = min(len(tokens) + thinking + request.max_tokens + 3 * CLOSING_TOKENS, self.context.window)
        reply = Reply(self.vocabulary, splitter, len(tokens), request.max_tokens, thinking, self._room)
        return tokens, shared(self._fixed(request.system, think=thinking > 0), tokens), reply, most

    def _fixed_tokens(self, system: str, *, think: bool) -> tuple[int, ...]:
        """A prompt with next to no user's text: what another shares with it is what precedes that text."""
        return tuple(self.prompt(system, "\N{BULLET}", think=think)[0]) if system else ()

    def close(self) -> None:
        self.context.close()
