"""What Stipple itself says to a user besides the posts' words, in the user's language. Pure."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "declined", "no_model", "not_pulled", "language", "unsupported", "silent", "unsaid", "context", "busy", "failed"
]

_NOTES: dict[str, dict[Reason, str]] = {
    "en": {
        "declined": "These posts don't say.",
        "no_model": "No model is set up to write answers; these are the posts' own words.",
        "not_pulled": "The model that writes answers is not here yet (run stipple models pull, then restart);"
        " these are the posts' own words.",
        "language": "The model at hand does not write this language; these are the posts' own words.",
        "unsupported": "Nothing the model wrote was borne out by the posts; these are the posts' own words.",
        "silent": "The model wrote nothing; these are the posts' own words.",
        "unsaid": "The model found no answer in the posts; these are their nearest words.",
        "context": "The model's context is too small for these posts; these are their own words.",
        "busy": "Many are asking at the moment; these are the posts' own words.",
        "failed": "The model failed on this question; these are the posts' own words.",
    },
    "zh": {
        "declined": "这些帖子没有提到。",
        "no_model": "没有配置撰写答案的模型，以下是帖子原文。",
        "not_pulled": "撰写答案的模型还没有下载（运行 stipple models pull，然后重启），以下是帖子原文。",
        "language": "当前模型不会写这种语言，以下是帖子原文。",
        "unsupported": "模型写的内容没有帖子支持，以下是帖子原文。",
        "silent": "模型什么也没写，以下是帖子原文。",
        "unsaid": "模型没有在帖子里找到答案，以下是最接近的帖子原文。",
        "context": "模型的上下文放不下这些帖子，以下是帖子原文。",
        "busy": "现在提问的人很多，以下是帖子原文。",
        "failed": "模型回答这个问题时出错，以下是帖子原文。",
    },
}


def message_language(language: str) -> str:
    """The language of Stipple's own messages: Chinese or English."""
    return "zh" if language == "zh" else "en"


def note(language: str, reason: Reason) -> str:
    """Why the answer is as it is.

    Args:
        language: Of the question.
    """
    return _NOTES[message_language(language)][reason]
