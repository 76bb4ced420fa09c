"""A model's chat template: from system and user text to a prompt in separate parts.

Contents, which include posts, are untrusted text. What the template writes may hold special tokens; contents never do,
even if a post spells one out, so that no post can end its turn and begin another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog
from jinja2 import TemplateError

_log = structlog.get_logger()
# Placeholders for the contents while the template is rendered; no template removes private-use characters.
_SYSTEM, _USER = "\ue001\ue002\ue001", "\ue001\ue003\ue001"
_THOUGHT_SIGNS = (
    "<think>", "<thinking>", "[THINK]", "<seed:think>", "channels: analysis", "<|channel>", "<|START_THINKING|>",
    "<|inner_prefix|>", "◁think▷", "enable_thinking",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the prompt.

    Attributes:
        content: Whether it is system or user text, in which special tokens are plain text.
    """

    text: str
    content: bool


class ChatTemplate:
    """A Jinja template from a GGUF file or, without one, plain paragraphs.

    Args:
        source: The template; "" where the file has none.
        bos, eos: The texts of the tokens that begin and end a sequence, for the template.
    """

    def __init__(self, source: str, bos: str, eos: str) -> None:
        self._formatter: Any = None
        self.thinks = any(sign in source for sign in _THOUGHT_SIGNS)
        if source:
            from llama_cpp.llama_chat_format import Jinja2ChatFormatter

            try:
                self._formatter = Jinja2ChatFormatter(template=source, eos_token=eos, bos_token=bos)
            except TemplateError as error:
                _log.warning("the model's chat template cannot be read; plain paragraphs instead", reason=str(error))
        self.has_system_role = bool(self._formatter) and self._renders(_SYSTEM, _USER) is not None
        self.usable = self._formatter is not None and (self.has_system_role or self._renders("", _USER) is not None)

    def parts(self, system: str, user: str, *, think: bool) -> list[Part]:
        """The prompt, up to where the model continues. Its last part shows whether the template began a thought."""
        if not self.usable:
            return [Part(f"{system}\n\n{user}", content=True), Part("\n\n", content=False)]
        if system and not self.has_system_role:
            rendered = self._renders("", _SYSTEM + "\n\n" + _USER, think=think)  # as Gemma's own examples do
        else:
            rendered = self._renders(_SYSTEM if system else "", _USER, think=think)
        assert rendered is not None, "the template rendered a question before"
        parts = []
        for at, stretch in enumerate(rendered.replace(_SYSTEM, "\0s\0").replace(_USER, "\0u\0").split("\0")):
            if at % 2:
                parts.append(Part(system if stretch == "s" else user, content=True))
            else:
                parts.append(Part(stretch, content=False))
        return parts

    def _renders(self, system: str, user: str, *, think: bool = False) -> str | None:
        """The prompt; None where the template refuses it or leaves a part of it out."""
        messages = [{"role": "user", "content": user}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        try:
            # Templates that do not use these names ignore them.
            prompt = self._formatter(
                messages=messages, enable_thinking=think, thinking=think, reasoning_effort="low"
            ).prompt
        except (TemplateError, ValueError, TypeError, KeyError):
            return None  # such as "System role not supported"
        held = all(sign in prompt for sign in (_SYSTEM, _USER) if sign in system + user)
        return str(prompt).replace("\0", "") if held else None
