"""The XML writer: order, attributes, escapes, and what XML can't hold."""

from decimal import Decimal
from typing import Any

import pytest

from fhir_profiles.issues import InvalidDocument
from fhir_profiles.xml_format import parse, serialise

XHTML = "http://www.w3.org/1999/xhtml"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
OPEN = '<Patient xmlns="http://hl7.org/fhir">'


def content(**members: Any) -> str:
    text = serialise({"resourceType": "Patient", **members}).decode()
    return text.removeprefix(HEAD).removeprefix(OPEN).removesuffix("</Patient>")


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"birthDate": "1970", "active": True}, '<active value="true"/><birthDate value="1970"/>'),
        ({"multipleBirthInteger": 2}, '<multipleBirthInteger value="2"/>'),
        (
            {
                "_birthDate": {
                    "id": "a",
                    "extension": [{"valueDecimal": Decimal("1.10"), "url": "u"}],
                }
            },
            '<birthDate id="a"><extension url="u"><valueDecimal value="1.10"/></extension>'
            "</birthDate>",
        ),
        (
            {"name": [{"_given": [None, {"id": "b"}], "given": ["A", "B"], "id": "n"}]},
            '<name id="n"><given value="A"/><given id="b" value="B"></given></name>',
        ),
        (
            {"contained": [{"resourceType": "Organization", "id": "o"}]},
            '<contained><Organization><id value="o"/></Organization></contained>',
        ),
        ({"id": 'a"<&>\n\t\r☺'}, '<id value="a&quot;&lt;&amp;>&#10;&#9;&#13;☺"/>'),
    ],
    ids=["order", "integer", "extension", "list", "contained", "escapes"],
)
def test_members_become_elements(members: dict[str, Any], expected: str) -> None:
    assert content(**members).replace("></given>", "/>") == expected.replace("></given>", "/>")


def test_pretty_is_indented_and_says_the_same() -> None:
    resource = {
        "resourceType": "Patient",
        "text": {"status": "generated", "div": f'<div xmlns="{XHTML}">\n<p>a</p></div>'},
        "name": [{"given": ["A", "B"]}],
    }

    pretty = serialise(resource, pretty=True)

    assert b'\n  <name>\n    <given value="A"/>\n' in pretty
    assert parse(pretty) == parse(serialise(resource)) == resource


@pytest.mark.parametrize(
    ("div", "expected"),
    [
        (f' <div xmlns="{XHTML}">a</div>\n', f'<div xmlns="{XHTML}">a</div>'),
        ("<div>a</div>", f'<div xmlns="{XHTML}">a</div>'),
        (f'<div xmlns="{XHTML}">&nbsp;&lt;&copy;</div>', f'<div xmlns="{XHTML}">\xa0&lt;©</div>'),
    ],
    ids=["space around", "no namespace", "HTML entities"],
)
def test_narrative_is_embedded(div: str, expected: str) -> None:
    text = content(text={"status": "empty", "div": div})

    assert text == f'<text><status value="empty"/>{expected}</text>'


@pytest.mark.parametrize(
    "div",
    [
        "",
        "text",
        f'<div xmlns="{XHTML}">',
        f'<div xmlns="{XHTML}"></div><active value="false"/>',
        f'<div xmlns="{XHTML}"></div></text><active value="false"/><text>',
        '<div xmlns="urn:x">a</div>',
        "<p>a</p>",
        '<?xml version="1.0"?><div>a</div>',
        '<!DOCTYPE div [<!ENTITY a "b">]><div>&a;</div>',
        "<div>&unknown;</div>",
        "<div>\ud800</div>",
        7,
    ],
    ids=lambda value: None,
)
def test_narrative_without_a_place_is_refused(div: object) -> None:
    with pytest.raises(InvalidDocument) as caught:
        content(text={"status": "empty", "div": div})

    assert caught.value.issues[0].expression == "Patient.text.div"


@pytest.mark.parametrize(
    ("members", "expression"),
    [
        ({"colour": "red"}, "Patient"),
        ({"_name": {}}, "Patient"),
        ({"id": "a\x01"}, "Patient.id"),
        ({"id": "\udc00"}, "Patient.id"),
        ({"id": None}, "Patient.id"),
        ({"id": ["a"]}, "Patient.id"),
        ({"name": {}}, "Patient.name"),
        ({"name": ["a"]}, "Patient.name[0]"),
        ({"name": [{"given": "a"}]}, "Patient.name[0].given"),
        ({"name": [{"given": ["a", None]}]}, "Patient.name[0].given[1]"),
        ({"name": [{"resourceType": "x"}]}, "Patient.name[0]"),
        ({"maritalStatus": []}, "Patient.maritalStatus"),
        ({"contained": [{}]}, "Patient.contained[0]"),
        ({"contained": [{"resourceType": "Dog"}]}, "Patient.contained[0]"),
    ],
)
def test_what_has_no_xml_form_is_refused(members: dict[str, Any], expression: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        content(**members)

    assert caught.value.issues[0].expression == expression
