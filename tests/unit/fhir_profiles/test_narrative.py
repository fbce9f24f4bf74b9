"""What a narrative may hold, and what an attacker would like it to hold."""

import pytest

from fhir_profiles.narrative import narrative_fault

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
SOUND = {
    "text": "x",
    "table": '<table class="grid"><tr><td rowspan="2" style="color: red">x</td></tr></table>',
    "image alone": '<img src="#pic" alt=""/>',
    "link to an entry": '<a href="urn:uuid:1">x</a>',
    "languages": '<p lang="de" xml:lang="de">x</p>',
    "character reference": "&#160;x&amp;y",
    "comment": "<!-- c --><p>x</p>",
    "text after a comment": "<!-- c -->x",
    "CDATA": "<![CDATA[<script>]]>",
}
UNSAFE = {
    "script": "<script>alert(1)</script>",
    "event attribute": '<p onclick="x()">x</p>',
    "script link": '<a href="javascript:x()">x</a>',
    "script link in disguise": '<a href=" jAva&#10;script:x()">x</a>',
    "data page": '<a href="data:text/html,x">x</a>',
    "form": "<form><input/></form>",
    "frame": '<iframe src="http://example.org"/>',
    "object": '<object data="x"/>',
    "style sheet": "<style>p {}</style>",
    "outside stylesheet": '<link rel="stylesheet" href="x"/>',
    "another namespace": '<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "no namespace": '<p xmlns="">x</p>',
    "namespaced attribute": '<p xmlns:x="urn:x" x:onclick="y">x</p>',
    "processing instruction": '<?xml-stylesheet href="x"?>x',
}
BROKEN = {
    "empty text": "",
    "no element": "x",
    "no namespace": "<div>x</div>",
    "not a div": '<p xmlns="http://www.w3.org/1999/xhtml">x</p>',
    "not closed": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</div>',
    "cut off": '<div xmlns="http://www.w3.org/1999/xhtml">x',
    "two": DIV.format("x") + DIV.format("y"),
    "HTML entity": DIV.format("a&nbsp;b"),
    "bare ampersand": DIV.format("a & b"),
    "surrogate": DIV.format("\ud800"),
    "NUL": DIV.format("\x00"),
    "declaration": '<?xml version="1.0" encoding="UTF-16"?>' + DIV.format("x"),
    "entity bomb": '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    + DIV.format("&b;"),
    "outside entity": '<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + DIV.format("&a;"),
    "very deep": DIV.format("<p>" * 5000 + "</p>" * 5000),
    "too long": DIV.format("x" * 1_048_577),
}


@pytest.mark.parametrize("content", SOUND.values(), ids=SOUND)
def test_accepts(content: str) -> None:
    assert narrative_fault(DIV.format(content)) == ""


@pytest.mark.parametrize("content", UNSAFE.values(), ids=UNSAFE)
def test_refuses_unsafe_content(content: str) -> None:
    assert narrative_fault(DIV.format(content))


@pytest.mark.parametrize("div", BROKEN.values(), ids=BROKEN)
def test_refuses_broken_documents(div: str) -> None:
    assert narrative_fault(div)


@pytest.mark.parametrize("content", ["", " \n ", "<p></p>", "<p> <b/> </p>", "<!-- x -->"])
def test_refuses_nothing_to_read(content: str) -> None:
    assert "txt-2" in narrative_fault(DIV.format(content))


def test_does_not_repeat_what_the_narrative_says() -> None:
    assert "Secret" not in narrative_fault(DIV.format("<p>Secret &Secret;</p>"))
