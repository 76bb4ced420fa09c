"""Models that write: one protocol, by llama.cpp in a process beside this one, by an endpoint, by a script.

Imports `app.models` and `retrieval`.
"""

from app.answering.generation.factory import load_generator
from app.answering.generation.protocol import GenerateRequest, Generator, ModelFailed, PromptTooLong
from app.answering.generation.scripted import ScriptedGenerator
from app.answering.generation.thoughts import Piece

__all__ = [
    "GenerateRequest",
    "Generator",
    "ModelFailed",
    "Piece",
    "PromptTooLong",
    "ScriptedGenerator",
    "load_generator",
]
