"""XML Patch: the examples of RFC 5261 §4 on FHIR XML, selectors, and hostile documents."""

import pytest

from ehr.errors import Invalid, Unprocessable
from ehr.patches import xml_patch

FHIR = 'xmlns="http://hl7.org/fhir"'
DOCUMENT = (
    f'<Patient {FHIR}>\n  <!-- note --><active value="true"/>\n'
    '  <name><use value="usual"/><given value="A"/><given value="B"/></name>\n'
    '  <name><use value="old"/></name>\n</Patient>'
)
ACTIVE = '<active value="true"/>'


def _apply(
    operation: str, document: str = DOCUMENT, scope: str = f'{FHIR} xmlns:f="http://hl7.org/fhir"'
) -> str:
    return xml_patch.apply(document.encode(), f"<diff {scope}>{operation}</diff>".encode()).decode()


APPLIED = {
    "append": (
        '<add sel="f:Patient/f:name[2]"><family value="F"/></add>',
        '<use value="old"/>',
        '<use value="old"/><family value="F"/>',
    ),
    "prepend": (
        '<add sel="f:Patient/f:name[2]" pos="prepend"><id value="1"/></add>',
        '<use value="old"/>',
        '<id value="1"/><use value="old"/>',
    ),
    "before": (
        '<add sel="*/f:active" pos="before"><id value="1"/></add>',
        ACTIVE,
        '<id value="1"/>' + ACTIVE,
    ),
    "after": (
        '<add sel="/f:Patient/f:active" pos="after"><gender value="male"/></add>',
        ACTIVE,
        ACTIVE + '<gender value="male"/>',
    ),
    "add an attribute": (
        '<add sel="f:Patient/f:active" type="@id">a1</add>',
        ACTIVE,
        '<active value="true" id="a1"/>',
    ),
    "replace an attribute": (
        '<replace sel="f:Patient/f:active/@value">false</replace>',
        ACTIVE,
        '<active value="false"/>',
    ),
    "replace an element": (
        '<replace sel="Patient/active"><active value="false"/></replace>',
        ACTIVE,
        '<active value="false"/>',
    ),
    "replace a comment": (
        '<replace sel="*/comment()"><!-- new --></replace>',
        "<!-- note -->",
        "<!-- new -->",
    ),
    "remove an element": ('<remove sel="f:Patient/f:active"/>', ACTIVE, ""),
    "remove with space": (
        '<remove sel="f:Patient/f:name[2]" ws="before"/>',
        '\n  <name><use value="old"/></name>',
        "",
    ),
    "remove an attribute": ('<remove sel="f:Patient/f:active/@value"/>', ACTIVE, "<active/>"),
    "remove a comment": ('<remove sel="*/comment()[1]"/>', "<!-- note -->", ""),
    "by a child's value": (
        "<remove sel=\"f:Patient/f:name[f:use/@value='old']\"/>",
        '<name><use value="old"/></name>',
        "",
    ),
    "by an attribute": (
        "<remove sel=\"f:Patient/f:name[1]/f:given[@value='B']\"/>",
        '<given value="B"/>',
        "",
    ),
}


@pytest.mark.parametrize(("operation", "old", "new"), APPLIED.values(), ids=APPLIED.keys())
def test_operations(operation: str, old: str, new: str) -> None:
    assert _apply(operation) == DOCUMENT.replace(old, new)


def test_operations_follow_each_other() -> None:
    patched = _apply(
        '<remove sel="f:Patient/f:name[1]"/>'
        '<replace sel="f:Patient/f:name[1]/f:use/@value">x</replace>'
    )

    assert '<use value="x"/>' in patched
    assert patched.count("<name>") == 1


def test_any_prefix_of_the_patch_document_works() -> None:
    patched = _apply(
        '<q:add sel="q:Patient"><q:gender value="male"/></q:add>',
        scope='xmlns:q="http://hl7.org/fhir"',
    )

    assert 'gender value="male"' in patched


UNFITTING = {
    "nothing": '<remove sel="f:Patient/f:gender"/>',
    "several": '<remove sel="f:Patient/f:name"/>',
    "the root": '<remove sel="f:Patient"/>',
    "replace the root": f'<replace sel="f:Patient"><Patient {FHIR}/></replace>',
    "beside the root": '<add sel="f:Patient" pos="after"><x/></add>',
    "attribute there": '<add sel="f:Patient/f:active" type="@value">x</add>',
    "no space": '<remove sel="f:Patient/f:active" ws="before"/>',
    "inside a comment": '<add sel="f:Patient/comment()" type="@id">x</add>',
    "element in an attribute": '<add sel="f:Patient/f:active/@value"><x/></add>',
}


@pytest.mark.parametrize("operation", UNFITTING.values(), ids=UNFITTING.keys())
def test_a_patch_that_does_not_fit_is_unprocessable(operation: str) -> None:
    with pytest.raises(Unprocessable, match="Patch operation 0"):
        _apply(operation)


MALFORMED = {
    "unknown operation": '<move sel="f:Patient"/>',
    "no sel": "<remove/>",
    "unknown prefix": '<remove sel="x:Patient"/>',
    "descendants": '<remove sel="//f:name"/>',
    "axis": '<remove sel="f:Patient/ancestor::*"/>',
    "function": '<remove sel="f:Patient[count(f:name)=1]"/>',
    "two paths": '<remove sel="f:Patient|f:Patient"/>',
    "position zero": '<remove sel="f:Patient[0]"/>',
    "unfinished": '<remove sel="f:Patient["/>',
    "ends with a slash": '<remove sel="f:Patient/"/>',
    "long": f'<remove sel="{"f:a/" * 1000}f:b"/>',
    "pos": '<add sel="f:Patient" pos="inside"><x/></add>',
    "ws": '<remove sel="f:Patient/f:active" ws="all"/>',
    "namespace": '<add sel="f:Patient" type="namespace::x">urn:x</add>',
    "two nodes for one": '<replace sel="f:Patient/f:active"><a/><b/></replace>',
    "text for a node": '<replace sel="f:Patient/f:active">x</replace>',
    "node for text": '<replace sel="f:Patient/f:active/@value"><x/></replace>',
    "attribute name": '<add sel="f:Patient/f:active" type="@1 2">x</add>',
    "not well-formed": "<remove",
}


@pytest.mark.parametrize("operation", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_patch_is_invalid(operation: str) -> None:
    with pytest.raises(Invalid):
        _apply(operation)


@pytest.mark.parametrize(
    "patch",
    [
        '<!DOCTYPE d [<!ENTITY a "aaa">]><diff><remove sel="f:Patient">&a;</remove></diff>',
        '<!DOCTYPE d SYSTEM "file:///etc/passwd"><diff/>',
        "",
        "\x00",
        "<diff>" + "<x>" * 500,
        '<Patient xmlns="http://hl7.org/fhir"/>',
    ],
    ids=["entities", "document type", "empty", "NUL", "deep", "no patch"],
)
def test_a_hostile_patch_document_is_refused(patch: str) -> None:
    with pytest.raises(Invalid):
        xml_patch.apply(DOCUMENT.encode(), patch.encode())


def test_text_of_a_narrative_can_be_replaced() -> None:
    document = f'<Patient {FHIR}><text><div xmlns="http://www.w3.org/1999/xhtml">old<b>x</b></div></text></Patient>'
    scope = f'{FHIR} xmlns:h="http://www.w3.org/1999/xhtml"'

    patched = _apply('<replace sel="Patient/text/h:div/text()">new</replace>', document, scope)

    assert patched == document.replace("old", "new")
