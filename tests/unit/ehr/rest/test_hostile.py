"""Whatever arrives, the endpoint answers with an OperationOutcome and never with a 500."""

import io
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from auth.principal import Principal
from ehr.messages import Interaction, Result
from ehr.rest.endpoint import Door, endpoint
from ehr.settings import Limit, Settings
from fhir_profiles import xml_format

EXPECTED = {200, 204, 304, 400, 401, 404, 405, 406, 413, 415, 422, 501}

segments = st.one_of(
    st.sampled_from(
        ["Patient", "Binary", "Observation", "_history", "_search", "*", "$meta", "$everything",
         "$meta-add", "metadata", "1", "a.b-c", "", "..", "%", "%2e", "_", "$", "patient"]
    ),
    st.text(max_size=8),
)  # fmt: skip
paths = st.lists(segments, max_size=6).map(lambda found: "/fhir/" + "/".join(found))
queries = st.one_of(
    st.text(max_size=30),
    st.lists(
        st.tuples(
            st.sampled_from(["_format", "_pretty", "_summary", "_elements", "mode", "name"]),
            st.one_of(st.sampled_from(["xml", "json", "true", "count", "active"]), st.text()),
        ),
        max_size=4,
    ).map(lambda pairs: "&".join(f"{name}={value}" for name, value in pairs)),
)
media_types = st.one_of(
    st.sampled_from(
        ["application/fhir+json", "application/fhir+xml", "application/json-patch+json",
         "application/merge-patch+json", "application/xml-patch+xml", "text/html", "*/*", "",
         "application/x-www-form-urlencoded", "application/fhir+json; charset=latin-1",
         'a/b; c="\\', "application/fhir+xml;q=0.5, text/*;q=1"]
    ),
    st.text(max_size=30),
)  # fmt: skip
header_texts = st.one_of(
    st.sampled_from(['W/"1"', "*", "bytes=0-", "bytes=-9", "gzip", "zstd", "chunked", "12", "-1"]),
    st.text(max_size=20),
)
HEADERS = [
    "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_EXIST",
    "HTTP_PREFER", "HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_CONTENT_ENCODING", "HTTP_HOST",
    "HTTP_TRANSFER_ENCODING", "HTTP_ACCEPT_ENCODING", "HTTP_X_REQUEST_ID", "HTTP_ORIGIN",
    "HTTP_X_SECURITY_CONTEXT", "HTTP_AUTHORIZATION", "CONTENT_LENGTH", "SCRIPT_NAME",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
]  # fmt: skip
bodies = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [b'{"resourceType":"Patient"}', b"[]", b'{"resourceType":"Bundle","type":"batch"}',
         b'<Patient xmlns="http://hl7.org/fhir"/>', b"<a><b></a>", b"a=%zz&b", b"{" * 3000]
    ),
)  # fmt: skip
methods = st.sampled_from(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get", "X"])


@st.composite
def environs(draw: st.DrawFn) -> dict[str, Any]:
    body = draw(bodies)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": draw(methods),
        "PATH_INFO": draw(paths),
        "QUERY_STRING": draw(queries),
        "CONTENT_TYPE": draw(media_types),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_ACCEPT": draw(media_types),
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": "Bearer good",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": draw(st.booleans()),
        "wsgi.url_scheme": "http",
    }
    for name in draw(st.lists(st.sampled_from(HEADERS), max_size=3)):
        environ[name] = draw(header_texts)
    return environ


def door() -> Door:
    def handle(principal: Principal, interaction: Interaction) -> Result:
        if interaction.type == "Binary":
            return Result(status=200, chunks=[b"abc"], content_type="a/b", content_length=3)
        return Result(status=200, body=b'{"resourceType":"Patient","active":true}', version=1)

    return Door(
        Settings(body_limit=Limit.of_all(2048)), handle, lambda _sent: Principal("1", "system", "x")
    )


@given(environs())
def test_every_environ_gets_a_proper_answer(environ: dict[str, Any]) -> None:
    status, headers, chunks = endpoint(door(), environ)

    body = b"".join(chunks)
    assert status in EXPECTED | {206, 416}
    for name, value in headers:
        assert name.isascii()
        assert value.isascii()
        assert "\n" not in value
        assert "\r" not in value
    if status >= 400 and environ["REQUEST_METHOD"].upper() != "HEAD":
        assert _resource(body, dict(headers), environ)["resourceType"] == "OperationOutcome"


def _resource(body: bytes, headers: dict[str, str], environ: dict[str, Any]) -> Any:
    if headers.get("Content-Encoding") is not None:
        return {"resourceType": "OperationOutcome"}
    if "xml" in headers["Content-Type"]:
        return xml_format.parse(body)
    return json.loads(body)
