"""For any scopes, what the record shows is what a naive evaluation of them permits."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.client import Client
from tests.policy.algebra import Caller, permits
from tests.policy.conftest import CATEGORY

TYPES = ("Patient", "Observation", "Condition", "Encounter", "Practitioner", "Organization")
FILTERS = (
    "category=laboratory",
    f"category={CATEGORY}|vital-signs",
    f"category={CATEGORY}|",
    "category=laboratory,vital-signs",
    "code=8867-4",
    "category=vital-signs&code=8867-4",
    "category=other",
)
PEOPLE = {
    "patient": "Patient/mary", "carer": "RelatedPerson/ben", "professional": "Practitioner/reid",
}  # fmt: skip
Rows = list[dict[str, Any]]


@st.composite
def scopes(draw: st.DrawFn, context: st.SearchStrategy[str]) -> str:
    """Draw one scope: any context, type, letters, and maybe a filter."""
    type = draw(st.sampled_from(("*", *TYPES, "Observation", "Observation")))
    letters = "".join(letter for letter in "rs" if draw(st.booleans())) or "rs"
    filter = draw(st.sampled_from(("", "", *FILTERS))) if type == "Observation" else ""
    return f"{draw(context)}/{type}.{letters}" + (f"?{filter}" if filter else "")


@st.composite
def callers(draw: st.DrawFn) -> Caller:
    """Draw a caller; contexts that are not for its kind are among its scopes."""
    kind = draw(st.sampled_from(("patient", "carer", "professional", "system")))
    context = st.sampled_from(("patient", "patient", "user", "system"))
    drawn = draw(st.lists(scopes(context), min_size=1, max_size=4))
    words = draw(st.sampled_from(((), ("openid",), ("openid", "fhirUser"))))
    some = st.sampled_from((None, "mary", "john", "nobody"))
    patients = draw(st.sets(st.sampled_from(("mary", "john", "nobody"))))
    return Caller((*words, *drawn), kind, draw(some), tuple(sorted(patients)), PEOPLE.get(kind))


@pytest.fixture
def everything(people: Client) -> Rows:
    """Give every resource there is, as it is stored."""
    rows = []
    for type in TYPES:
        rows += [one["resource"] for one in people.read(f"{type}?_count=100")["entry"]]
    assert len(rows) > 10
    return rows


_EXAMPLES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def names(rows: Iterator[dict[str, Any]]) -> list[str]:
    return sorted(f"{row['resourceType']}/{row['id']}" for row in rows)


def shown(app: Client, request: str) -> list[str]:
    """Return what a search or a history shows; nothing where it is refused."""
    answer = app.get(request)
    if answer.status_code == 403:
        return []
    assert answer.status_code == 200, answer.data
    return names(entry["resource"] for entry in answer.json.get("entry", ()))


def app_of(client_with: Callable[..., Client], caller: Caller) -> Client:
    return client_with(
        " ".join(caller.scopes), kind=caller.kind, patient=caller.patient,
        patients=caller.patients, person=caller.person,
    )  # fmt: skip


def may(everything: Rows, caller: Caller, letters: str, *types: str) -> list[str]:
    return names(
        row
        for row in everything
        if not types or row["resourceType"] in types
        if permits(caller, letters, row)
    )


@_EXAMPLES
@given(caller=callers())
def test_a_search_shows_what_scopes_permit(
    everything: Rows, client_with: Callable[..., Client], caller: Caller
) -> None:
    app = app_of(client_with, caller)

    for type in TYPES:
        wanted = may(everything, caller, "s", type)
        assert shown(app, f"{type}?_count=100") == wanted
        counted = app.get(f"{type}?_summary=count")
        assert (counted.json["total"] if counted.status_code == 200 else 0) == len(wanted)
    mixed = [name for name in shown(app, "?_count=100") if name.partition("/")[0] in TYPES]
    assert mixed == may(everything, caller, "s")
    hers = [name for name in may(everything, caller, "s", "Observation") if "/mary" in name]
    assert shown(app, "Observation?patient=mary&_sort=-date") == hers


@_EXAMPLES
@given(caller=callers())
def test_a_read_shows_what_scopes_permit(
    everything: Rows, client_with: Callable[..., Client], caller: Caller
) -> None:
    app = app_of(client_with, caller)

    wanted, past = may(everything, caller, "r"), may(everything, caller, "rh")
    for row in everything:
        name = f"{row['resourceType']}/{row['id']}"
        seen = {app.get(f"{name}{more}").status_code for more in ("", "/_history/1")}
        assert seen == {200} if name in wanted else not seen & {200, 304}, name
        assert (app.get(f"{name}/_history").status_code == 200) == (name in past), name


# Searches by what the role may, histories by who the caller is: not together.
_SELF = Caller(
    ("openid", "fhirUser", "patient/*.rs"), "professional", "mary", person="Practitioner/reid"
)
_ALONE = Caller(
    ("openid", "fhirUser", "patient/Practitioner.rs"),
    "professional",
    "mary",
    person="Practitioner/reid",
)


@_EXAMPLES
@given(caller=callers())
@example(caller=_SELF)
@example(caller=_ALONE)
def test_histories_and_includes_show_what_scopes_permit(
    everything: Rows, client_with: Callable[..., Client], caller: Caller
) -> None:
    app = app_of(client_with, caller)

    assert shown(app, "Observation/_history") == may(everything, caller, "sh", "Observation")
    mixed = [name for name in shown(app, "_history") if name.partition("/")[0] in TYPES]
    assert mixed == may(everything, caller, "sh")
    permitted = set(may(everything, caller, "s"))
    for request in ("Observation?_include=*&_count=100", "Patient?_revinclude=*&_count=100",
                    "Condition?_include=*&_revinclude:iterate=*&_include:iterate=*"):  # fmt: skip
        found = {name for name in shown(app, request) if name.partition("/")[0] in TYPES}
        assert found <= permitted, request
    both = may(everything, caller, "rs")
    # `openid fhirUser` opens the read of one resource, and no operation on it.
    by_scopes = may(everything, replace(caller, person=None), "rs")
    for who in ("mary", "john"):
        answer = app.get(f"Patient/{who}/$everything")
        if answer.status_code == 200:
            found = set(shown(app, f"Patient/{who}/$everything"))
            assert {name for name in found if name.partition("/")[0] in TYPES} <= {*both}
            assert {name for name in both if f"/{who}" in name} <= found
        else:
            assert f"Patient/{who}" not in by_scopes


@_EXAMPLES
@given(caller=callers())
def test_conditions_lead_through_what_scopes_permit(
    everything: Rows, client_with: Callable[..., Client], caller: Caller
) -> None:
    app = app_of(client_with, caller)

    patients = {*may(everything, caller, "s", "Patient")}
    rows = {f"{one['resourceType']}/{one['id']}": one for one in everything}
    seen = may(everything, caller, "s", "Observation")
    through = [one for one in seen if rows[one]["subject"]["reference"] in patients]
    assert shown(app, "Observation?subject:Patient.family=Murray&_count=100") == through
    pulse = [one for one in seen if rows[one]["code"]["coding"][0]["code"] == "8867-4"]
    had = sorted({rows[one]["subject"]["reference"] for one in pulse} & patients)
    assert shown(app, "Patient?_has:Observation:patient:code=8867-4") == had
