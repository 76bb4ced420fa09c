"""Models that write: one protocol, and llama.cpp in this process, an endpoint, or a script behind it."""

from app.answering.generation.factory import load_generator
from app.answering.generation.protocol import Generator, ModelFailed, PromptTooLong
from app.answering.generation.scripted import ScriptedGenerator

__all__ = ["Generator", "ModelFailed", "PromptTooLong", "ScriptedGenerator", "load_generator"]
