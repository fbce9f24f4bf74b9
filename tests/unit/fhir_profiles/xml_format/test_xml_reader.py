"""The XML reader: what it takes, what it refuses, and where it says so."""

from decimal import Decimal

import pytest

from fhir_profiles import json_format
from fhir_profiles.issues import InvalidDocument
from fhir_profiles.xml_format import parse

NAMESPACES = 'xmlns="http://hl7.org/fhir" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
XHTML = "http://www.w3.org/1999/xhtml"


def patient(content: str, attributes: str = "") -> bytes:
    return f"<Patient {NAMESPACES}{attributes}>{content}</Patient>".encode()


def div(text: str) -> str:
    resource = parse(patient(f'<text><status value="generated"/>{text}</text>'))
    return str(resource["text"]["div"])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('<active value="true"/>', {"active": True}),
        ('<multipleBirthInteger value="+2"/>', {"multipleBirthInteger": 2}),
        (
            '<birthDate id="a" value="1970"><extension url="u"><valueDecimal value="1.10"/>'
            "</extension></birthDate>",
            {
                "birthDate": "1970",
                "_birthDate": {
                    "id": "a",
                    "extension": [{"url": "u", "valueDecimal": Decimal("1.10")}],
                },
            },
        ),
        (
            '<name><given value="A"/><given><extension url="u"><valueCode value="x"/></extension>'
            '</given><given value="C"/></name>',
            {
                "name": [
                    {
                        "given": ["A", None, "C"],
                        "_given": [None, {"extension": [{"url": "u", "valueCode": "x"}]}, None],
                    }
                ]
            },
        ),
        (
            '<name><given><extension url="u"><valueCode value="x"/></extension></given></name>',
            {"name": [{"_given": [{"extension": [{"url": "u", "valueCode": "x"}]}]}]},
        ),
        (
            '<contained><Organization><id value="o"/></Organization></contained>',
            {"contained": [{"resourceType": "Organization", "id": "o"}]},
        ),
        ('<!-- a --><active value="true"/><?b c?>', {"active": True}),
        ('<id value="a&#10;b &amp; &#x263A;"/>', {"id": "a\nb & ☺"}),
    ],
    ids=[
        "boolean",
        "integer",
        "extension of a primitive",
        "list with nulls",
        "list of extensions only",
        "contained",
        "comments",
        "references to characters",
    ],
)
def test_content_becomes_json(content: str, expected: dict[str, object]) -> None:
    assert parse(patient(content)) == {"resourceType": "Patient", **expected}


@pytest.mark.parametrize("text", ["1.00", "0.0000001", "1e5", "1.0E+5", "-0.10"])
def test_decimals_keep_their_text(text: str) -> None:
    document = f'<Observation {NAMESPACES}><valueQuantity><value value="{text}"/></valueQuantity>'

    value = parse(f"{document}</Observation>".encode())["valueQuantity"]["value"]

    assert str(value) == text


@pytest.mark.parametrize(
    "text", ["01.0", "1.", ".5", "+1.0", "1e", "NaN", "1,5", "1e99999999", "1_0"]
)
def test_other_decimals_are_refused(text: str) -> None:
    document = f'<Observation {NAMESPACES}><valueQuantity><value value="{text}"/></valueQuantity>'

    with pytest.raises(InvalidDocument, match="must be a decimal"):
        parse(f"{document}</Observation>".encode())


def test_decimal_without_a_point_is_an_integer_as_in_json() -> None:
    document = f'<Observation {NAMESPACES}><valueQuantity><value value="5"/></valueQuantity>'

    value = parse(f"{document}</Observation>".encode())["valueQuantity"]["value"]

    assert isinstance(value, int)


def test_namespace_prefix_and_schema_location_are_taken() -> None:
    document = b"""\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>
    <f:Patient xmlns:f="http://hl7.org/fhir"
      xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">
      <f:active value="false"/></f:Patient>"""

    assert parse(document) == {"resourceType": "Patient", "active": False}


@pytest.mark.parametrize(
    ("content", "expression", "said"),
    [
        ('<colour value="x"/>', "Patient", "Unknown element 'colour'"),
        ('<active value="yes"/>', "Patient.active", "true or false"),
        ('<active value="true" x="y"/>', "Patient.active", "Unknown attribute 'x'"),
        ('<active value=""/>', "Patient.active", "must not be empty"),
        ("<active/>", "Patient.active", "is empty"),
        ('<active id="a"/>', "Patient.active", "is empty"),
        ("<name/>", "Patient.name[0]", "is empty"),
        ('<birthDate value="1970"/><gender value="male"/>', "Patient.gender", "before 'birthDate'"),
        ('<active value="true"/><active value="true"/>', "Patient.active", "only once"),
        ('<name><use value="usual"/>Ann</name>', "Patient.name[0]", "Text may not stand here"),
        ('<multipleBirthInteger value="007"/>', "Patient.multipleBirth", "whole number"),
        ('<active xmlns="urn:x" value="true"/>', "Patient", "must be in the namespace"),
        ("<contained/>", "Patient.contained[0]", "is empty"),
        ("<contained><Dog/></contained>", "Patient.contained[0]", "not a FHIR R4 resource"),
        (
            "<contained><Group/><Group/></contained>",
            "Patient.contained[0]",
            "Only one resource",
        ),
        (
            '<contact><name><given value="a"/><given value=""/></name></contact>',
            "Patient.contact[0].name.given[1]",
            "must not be empty",
        ),
        ("<text><div>x</div></text>", "Patient.text", f"namespace {XHTML}"),
    ],
    ids=lambda value: value if value.startswith("Patient") else None,
)
def test_fault_names_place_and_reason(content: str, expression: str, said: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse(patient(content))

    issue = caught.value.issues[0]
    assert not caught.value.malformed
    assert issue.expression == expression
    assert said in issue.diagnostics
    assert "line 1" in issue.diagnostics


def test_all_faults_are_reported() -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse(patient("<a/>\n<b/>\n<active value='x'/>"))

    lines = [issue.diagnostics[-8:] for issue in caught.value.issues]
    assert lines == ["(line 1)", "(line 2)", "(line 3)"]


def test_faults_end_at_a_hundred() -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse(patient("<a/>" * 1000))

    assert len(caught.value.issues) == 100


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"", "ends too early"),
        (b"{}", "line 1: This looks like JSON"),
        (patient("<active>"), "mismatched tag"),
        (patient('<id value="&nbsp;"/>'), "undefined entity"),
        (patient('<id value="&#0;"/>'), "invalid character"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a/>', "document type"),
        (b"<?xml version='1.0'?><!-- x -->\n<!DOCTYPE a SYSTEM 'http://x/y'><a/>", "document type"),
        ('<?xml version="1.0"?><a/>'.encode("utf-16"), "UTF-8"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?><a/>', "UTF-8"),
        (patient('<id value="\xff"/>').decode().encode("latin-1"), "UTF-8"),
        (patient('<extension url="a">' * 40 + "</extension>" * 40), "deeper"),
        (patient("<a>" * 300 + "</a>" * 300), "deeper"),
        (patient("") + b"<x/>", "junk"),
    ],
    ids=[
        "nothing",
        "JSON",
        "mismatched tags",
        "HTML entity",
        "NUL",
        "DTD",
        "external DTD",
        "UTF-16",
        "declared Latin-1",
        "Latin-1",
        "deep",
        "deep and unknown",
        "two roots",
    ],
)
def test_unreadable_document_is_malformed(document: bytes, said: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        parse(document)

    assert caught.value.malformed
    assert said in caught.value.issues[0].diagnostics


@pytest.mark.parametrize("leaf", ['value="b"', 'id="c" value="b"'], ids=["plain", "with id"])
def test_depth_taken_is_depth_that_json_takes(leaf: str) -> None:
    for levels in range(25, 40):
        nested = '<extension url="a">' * levels + f"<valueCode {leaf}/>" + "</extension>" * levels
        deepest = 1 + 2 * levels + ("id" in leaf)

        resource = parse(patient(nested), max_depth=deepest)

        assert json_format.parse(json_format.serialise(resource), max_depth=deepest) == resource
        for read, document in (
            (parse, patient(nested)),
            (
                json_format.parse,
                json_format.serialise(resource),
            ),
        ):
            with pytest.raises(InvalidDocument, match="deeper"):
                read(document, max_depth=deepest - 1)


@pytest.mark.parametrize("root", [b"<Patient/>", b'<a xmlns="http://hl7.org/fhir"/>'])
def test_root_must_be_a_resource(root: bytes) -> None:
    with pytest.raises(InvalidDocument, match="resource"):
        parse(root)


@pytest.mark.parametrize(
    "text",
    [
        f'<div xmlns="{XHTML}">a <b>b</b><br /> &#160;&amp; <!-- c -->\n</div>',
        f'<div title="a>b" xmlns="{XHTML}"/>',
        f"<div xmlns='{XHTML}'>time: at:12 = noon</div>",
        f'<div xmlns="{XHTML}" xml:lang="en"><![CDATA[</div>]]></div >',
    ],
    ids=["markup", "empty", "colons in the text", "CDATA"],
)
def test_narrative_keeps_its_text(text: str) -> None:
    assert div(text) == text


@pytest.mark.parametrize(
    "text",
    [
        f'<h:div xmlns:h="{XHTML}"><h:p class="c">a<h:br/>b</h:p></h:div>',
        f'<div xmlns="{XHTML}" xmlns:h="{XHTML}"><h:p class="c">a<br/>b</h:p></div>',
    ],
    ids=["prefixed throughout", "prefixed within"],
)
def test_narrative_stands_alone(text: str) -> None:
    from fhir_profiles.xml_format.narrative import embedded

    assert embedded(div(text)) == div(text)


def test_narrative_loses_prefixes_declared_outside() -> None:
    document = f"""<Patient {NAMESPACES} xmlns:h="{XHTML}">
      <text><status value="generated"/>
        <div xmlns="{XHTML}"><h:p class="c">a<h:br/><!-- c --></h:p></div></text>
      <contained><Group><text><status value="generated"/><h:div>2</h:div></text></Group></contained>
    </Patient>"""

    resource = parse(document.encode())

    assert (
        resource["text"]["div"] == f'<div xmlns="{XHTML}"><p class="c">a<br/><!-- c --></p></div>'
    )
    assert resource["contained"][0]["text"]["div"] == f'<div xmlns="{XHTML}">2</div>'
