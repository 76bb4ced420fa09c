"""Converts the HTML of posts to the text that a reader sees. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "summary", "table", "tbody", "thead", "tr", "ul",
})  # fmt: skip
# Blocks with an empty line around them.
_APART = frozenset({"p", "blockquote", "ul", "ol", "pre", "h1", "h2", "h3", "h4", "h5", "h6", "table", "figure"})
_UNSEEN = frozenset(["head", "title", "object", "svg", "math"])
_SPACES = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"</?[a-zA-Z!?]")
_NAME = re.compile(r"/?[a-zA-Z][^\s/>]{0,40}")
_ATTRIBUTE = re.compile(r"""(?<![\w:-])([a-zA-Z][\w:-]*)\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+)""")
_QUOTED = re.compile("=([\"'])")
_RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "noscript", "iframe", "template")}


@dataclass(frozen=True, slots=True)
class Picture:
    """An <img>: its address, and what it shows in words."""

    url: str
    alt: str


def html_text(written: str) -> str:
    """The text that a reader sees: an empty line between paragraphs, a line per list item and <br>, entities resolved.

    Never fails: what is not a tag is text.

    >>> html_text("<p>Flat white &amp; cake<br>32 yuan</p><p>See <a href='https://a.example'>the map</a></p>")
    'Flat white & cake\\n32 yuan\\n\\nSee the map'
    """
    return text_and_pictures(written)[0]


def text_and_pictures(written: str) -> tuple[str, list[Picture]]:
    """The text of `html_text`, and the pictures in it."""
    if not _TAG.search(written):  # plain words, or words with entities
        return html.unescape(written).replace("\r\n", "\n").strip(), []
    page = _Page()
    for token in _tokens(written):
        page.take(token)
    return page.text(), page.pictures


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag: its name in lower case, with a slash in front if it is a closing tag, and the rest after the name."""

    name: str
    rest: str


def _tokens(written: str) -> Iterator[str | _Tag]:
    """Runs of text and tags, in linear time.

    The standard library's HTMLParser takes minutes for 200 KB of "<a <a <a" (3.11), and posts are untrusted.
    """
    at, end = 0, len(written)
    while at < end:
        opens = written.find("<", at)
        if opens < 0:
            break
        if opens > at:
            yield written[at:opens]
        at = opens
        if written.startswith("<!--", at):
            closes, mark = written.find("-->", at + 4), 3
        elif written.startswith(("<!", "<?"), at):
            closes, mark = written.find(">", at), 1
        elif name := _NAME.match(written, at + 1):
            closes = _tag_end(written, name.end())
            if closes >= 0:
                tag = _Tag(name[0].lower(), written[name.end() : closes])
                yield tag
                at = closes + 1
                if tag.name in _RAW:  # its content is not shown, and tags in it are not tags
                    ends = _RAW[tag.name].search(written, at)
                    at = ends.start() if ends else end
                continue
            mark = 0
        else:
            yield "<"
            at += 1
            continue
        if closes < 0:  # nothing closes it, nor any tag after it: the rest is text
            break
        at = closes + mark
    if at < end:
        yield written[at:]


def _tag_end(written: str, at: int) -> int:
    """The position of a tag's ">", ignoring those in quotes; -1 if there is none."""
    closes = written.find(">", at)
    while closes >= 0:
        quote = _open_quote(written[at:closes])
        after = written.find(quote, closes) if quote else -1
        if after < 0:
            return closes
        at, closes = after + 1, written.find(">", after)
    return closes


def _open_quote(attributes: str) -> str:
    """The quotation mark that is open at the end of these attributes, or ""."""
    at = 0
    while opens := _QUOTED.search(attributes, at):
        closes = attributes.find(opens[1], opens.end())
        if closes < 0:
            return opens[1]
        at = closes + 1
    return ""


class _Page:
    """The text of a page as far as it was read."""

    def __init__(self) -> None:
        self.pictures: list[Picture] = []
        self._pieces: list[str] = []
        self._hidden = 0  # number of open unseen elements
        self._verbatim = 0  # number of open <pre>
        self._breaks, self._space = 0, False  # line breaks and white space before the next word

    def take(self, token: str | _Tag) -> None:
        if isinstance(token, str):
            self._words(html.unescape(token))
        elif token.name.startswith("/"):
            self._closed(token.name[1:])
        else:
            self._opened(token.name, token.rest)

    def text(self) -> str:
        return "".join(self._pieces).strip()

    def _opened(self, tag: str, rest: str) -> None:
        if tag in _UNSEEN and not rest.endswith("/"):
            self._hidden += 1
        elif tag == "br":
            self._breaks = min(2, self._breaks + 1)
        elif tag in _BLOCKS:
            self._break(tag)
            self._verbatim += tag == "pre"
            if tag == "li":
                self._write("- ")
        elif tag in {"td", "th"}:
            self._space = True
        elif tag == "img" and not self._hidden:
            self._picture({name.lower(): html.unescape(value.strip("\"'")) for name, value in _ATTRIBUTE.findall(rest)})

    def _picture(self, given: dict[str, str]) -> None:
        url, alt = given.get("src", "").strip(), given.get("alt", "").strip()
        if "emoji" in given.get("class", "") or "smiley" in given.get("class", ""):
            self._write(alt)  # Discourse and WordPress show emoji as pictures
        elif url:
            self.pictures.append(Picture(url, alt))

    def _closed(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self._break(tag)
            self._verbatim = max(0, self._verbatim - (tag == "pre"))

    def _words(self, data: str) -> None:
        if self._hidden:
            return
        if self._verbatim:
            self._write(data.replace("\r\n", "\n"))
            return
        words = _SPACES.sub(" ", data)
        self._space |= words.startswith(" ")
        if inner := words.strip(" "):
            self._write(inner)
        self._space |= words.endswith(" ")

    def _break(self, tag: str) -> None:
        inside_list = tag in {"ul", "ol"} and "- " in self._pieces[-1:]
        self._breaks = max(self._breaks, 2 if tag in _APART and not inside_list else 1)

    def _write(self, text: str) -> None:
        if self._pieces and self._pieces[-1] != "- ":
            self._pieces.append("\n" * self._breaks if self._breaks else " " if self._space else "")
        self._breaks, self._space = 0, False
        self._pieces.append(text)
