"""What a browser would make of a page, as far as tests ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""

    def has_class(self, name: str) -> bool:
        return name in self.attributes.get("class", "").split()


_VOID = {"meta", "link", "input", "img", "br", "path", "circle"}


@dataclass
class Html(HTMLParser):
    """Elements in reading order, each with all text inside it."""

    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, tag: str = "", css_class: str = "") -> list[Element]:
        return [
            element
            for element in self.elements
            if (not tag or element.tag == tag) and (not css_class or element.has_class(css_class))
        ]

    def by_id(self, identity: str) -> Element:
        found = [element for element in self.elements if element.attributes.get("id") == identity]
        assert len(found) == 1, f"{len(found)} elements have the id {identity}"
        return found[0]


def read_html(text: str) -> Html:
    """Parse a page or a fragment.

    Raises:
        AssertionError: Tags do not nest, or an element has an attribute twice.
    """
    html = Html()
    html.feed(text)
    html.close()
    assert not html._open, f"never closed: {[element.tag for element in html._open]}"
    return html
