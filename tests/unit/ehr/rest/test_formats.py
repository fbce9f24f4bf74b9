"""Content negotiation: `_format`, Accept with weights, Content-Type."""

import pytest

from ehr.errors import NotAcceptable, UnsupportedMediaType
from ehr.rest.formats import content_format, negotiate, read_content_type

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "expected", "explicit"),
    [
        ("", "json", False),
        ("*/*", "json", False),
        ("application/fhir+json", "json", True),
        ("application/fhir+xml", "xml", True),
        ("APPLICATION/FHIR+XML", "xml", True),
        ("application/json", "json", False),
        ("text/json", "json", False),
        ("application/xml", "xml", False),
        ("text/xml; charset=utf-8", "xml", False),
        ("application/fhir+json;q=0.5, application/fhir+xml", "xml", True),
        ("application/fhir+xml;q=0.1, */*;q=0.9", "json", False),
        ("*/*, application/fhir+xml", "xml", True),
        ("text/turtle, application/fhir+xml;q=0.2", "xml", True),
        ("application/fhir+json; fhirVersion=4.0", "json", True),
        ("application/fhir+json; fhirVersion=3.0, application/fhir+xml;q=0.1", "xml", True),
        ("application/fhir+json;q=broken", "json", True),
        ("application/fhir+json;q=0, */*", "json", False),
        (CHROME, "json", False),
    ],
)
def test_accept(accept: str, expected: str, explicit: bool) -> None:
    answer = negotiate(accept, ())

    assert (answer.format, answer.explicit) == (expected, explicit)


def test_a_browser_gets_json_that_it_shows() -> None:
    assert negotiate(CHROME, ()).media_type == "application/json"


@pytest.mark.parametrize(
    "accept",
    ["image/png", "text/turtle", "application/fhir+json;q=0", "rubbish", "application/fhir+ndjson",
     "application/json; fhirVersion=5.0, text/csv"],
)  # fmt: skip
def test_what_can_not_be_written_is_refused(accept: str) -> None:
    says = r"fhirVersion=5\.0 .* 4\.0" if "fhirVersion" in accept else r"application/fhir\+json"
    with pytest.raises(NotAcceptable, match=says):
        negotiate(accept, ())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("json", "json"),
        ("xml", "xml"),
        ("application/fhir+xml", "xml"),
        ("application/fhir xml", "xml"),
        ("text/xml", "xml"),
        ("application/json; charset=utf-8", "json"),
        ("html", "json"),
    ],
)
def test_format_wins_over_accept(text: str, expected: str) -> None:
    assert negotiate("application/pdf", (text,)).format == expected


@pytest.mark.parametrize("text", ["ttl", "", "*/*", "application/pdf", "jsonx"])
def test_unknown_format_is_refused(text: str) -> None:
    with pytest.raises(NotAcceptable, match="Use json or xml"):
        negotiate("", (text,))


@pytest.mark.parametrize(
    ("accept", "explicit"),
    [
        ("image/png", False),
        ("*/*", False),
        ("image/png, application/fhir+json;q=0.5", False),
        ("application/fhir+json, image/png", True),
    ],
)
def test_raw_content_may_be_asked_for_in_any_type(accept: str, explicit: bool) -> None:
    assert negotiate(accept, (), raw=True).explicit is explicit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("application/fhir+json", "json"),
        ('application/fhir+json; charset="UTF-8"', "json"),
        ("application/fhir+xml;charset=utf8; fhirVersion=4.0", "xml"),
        ("text/xml", "xml"),
        ("image/png", None),
        ("json", None),
        ("application/x-www-form-urlencoded", None),
    ],
)
def test_content_type(text: str, expected: str | None) -> None:
    assert content_format(text) == expected


@pytest.mark.parametrize(
    "text", ["application/fhir+json; charset=latin-1", "application/fhir+xml; fhirVersion=3.0"]
)
def test_other_charsets_and_versions_are_refused(text: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=r"latin-1|fhirVersion=3\.0 "):
        read_content_type(text)
