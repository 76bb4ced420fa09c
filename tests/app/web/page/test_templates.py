from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args

import pytest
from jinja2 import meta

from app.web.page.contexts import Context
from app.web.page.html_response import ENVIRONMENT, TEMPLATES

CONTEXTS = get_args(Context)
# What pages extend sees the page's own context; parts are macros and see none.
SHARED = {"base.jinja": {"frame"}, "parts.jinja": set[str](), "logo.svg": set[str]()}


def used(template: str) -> set[str]:
    source = (TEMPLATES / template).read_text("utf-8")
    return meta.find_undeclared_variables(ENVIRONMENT.parse(source)) - {"parts"}


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: context.template)
def test_a_template_uses_what_its_context_lists_and_the_context_lists_nothing_unused(context: Any) -> None:
    listed = {field.name for field in fields(context)}
    source: str = context.template
    inherited = SHARED["base.jinja"] if "extends" in (TEMPLATES / source).read_text("utf-8") else set()
    assert used(source) | inherited == listed


@pytest.mark.parametrize("template", SHARED)
def test_a_shared_template_uses_only_what_every_page_has(template: str) -> None:
    assert used(template) <= SHARED[template]


def test_every_template_belongs_to_a_context_or_is_shared() -> None:
    assert {path.name for path in TEMPLATES.iterdir()} == SHARED.keys() | {context.template for context in CONTEXTS}


def test_what_a_template_inserts_is_escaped() -> None:
    assert ENVIRONMENT.from_string("{{ text }}").render(text="<script>") == "&lt;script&gt;"


def test_no_template_switches_escaping_off_or_carries_code_of_its_own() -> None:
    for path in TEMPLATES.iterdir():
        source = path.read_text("utf-8")
        for forbidden in ("|safe", "| safe", "autoescape", " style=", " onclick=", "<style", "<script>", "//"):
            assert forbidden not in source, f"{forbidden} in {path.name}"
