"""llama.cpp in this process: greedy decoding, the GGUF file's own chat template, and a stop in the middle of a step."""

from __future__ import annotations

import codecs
import ctypes
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from app.answering.generation.cancellation import when_set
from app.answering.generation.llama.chat_template import ChatTemplate, Part
from app.answering.generation.llama.gguf_loader import last_words, load_llama
from app.answering.generation.protocol import GenerateRequest, ModelFailed, PromptTooLong
from app.answering.generation.thoughts import TAG, Piece, ThoughtSplitter
from app.models.gguf_file import GgufFile

_log = structlog.get_logger()
_REPEAT_PENALTY = 1.05
_CLOSING_TOKENS = 16  # most that end a thought and begin an answer
_MOST_CUTS = 3  # a model that keeps thinking after its thought was ended so often has no answer


class LlamaGenerator:
    """A GGUF model run by llama.cpp. A prompt's beginning that equals the last one's is not evaluated again.

    Args:
        context_tokens: Capped at what the model was trained with.
        thinking_tokens: Most tokens of thought before a reply, where the model's template says that it thinks.
        gpu_layers: See load_llama.

    Raises:
        ModelMissing: The model cannot be loaded.
    """

    parallel = 1

    def __init__(
        self,
        file: GgufFile,
        name: str,
        languages: frozenset[str] | None,
        context_tokens: int,
        threads: int,
        thinking_tokens: int = 0,
        gpu_layers: int = 0,
    ) -> None:
        self.name, self.languages = name, languages
        trained = file.fields.get(f"{file.architecture}.context_length")
        if isinstance(trained, int) and 0 < trained < context_tokens:
            context_tokens = trained
        self._llama: Any = load_llama(file, context_tokens, threads, gpu_layers)
        # llama.cpp rounds a context up; the requested size is what counts.
        self._window = min(context_tokens, self._llama.n_ctx())
        self._vocabulary = _Vocabulary(self._llama)
        source = self._llama.metadata.get("tokenizer.chat_template", "")
        self.template = ChatTemplate(source, self._vocabulary.bos, self._vocabulary.eos)
        self.thinking_tokens = thinking_tokens if self.template.thinks else 0
        template_tokens = len(self.prompt("x", "x", think=False)[0])
        self.context_tokens = self._window - template_tokens - _CLOSING_TOKENS
        # llama.cpp has one state: counting tokens while another thread generates is safe, generating twice is not.
        self._lock = threading.Lock()
        self._abort = _Abort(self._llama)
        self.tokens_read = 0
        """Tokens of the last prompt that had to be evaluated."""

    def count_tokens(self, text: str) -> int:
        return len(self.tokens(text, special=False))

    def tokens(self, text: str, *, special: bool) -> list[int]:
        """Ids of a text's tokens.

        Args:
            special: Whether `<|im_end|>` and the like are special tokens or plain text.
        """
        return self._vocabulary.tokens(text, special=special)

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
        return self._vocabulary.prompt(parts), splitter

    def generate(self, request: GenerateRequest, stop: threading.Event) -> Iterator[Piece]:
        budget = request.thinking_budget(self.thinking_tokens)
        tokens, splitter = self.prompt(request.system, request.user, think=budget > 0)
        max_tokens = request.max_tokens
        room = self._window - len(tokens) - _CLOSING_TOKENS
        if room < max_tokens:
            raise PromptTooLong(
                f"the prompt takes {len(tokens):,} tokens and the reply up to {max_tokens:,}, and {self.name} has a "
                f"context of {self._window:,}",
                "raise STIPPLE_LLM_CONTEXT_TOKENS, or lower STIPPLE_ANSWER_HITS or STIPPLE_LLM_MAX_TOKENS",
            )
        budget = min(budget, room - max_tokens)
        thought = answer = cuts = 0
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        with self._lock, self._abort.armed(stop):
            try:
                while not stop.is_set():
                    cut = False
                    self.tokens_read = len(tokens) - self._shared(tokens)
                    for token in self._llama.generate(tokens, temp=0.0, repeat_penalty=_REPEAT_PENALTY):
                        if stop.is_set():
                            return
                        if self._vocabulary.ends(token):
                            break
                        tokens.append(token)
                        yield splitter.feed(decoder.decode(self._vocabulary.piece(token)))
                        if splitter.closing:
                            thought += 1
                            cut = thought >= budget
                        else:
                            answer += 1
                        if cut or answer >= max_tokens or len(tokens) >= self._window - _CLOSING_TOKENS:
                            break
                    cuts += cut
                    if not cut or cuts > _MOST_CUTS or answer >= max_tokens:
                        break
                    # The thought used up its tokens: end it as the model would, and let the model answer.
                    _log.info("a thought was cut off", model=self.name, tokens=thought)
                    yield splitter.feed(decoder.decode(b"", final=True))
                    closing = splitter.closing
                    tokens.extend(
                        self._vocabulary.tokens(
                            "\n" + closing + "\n\n" if "<|" not in closing else closing, special=True
                        )
                    )
                    yield splitter.feed(closing)
            except RuntimeError as error:
                if stop.is_set():
                    return  # llama_decode was aborted on purpose
                raise ModelFailed(
                    f"llama.cpp failed while {self.name} was writing: {last_words() or error}",
                    "see `stipple doctor`; a smaller STIPPLE_LLM_CONTEXT_TOKENS needs less memory",
                ) from error
        yield splitter.feed(decoder.decode(b"", final=True))
        yield splitter.rest()

    def _shared(self, tokens: list[int]) -> int:
        """How many of the first tokens llama.cpp still holds. The last one is always evaluated again."""
        had = self._llama.input_ids[: self._llama.n_tokens].tolist()
        same = next((at for at, (one, other) in enumerate(zip(had, tokens, strict=False)) if one != other), len(had))
        return min(same, len(tokens) - 1)

    def close(self) -> None:
        with self._lock:
            self._llama.close()


class _Vocabulary:
    """The model's vocabulary: text to token ids, and ids to bytes, since a token may hold half a character."""

    def __init__(self, llama: Any) -> None:
        from llama_cpp import llama_cpp

        self._llama, self._bindings, self._handle = llama, llama_cpp, llama._model.vocab
        bos, eos = llama.token_bos(), llama.token_eos()
        self._bos_token = bos if llama_cpp.llama_vocab_get_add_bos(self._handle) and bos >= 0 else None
        self.bos, self.eos = (
            self.piece(token).decode("utf-8", "replace") if token >= 0 else "" for token in (bos, eos)
        )

    def tokens(self, text: str, *, special: bool) -> list[int]:
        return list(self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=special))

    def prompt(self, parts: list[Part]) -> list[int]:
        """The whole prompt. Where contents spell out a special token, they get plain tokens instead."""
        if any(part.content and self._spells(part.text) for part in parts):
            tokens = []
            for part in parts:
                tokens += self._plain(part.text) if part.content else self.tokens(part.text, special=True)
        else:
            tokens = self.tokens(
                "".join(part.text for part in parts), special=True
            )  # may merge across parts, as trained
        if self._bos_token is not None and tokens[:1] != [self._bos_token]:
            tokens.insert(0, self._bos_token)
        return tokens

    def _spells(self, text: str) -> bool:
        return bool(TAG.search(text)) or self.tokens(text, special=True) != self.tokens(text, special=False)

    def _plain(self, text: str) -> list[int]:
        """Tokens of a text without special tokens.

        llama.cpp recognises some of them regardless: `<think>`, and those that make a turn in gpt-oss. Cut in two after
        their first character, they are plain text.
        """
        cuts = [0, *(found.start() + 1 for found in TAG.finditer(text)), len(text)]
        stretches = [text[start:end] for start, end in itertools.pairwise(cuts)]
        return [token for stretch in stretches for token in self.tokens(stretch, special=False)]

    def piece(self, token: int) -> bytes:
        # The class Llama's own detokenizer asserts that no token is longer than 32 bytes.
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            wrote = self._bindings.llama_token_to_piece(self._handle, token, buffer, size, 0, True)
            if wrote >= 0:
                return buffer.raw[:wrote]
            size = -wrote

    def ends(self, token: int) -> bool:
        return bool(self._bindings.llama_vocab_is_eog(self._handle, token))


class _Abort:
    """A flag that llama.cpp checks between two operations, without running any Python.

    llama.cpp calls a C function with one address to ask whether to abort. A Python function would need the
    interpreter's lock hundreds of times per token; C's own strlen, given a string of no or one letter, does as well.
    """

    def __init__(self, llama: Any) -> None:
        from llama_cpp import llama_cpp

        self._flag = ctypes.create_string_buffer(2)
        try:
            strlen = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p).value or 0
        except (AttributeError, OSError, TypeError):  # no such library: it then stops between two tokens
            return
        self._asked = llama_cpp.ggml_abort_callback(strlen)
        llama_cpp.llama_set_abort_callback(llama.ctx, self._asked, ctypes.cast(self._flag, ctypes.c_void_p))

    @contextmanager
    def armed(self, stop: threading.Event) -> Iterator[None]:
        """Within the block, llama.cpp aborts when the stop is set."""
        self._flag[0] = b"\x00"
        with when_set(stop, self._set):
            yield

    def _set(self) -> None:
        self._flag[0] = b"\x01"
