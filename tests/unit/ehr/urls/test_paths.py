"""The URL table of R4 §3.1: every interaction, and a clear refusal of everything else."""

import pytest

from ehr.errors import FhirError, Invalid, NotAllowed, NotFound, Unsupported
from ehr.urls.paths import Route, route

PLACES = [
    ("GET", "", Route("search-system")),
    ("POST", "", Route("batch")),
    ("POST", "/", Route("batch")),
    ("GET", "/metadata", Route("capabilities")),
    ("GET", "/_history", Route("history-system")),
    ("POST", "/_search", Route("search-system", form=True)),
    ("GET", "/$meta", Route("operation", operation="meta")),
    ("GET", "/Patient", Route("search-type", "Patient")),
    ("GET", "/Patient/", Route("search-type", "Patient")),
    ("HEAD", "/Patient", Route("search-type", "Patient")),
    ("POST", "/Patient", Route("create", "Patient")),
    ("PUT", "/Patient", Route("update", "Patient")),
    ("PATCH", "/Patient", Route("patch", "Patient")),
    ("DELETE", "/Patient", Route("delete", "Patient")),
    ("POST", "/Patient/_search", Route("search-type", "Patient", form=True)),
    ("GET", "/Patient/_history", Route("history-type", "Patient")),
    ("POST", "/Patient/$validate", Route("operation", "Patient", operation="validate")),
    ("GET", "/Patient/1", Route("read", "Patient", "1")),
    ("HEAD", "/Patient/a.B-9", Route("read", "Patient", "a.B-9")),
    ("PUT", "/Patient/1", Route("update", "Patient", "1")),
    ("PATCH", "/Patient/1", Route("patch", "Patient", "1")),
    ("DELETE", "/Patient/1", Route("delete", "Patient", "1")),
    ("GET", "/Patient/1/_history", Route("history-instance", "Patient", "1")),
    ("GET", "/Patient/1/_history/12", Route("vread", "Patient", "1", "12")),
    ("GET", "/Patient/1/$everything", Route("operation", "Patient", "1", operation="everything")),
    ("POST", "/Patient/1/$meta-add", Route("operation", "Patient", "1", operation="meta-add")),
    ("GET", "/Patient/1/Observation",
     Route("search-type", "Observation", "1", compartment="Patient")),
    ("POST", "/Patient/1/Observation/_search",
     Route("search-type", "Observation", "1", compartment="Patient", form=True)),
    ("GET", "/Patient/1/*", Route("search-system", None, "1", compartment="Patient")),
    ("POST", "/Patient/1/_search",
     Route("search-system", None, "1", compartment="Patient", form=True)),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "expected"), PLACES, ids=lambda v: str(v)[:40])
def test_every_interaction_has_its_place(method: str, path: str, expected: Route) -> None:
    assert route(method, path) == expected


@pytest.mark.parametrize(
    ("method", "path", "error", "hint"),
    [
        ("GET", "/patient/1", NotFound, "Did you mean Patient?"),
        ("GET", "/Observatoin", NotFound, "Did you mean Observation?"),
        ("GET", "/Nonsense", NotFound, "no resource type"),
        ("GET", "/DomainResource", NotFound, "no resource type"),
        ("GET", "/Patient//1", NotFound, "empty segment"),
        ("GET", "/_histroy", NotFound, "_history"),
        ("GET", "/metadata/x", NotFound, "nothing at"),
        ("GET", "/Patient/1/_history/0", NotFound, "no version"),
        ("GET", "/Patient/1/_history/x", NotFound, "no version"),
        ("GET", "/Patient/1/_history/1/2", NotFound, ""),
        ("GET", "/Patient/1/Observation/2", NotFound, ""),
        ("GET", "/Observation/1/Patient", NotFound, "no compartment"),
        ("GET", "/Patient/1/$everythin", NotFound, "$everything"),
        ("GET", "/Observation/1/$everything", NotFound, "Offered here"),
        ("GET", "/Patient/$", NotFound, "Offered here"),
        ("GET", "/$nonsense", NotFound, "no operation $nonsense at system level. "),
        ("GET", "/Patient/$nonsense", NotFound, "$nonsense at type level of Patient. "),
        ("POST", "/Observation/$lastn", Unsupported, "does not run"),
        ("GET", "/Patient/1/$meta-add", NotAllowed, "Use POST"),
        ("DELETE", "", NotAllowed, "Use GET, POST"),
        ("POST", "/metadata", NotAllowed, "Use GET"),
        ("POST", "/Patient/1", NotAllowed, "PUT"),
        ("GET", "/Patient/_search", NotAllowed, "Use POST"),
        ("DELETE", "/Patient/1/_history/1", NotAllowed, "Use GET"),
        ("TRACE", "/Patient/1", NotAllowed, "Use GET"),
        ("PUT", "/Patient/a_b", Invalid, "1 to 64 letters"),
        ("PUT", "/Patient/" + "x" * 65, Invalid, "1 to 64 letters"),
        ("DELETE", "/Patient/é", Invalid, "1 to 64 letters"),
        ("PUT", "/Patient/.", Invalid, "are taken out of addresses"),
        ("PUT", "/Patient/..", Invalid, "are taken out of addresses"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_what_is_not_there_is_refused(
    method: str, path: str, error: type[FhirError], hint: str
) -> None:
    with pytest.raises(error) as refused:
        route(method, path)

    assert hint in refused.value.issues[0].diagnostics


def test_reading_an_impossible_id_is_left_to_the_read() -> None:
    assert route("GET", "/Patient/a_b") == Route("read", "Patient", "a_b")


def test_a_refused_method_names_the_allowed_ones() -> None:
    with pytest.raises(NotAllowed) as refused:
        route("PUT", "/Patient/1/_history")

    assert refused.value.headers == (("Allow", "GET, HEAD, OPTIONS"),)
