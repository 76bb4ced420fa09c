"""What XML forbids and files have."""

from __future__ import annotations

import io
from xml.parsers import expat

from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.formats.xml import DROPPED, xml_elements
from indexer.readers.formats.xml_text import xml_pieces
from indexer.readers.records import Record
from indexer.rejects import Rejected


class Slow(io.BytesIO):
    """Gives few bytes at a time, so that everything is cut somewhere."""

    def read1(self, size: int | None = -1, /) -> bytes:
        return super().read1(7)


def mended(text: str) -> str:
    slow, fast = "".join(xml_pieces(Slow(text.encode()))), "".join(xml_pieces(io.BytesIO(text.encode())))
    assert slow == fast, "however it is cut"
    return slow


def items(text: str | bytes) -> tuple[list[dict[str, object]], list[Rejected], dict[str, object]]:
    about: dict[str, object] = {}
    data = text.encode() if isinstance(text, str) else text
    found = list(xml_elements(io.BytesIO(data), "a.xml", about=about))
    values = [one.value for one in found if isinstance(one, Record)]
    return (
        [value for value in values if isinstance(value, dict)],
        [one for one in found if isinstance(one, Rejected)],
        about,
    )


def test_control_characters_and_references_to_them_are_left_out_and_counted() -> None:
    [item], rejected, about = items("<rss><item><title>a\x11b&#x0;c&#8;d&#x9;e</title></item></rss>")
    assert (item["title"], about[DROPPED], rejected) == ("abcd\te", 3, [])


def test_white_space_before_the_declaration_and_a_newer_version_do_no_harm() -> None:
    found, rejected, _ = items(
        '\n \n<?xml version="1.1" standalone="yes"?>\n<rss><item><title>a&nbsp;b</title></item></rss>'
    )
    assert (found[0]["title"], rejected) == ("a\xa0b", [])


def test_a_bare_ampersand_is_an_ampersand_and_in_cdata_nothing_is_changed() -> None:
    text = (
        '<rss><item><title>Q&A &amp; AT&T &eacute;</title><link href="?a=1&b=2"/>'
        "<d><![CDATA[Q&A &amp; &eacute;]]></d></item></rss>"
    )
    [item], rejected, _ = items(text)
    assert (item["title"], item["d"], rejected) == ("Q&A & AT&T é", "Q&A &amp; &eacute;", [])
    assert item["link"] == {"href": "?a=1&b=2"}


def test_a_document_type_may_declare_characters_and_words_and_nothing_that_grows() -> None:
    start = "<!DOCTYPE rss [{}]><rss><item><title>&a;</title></item></rss>"
    assert items(start.format('<!ENTITY a "&#160;">'))[0][0]["title"] == "\xa0"
    assert items(start.format('<!ENTITY a "Ferry Ltd">'))[0][0]["title"] == "Ferry Ltd"
    for bomb in ('<!ENTITY b "x"><!ENTITY a "&b;&b;">', '<!ENTITY % a "x">', '<!ENTITY a SYSTEM "file:///etc/hosts">',
                 f'<!ENTITY a "{"x" * 500}">', "".join(f'<!ENTITY a{n} "x">' for n in range(400))):  # fmt: skip
        found, rejected, _ = items(start.format(bomb))
        assert (found, len(rejected)) == ([], 1)
        assert "declares the entity" in rejected[0].problem


def test_bytes_that_are_not_utf_8_cost_their_place_and_are_told() -> None:
    found, [rejected], _ = items(b"<rss><item><title>a\xffb</title></item><item><title>c</title></item></rss>")
    assert [one["title"] for one in found] == ["a\ufffdb", "c"]
    assert "1 places hold bytes that are not UTF-8" in rejected.problem


def test_namespaces_mean_the_same_with_any_scheme_version_ending_and_without_declaration() -> None:
    for declared in (
        'xmlns:wp="http://wordpress.org/export/1.2/"', 'xmlns:wp="https://wordpress.org/export/2.0"',
        'xmlns:wp="HTTPS://www.WordPress.org/export/1.1/"', 'xmlns:wp="urn:somebody"', "",
    ):  # fmt: skip
        [item], rejected, _ = items(f"<rss {declared}><item><wp:status>draft</wp:status></item></rss>")
        assert (item["wp:status"], rejected) == ("draft", [])
    [other], _, _ = items(
        '<rss xmlns:w="https://wordpress.org/export/1.2/"><item><w:status>draft</w:status></item></rss>'
    )
    assert other["wp:status"] == "draft"


def test_xhtml_in_an_entry_is_html_and_its_words_are_not_tags() -> None:
    entry = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:x="http://www.w3.org/1999/xhtml"><entry><content type="xhtml">'
        "<x:div>a <x:b>b</x:b> &lt;i&gt;</x:div></content><title>t</title></entry></feed>"
    )
    [item], _, _ = items(entry)
    assert item["atom:content"] == {"type": "xhtml", "#text": "<div>a <b>b</b> &lt;i&gt;</div>"}
    assert item["atom:title"] == "t"


XML = st.recursive(
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="<&>\ufffe\uffff\ufffd"), max_size=9),
    lambda inner: st.lists(inner, max_size=3).map(lambda parts: f"<a>{''.join(parts)}</a>"),
)


@given(XML, st.sampled_from(["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="utf-8"?>\n']))
def test_a_file_that_xml_allows_is_not_changed(body: str, declaration: str) -> None:
    text = f"<r>{body} &amp; &#233; &lt;</r>"
    expat.ParserCreate().Parse(text, True)
    assert mended(declaration + text).lstrip("\n") == text


@given(st.text(st.sampled_from("<>&;#x1aA[]!CDT \x00\x11\n?\"'"), max_size=80))
def test_it_is_the_same_however_it_is_cut_and_never_fails(text: str) -> None:
    mended(text)
