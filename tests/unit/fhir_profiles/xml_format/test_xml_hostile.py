"""Broken XML: whatever arrives, the reader answers with a resource or with InvalidDocument."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.issues import InvalidDocument
from fhir_profiles.xml_format import parse, serialise

DOCUMENT = serialise(
    {
        "resourceType": "Patient",
        "text": {
            "status": "generated",
            "div": '<div xmlns="http://www.w3.org/1999/xhtml">a<b>b</b></div>',
        },
        "contained": [{"resourceType": "Organization", "id": "o"}],
        "extension": [{"url": "u", "valueQuantity": {"value": 1}}],
        "name": [{"given": ["A", None], "_given": [None, {"id": "x"}]}],
        "multipleBirthInteger": 2,
    }
)
MARKUP = """< > /> " & &#55296; <!-- --> <![CDATA[ ]]> <?x?> </div> <id/> </name> <text> a:"""
SPACED = ["<div xmlns='http://www.w3.org/1999/xhtml'>", ' xmlns:a="b"', ' xmlns=""', ' id="x"']
PIECES = st.sampled_from([*MARKUP.split(), *SPACED, ' value="1e9999999"', "\0"]).map(str.encode)
EDITS = st.lists(
    st.tuples(st.integers(0, len(DOCUMENT)), st.integers(0, 20), PIECES | st.binary(max_size=3)),
    max_size=4,
)


@given(EDITS)
def test_broken_documents_are_refused_or_read(edits: list[tuple[int, int, bytes]]) -> None:
    document = DOCUMENT
    for start, length, piece in edits:
        document = document[:start] + piece + document[start + length :]

    with contextlib.suppress(InvalidDocument):
        resource = parse(document)
        assert parse(serialise(resource)) == resource


@given(st.binary(max_size=40))
def test_any_bytes_are_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidDocument):
        parse(data)
        raise AssertionError("no resource is that short")
