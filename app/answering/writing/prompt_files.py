"""The prompts: files with a version, whose words never change once released."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template

_HEADER_START, _HEADER_END = "{#", "#}"
# Not HTML: autoescape would turn a post's "<" into "&lt;" for the model. Posts are made harmless by
# `prompt_assembly.neutral`.
_ENVIRONMENT = Environment(autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701  # not HTML


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt file.

    Attributes:
        name: Such as "answer/v1.en".
        sha256: Of the file's bytes; reported with each answer.
        purpose: From the header: what it asks the model to do.
    """

    name: str
    sha256: str
    purpose: str
    template: Template

    @property
    def version(self) -> str:
        return f"{self.name}@{self.sha256[:8]}"

    def parts(self, **values: object) -> tuple[str, str]:
        """(system, user): what the file says above and below its line of three dashes, filled in."""
        system, _, user = self.template.render(**values).partition("\n---\n")
        return system.strip(), user.strip()


@cache
def load_prompt(name: str) -> Prompt:
    """The prompt in prompts/<name>.jinja. Its first comment is a TOML header that says what it is for."""
    data = files("prompts").joinpath(f"{name}.jinja").read_bytes()
    text = data.decode()
    assert text.startswith(_HEADER_START), f"prompts/{name}.jinja has no header"
    header = tomllib.loads(text[len(_HEADER_START) : text.index(_HEADER_END)])
    return Prompt(name, hashlib.sha256(data).hexdigest(), str(header["purpose"]), _ENVIRONMENT.from_string(text))
