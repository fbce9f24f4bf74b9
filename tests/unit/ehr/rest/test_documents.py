"""Bodies to documents: JSON as sent, XML converted, patches, raw content."""

from decimal import Decimal

import pytest

from ehr.errors import FhirError, Invalid, UnsupportedMediaType
from ehr.rest.documents import read_binary, read_patch, read_resource
from fhir_profiles.issues import InvalidDocument

JSON = "application/fhir+json"
XML = "application/fhir+xml"


def test_json_is_kept_as_it_was_sent() -> None:
    body = b'{ "resourceType" : "Observation", "valueQuantity": {"value": 1.00} }'

    document = read_resource(body, JSON, 64)

    assert document.raw == body
    assert str(document.resource["valueQuantity"]["value"]) == "1.00"
    assert isinstance(document.resource["valueQuantity"]["value"], Decimal)


def test_a_byte_order_mark_is_dropped() -> None:
    document = read_resource(b'\xef\xbb\xbf{"resourceType":"Basic"}', JSON, 64)

    assert document.raw == b'{"resourceType":"Basic"}'


def test_xml_becomes_json() -> None:
    body = b'<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>'

    document = read_resource(body, XML, 64)

    assert document.raw == b'{"resourceType":"Patient","active":true}'
    assert document.resource == {"resourceType": "Patient", "active": True}
    assert document.media_type == JSON


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b"", JSON, Invalid),
        (b"{}", "", UnsupportedMediaType),
        (b"{}", "image/png", UnsupportedMediaType),
        (b"{}", "application/x-www-form-urlencoded", UnsupportedMediaType),
        (b"{}", JSON, Invalid),
        (b"[]", JSON, Invalid),
        (b'"text"', JSON, Invalid),
        (b"null", JSON, Invalid),
        (b'{"resourceType":1}', JSON, Invalid),
        (b'{"resourceType":"Foo"}', JSON, Invalid),
        (b'{"resourceType":"DomainResource"}', JSON, Invalid),
    ],
)
def test_what_is_no_resource_is_refused(
    body: bytes, content_type: str, error: type[FhirError]
) -> None:
    with pytest.raises(error):
        read_resource(body, content_type, 64)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", JSON),
        (b'{"a":1,"a":2}', JSON),
        (b"[" * 100 + b"]" * 100, JSON),
        (b'{"a":"\xff"}', JSON),
        (b"<Patient", XML),
        (b"<!DOCTYPE x []><Patient xmlns='http://hl7.org/fhir'/>", XML),
        (b"{}", XML),
    ],
)
def test_malformed_bodies_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_resource(body, content_type, 64)

    assert refused.value.malformed


def test_patches() -> None:
    patch = b'[{"op":"remove","path":"/active"}]'
    parameters = b'{"resourceType":"Parameters"}'

    assert read_patch(patch, "application/json-patch+json", 64).resource[0]["op"] == "remove"
    assert read_patch(b"null", "application/merge-patch+json", 64).resource is None
    assert read_patch(b"<diff/>", "application/xml-patch+xml", 64).raw == b"<diff/>"
    assert read_patch(parameters, JSON, 64).media_type == JSON


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"active":true}', "application/merge-patch+json"),
        (b'[{"op":"remove","path":"/active"}]', "application/json-patch+json"),
        (b'{"resourceType":"Parameters"}', JSON),
        (b"1", "application/merge-patch+json"),  # which refuses it
    ],
)
def test_a_patch_under_the_plain_name_is_told_by_its_shape(body: bytes, kind: str) -> None:
    assert read_patch(body, "application/json; charset=utf-8", 64).media_type == kind


@pytest.mark.parametrize("content_type", ["", "text/json", "text/plain"])
def test_other_patch_formats_are_refused_with_the_list(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        read_patch(b"{}", content_type, 64)

    assert "application/json-patch+json" in dict(refused.value.headers)["Accept-Patch"]


@pytest.mark.parametrize(
    ("body", "content_type", "kept"),
    [
        (b"\x89PNG\0", "image/png", "image/png"),
        (b"", "", "application/octet-stream"),
        (b'{"a":"Binary"}', "application/json", "application/json"),
        (b'{"broken "Binary"', "application/json", "application/json"),
        (b"<a/>", "text/xml; charset=utf-8", "text/xml; charset=utf-8"),
    ],
)
def test_raw_content_is_kept(body: bytes, content_type: str, kept: str) -> None:
    document = read_binary(body, content_type, 64)

    assert (document.raw, document.resource, document.media_type) == (body, None, kept)


@pytest.mark.parametrize("content_type", [JSON, "application/json"])
def test_a_binary_may_come_as_a_resource(content_type: str) -> None:
    body = b'{"resourceType":"Binary","contentType":"image/png"}'

    assert read_binary(body, content_type, 64).resource["contentType"] == "image/png"


@pytest.mark.parametrize("content_type", ["nonsense", "a/b\r\nX: y", "image/" + "x" * 300])
def test_a_media_type_that_is_none_is_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        read_binary(b"x", content_type, 64)
