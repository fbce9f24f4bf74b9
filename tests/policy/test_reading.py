"""Reads of an app go no further than its patient, its types and its filters, whatever the way."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.client import Client, outcome
from tests.policy.conftest import CATEGORY

App = Callable[..., Client]
HERS = {"mary-vital", "mary-lab", "mary-focus"}


def ids(bundle: dict[str, Any]) -> set[str]:
    return {entry["resource"]["id"] for entry in bundle.get("entry", ())}


def found(app: Client, request: str) -> set[str]:
    return ids(app.read(request))


def test_an_app_of_a_patient_finds_that_patients_rows(mary: App) -> None:
    app = mary("patient/*.rs")

    assert found(app, "Observation") == HERS
    assert found(app, "Observation?patient=mary") == HERS
    assert found(app, "Patient") == {"mary"}
    assert app.read("Observation?patient=mary&_total=accurate")["total"] == 3
    assert app.read("Observation?_summary=count")["total"] == 3


def test_what_all_share_is_read_with_a_scope_for_it(mary: App) -> None:
    app = mary("patient/Practitioner.rs patient/Observation.rs")

    assert app.get("Practitioner/reid").status_code == 200
    assert app.get("Practitioner").status_code == 403  # nobody browses staff
    assert app.get("Organization/surgery").status_code == 403
    assert found(mary("patient/Organization.rs"), "Organization") == {"surgery"}


@pytest.mark.parametrize(
    "request_", ["Observation/john-vital", "Observation/john-vital/_history/1",
                 "Patient/john/_history", "Patient/john", "Patient/john/$everything"]
)  # fmt: skip
def test_l04_l13_another_patients_resource_is_not_there(mary: App, request_: str) -> None:
    app = mary("patient/*.rs")

    hidden = app.get(request_)
    missing = app.get(request_.replace("john", "nobody"))

    assert hidden.status_code == missing.status_code == 404
    assert _anonymous(hidden) == _anonymous(missing)
    head = app.request("HEAD", request_.partition("/_history")[0])
    assert head.status_code == 404 or "$" in request_


def _anonymous(response: Any) -> Any:
    headers = {n for n, _ in response.headers}
    return headers, response.get_data(as_text=True).replace("john", "*").replace("nobody", "*")


def test_l12_a_search_that_names_another_patient_is_empty(mary: App) -> None:
    app = mary("patient/*.rs")

    for who in ("john", "nobody"):
        for request in (f"Observation?patient={who}", f"Patient?_id={who}",
                        f"Patient?identifier=urn:n|{who}", f"Patient/{who}/Observation",
                        f"Observation?focus=Patient/{who}&subject=Patient/{who}"):  # fmt: skip
            bundle = app.read(request)
            assert "entry" not in bundle, request
            assert bundle.get("total", 0) == 0, request


def test_l03_nothing_of_others_comes_along(mary: App) -> None:
    app = mary("patient/*.rs")

    for request in ("Observation?_include=Observation:focus", "Observation?_include=*",
                    "Patient?_revinclude=Observation:focus", "Patient?_revinclude=*",
                    "Observation?_include:iterate=*&_revinclude:iterate=*",
                    "Patient?_revinclude=Observation:focus&_include:iterate=*"):  # fmt: skip
        assert not {one for one in found(app, request) if one.startswith("john")}, request
    assert "mary-provenance" in found(app, "Observation?_revinclude=Provenance:target")


def test_types_that_are_not_granted_do_not_come_along(mary: App) -> None:
    app = mary("patient/Observation.rs")

    assert found(app, "Observation?_include=Observation:performer&_include=*") == HERS
    refused = app.get("Observation?_revinclude=Provenance:target")
    assert refused.status_code == 403
    assert 'scope="patient/Provenance.s"' in refused.headers["WWW-Authenticate"]


def test_l01_has_tells_nothing_of_hidden_rows(mary: App) -> None:
    doctors = {"kind": "professional"}
    app = mary(
        "patient/Patient.rs user/Practitioner.rs patient/Observation.rs?code=2951-2", **doctors
    )

    # Her pulse of 72 is hidden, and all of his; her sodium of 5 is not.
    for value in ("gt70", "72", "lt100"):
        narrowed = f"Patient?_has:Observation:patient:value-quantity={value}&_id=mary,john"
        assert found(app, narrowed) == ({"mary"} if value == "lt100" else set()), value
    assert found(app, "Practitioner?_has:Observation:performer:code=8867-4") == set()
    every = mary("patient/*.rs user/Practitioner.rs", **doctors)
    assert found(every, "Practitioner?_has:Observation:performer:code=8867-4") == {"reid"}
    assert found(every, "Practitioner?_has:Patient:general-practitioner:_id=john") == set()
    assert found(every, "Patient?_has:Observation:focus:_id=john-focus") == set()


def test_l02_chains_lead_through_visible_rows_only(mary: App) -> None:
    app = mary("patient/*.rs user/Practitioner.rs", kind="professional")

    assert found(app, "Observation?focus:Patient.identifier=urn:n|john") == set()
    assert found(app, "Observation?subject:Patient.identifier=urn:n|mary") == HERS
    assert found(app, "Observation?performer:Practitioner.identifier=urn:n|reid") == {"mary-vital"}
    narrow = mary("patient/Observation.rs")
    for request in ("Observation?subject:Patient.name=Murray",
                    "Observation?_has:Provenance:target:_id=mary-provenance",
                    "Observation?_filter=subject:Patient.name co 'Mur'"):  # fmt: skip
        refused = narrow.get(request)
        assert refused.status_code in (400, 403), request
    assert narrow.get("Observation?subject:Patient.name=Murray").status_code == 403


def test_l11_histories_are_of_visible_rows(people: Client, client_with: App) -> None:
    people.delete("Observation/john-lab")
    people.delete("Observation/mary-lab")

    def mary(scope: str) -> Client:
        """Her GP's app, with her in context: patients themselves have no history of it."""
        return client_with(scope, kind="professional", patient="mary")

    app = mary("patient/*.rs")
    own = client_with("patient/*.rs", patient="mary")
    assert own.get("Observation/_history").status_code == 403
    assert {one["fullUrl"].split("/")[-2] for one in own.read("_history")["entry"]} == {"Patient"}

    for request in ("_history", "Observation/_history", "_history?_summary=count"):
        bundle = app.read(request)
        urls = {entry["fullUrl"] for entry in bundle.get("entry", ())}
        assert not any("john" in url for url in urls)
    assert app.read("Observation/_history?_summary=count")["total"] == 4
    assert app.get("Observation/_history").status_code == 200
    assert mary("patient/Observation.r").get("Observation/_history").status_code == 403
    assert mary("patient/Observation.r").get("Observation/mary-vital/_history").status_code == 200
    assert mary("patient/Condition.rs").get("_history").status_code == 200
    narrow = {
        e["fullUrl"].split("/")[-2] for e in mary("patient/Condition.rs").read("_history")["entry"]
    }
    assert narrow == {"Condition"}


def test_l28_totals_count_what_is_seen(mary: App) -> None:
    app = mary("patient/*.rs")

    for request in ("Observation?_total=accurate", "Observation?_total=estimate&_count=1",
                    "Observation?_summary=count", "Observation?patient=mary&_count=1"):  # fmt: skip
        assert app.read(request)["total"] == 3, request
    assert app.read("?_type=Observation,Condition&_summary=count")["total"] == 4


def test_l27_pages_are_of_who_began_the_walk(mary: App, client_with: App) -> None:
    doctor = client_with("patient/*.rs", kind="professional", patient="mary")
    first = mary("patient/*.rs").read("Observation?_count=1")
    next = first["link"][[link["relation"] for link in first["link"]].index("next")]["url"]
    path = next.partition("/fhir/")[2]

    assert len(mary("patient/*.rs").read(path)["entry"]) == 1
    assert mary("patient/Observation.rs").get(path).status_code == 400
    assert client_with("patient/*.rs", patient="john").get(path).status_code == 400
    history = doctor.read("Observation/_history?_count=1")
    next = history["link"][1]["url"].partition("/fhir/")[2]
    for other in ({"patient": "john"}, {"patient": "mary", "role": "nurse"},
                  {"patient": "mary", "organisation": "ward"}):  # fmt: skip
        app = client_with("patient/*.rs", kind="professional", **other)
        assert app.get(next).status_code == 400, other


def test_l30_links_echo_only_what_was_asked(mary: App) -> None:
    bundle = mary("patient/*.rs").read("Observation?code=8867-4")

    assert not any("mary" in link["url"] for link in bundle["link"])


def test_order_tells_nothing_of_hidden_targets(mary: App, people: Client) -> None:
    app = mary("patient/Observation.rs")

    rows = [e["resource"]["id"] for e in app.read("Observation?_sort=focus,_id")["entry"]]
    hidden = [e["resource"]["id"] for e in app.read("Observation?_sort=-focus,_id")["entry"]]

    assert rows == hidden == sorted(HERS)


def test_t29_no_etag_without_sight(mary: App) -> None:
    app = mary("patient/*.rs")

    for header in ({"If_None_Match": 'W/"1"'}, {"If_Match": 'W/"9"'},
                   {"If_Modified_Since": "Wed, 21 Oct 2037 07:28:00 GMT"}):  # fmt: skip
        assert app.get("Observation/john-vital", **header).status_code == 404
    assert app.get("Observation/mary-vital", If_None_Match='W/"1"').status_code == 304


def test_t09_openid_alone_opens_nothing_but_oneself(people: Client, client_with: App) -> None:
    app = client_with("openid fhirUser launch/patient", patient="mary", person="Patient/mary")

    assert app.get("Patient/mary").status_code == 200
    for request in ("Patient", "Patient?_id=mary", "Observation", "Observation/mary-vital",
                    "Practitioner/reid", "_history", "", "Patient/mary/$everything", "Patient/john",
                    "$meta", "Patient/$meta"):  # fmt: skip
        assert app.get(request).status_code == 403, request
    bare = client_with("openid", patient="mary", person="Patient/mary")
    assert bare.get("Patient/mary").status_code == 403
    clinician = client_with("openid fhirUser", kind="professional", person="Practitioner/reid")
    assert clinician.get("Practitioner/reid").status_code == 200
    assert clinician.get("Practitioner").status_code == 403


def test_a_refusal_names_the_scope_that_is_missing(mary: App) -> None:
    refused = mary("patient/Observation.rs").get("Condition?patient=mary")

    assert refused.status_code == 403
    assert refused.headers["WWW-Authenticate"] == (
        'Bearer realm="fhir", error="insufficient_scope", scope="patient/Condition.s"'
    )
    assert outcome(refused)[0]["code"] == "forbidden"


def test_granular_scopes_are_a_union(mary: App) -> None:
    vital = f"patient/Observation.rs?category={CATEGORY}|vital-signs"
    lab = "patient/Observation.rs?category=laboratory"

    assert found(mary(vital), "Observation?patient=mary") == {"mary-vital", "mary-focus"}
    assert found(mary(lab), "Observation") == {"mary-lab"}
    assert found(mary(f"{vital} {lab}"), "Observation?code:missing=false") == HERS
    assert found(mary(vital), "Observation?category=laboratory") == set()
    both = "patient/Observation.rs?category=laboratory&code=2951-2"
    assert found(mary(both), "Observation") == {"mary-lab"}
    assert found(mary(both.replace("2951-2", "1")), "Observation") == set()
    either = "patient/Observation.rs?category=laboratory,vital-signs"
    assert found(mary(either), "Observation") == HERS
    assert found(mary(either), "Observation?patient=john") == set()
    assert found(mary(f"{either}&code=2951-2"), "Observation") == {"mary-lab"}
    assert (
        mary(either.replace("laboratory", "other")).get("Observation/mary-lab").status_code == 404
    )
    system = "patient/Observation.rs?category=http://other|laboratory"
    assert found(mary(system), "Observation") == set()


def test_granular_scopes_read_what_matches(mary: App, people: Client) -> None:
    app = mary(f"patient/Observation.rs?category={CATEGORY}|vital-signs", kind="professional")

    assert app.get("Observation/mary-vital").status_code == 200
    assert app.get("Observation/mary-lab").status_code == 404
    assert app.get("Observation/john-vital").status_code == 404
    people.update(
        people.read("Observation/mary-lab")
        | {"category": people.read("Observation/mary-vital")["category"]}
    )
    # It was a laboratory's before: that version is not shown.
    assert app.get("Observation/mary-lab").status_code == 200
    assert app.get("Observation/mary-lab/_history/2").status_code == 200
    assert app.get("Observation/mary-lab/_history/1").status_code == 404
    bundle = app.read("Observation/mary-lab/_history")
    assert [one["resource"]["meta"]["versionId"] for one in bundle["entry"]] == ["2"]
    assert bundle["total"] == 1


def test_l06_a_granular_scope_is_not_widened_by_others(mary: App) -> None:
    app = mary("patient/Observation.rs?category=laboratory patient/Condition.rs patient/*.c")

    assert found(app, "Observation") == {"mary-lab"}
    assert app.get("Observation/mary-vital").status_code == 404


def test_a_professional_sees_all_patients_within_types(people: Client, client_with: App) -> None:
    app = client_with("user/Observation.rs", kind="professional")

    assert {one.partition("-")[0] for one in found(app, "Observation")} == {"mary", "john"}
    assert app.get("Condition").status_code == 403
    launched = client_with(
        "patient/Observation.rs user/Practitioner.rs", kind="professional", patient="mary"
    )
    assert found(launched, "Observation") == HERS
    assert found(launched, "Practitioner") == {"reid"}


def test_a_carer_sees_own_patients_only(people: Client, client_with: App) -> None:
    app = client_with("user/*.rs", kind="carer", patients=("mary", "nobody"))

    assert found(app, "Observation") == HERS
    assert app.get("Observation/john-vital").status_code == 404
    stray = client_with("patient/*.rs", kind="carer", patient="john", patients=("mary",))
    assert stray.get("Observation").status_code == 403
    unknown = client_with("patient/*.rs", patient="nobody")
    assert found(unknown, "Observation") == set()
    assert found(unknown, "Organization") == {"surgery"}


@pytest.mark.parametrize("kind", ["system", "professional", "patient", "carer", "operator"])
def test_contexts_belong_to_kinds(people: Client, client_with: App, kind: str) -> None:
    right = {"system": "system", "operator": "user"}.get(kind, "user")
    wrong = {"system": "user", "operator": "patient"}.get(kind, "system")

    assert client_with(f"{right}/*.rs", kind=kind, patient="mary").get("Patient").status_code == 200
    assert client_with(f"{wrong}/*.rs", kind=kind, patient="mary").get("Patient").status_code == 403


def test_everything_is_of_granted_types(mary: App) -> None:
    app = mary("patient/Patient.rs patient/Observation.rs patient/Condition.s")

    assert found(app, "Patient/mary/$everything") == {"mary", *HERS}
    assert mary("patient/Patient.r").get("Patient/mary/$everything").status_code == 403


def test_unfiled_rows_are_no_patients(people: Client, mary: App, client_with: App) -> None:
    group = {"resourceType": "Group", "type": "person", "actual": True}
    path = f"Group/{people.create(group)['id']}"
    people.create({"resourceType": "Observation", "status": "final", "code": {"text": "x"}})

    answers = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    unfiled = people.create(answers)["id"]
    for app in (
        mary("patient/*.rs user/*.rs"),
        mary("patient/*.rs user/*.rs", kind="carer"),
        mary("patient/*.rs", kind="professional"),
        mary("patient/*.rs user/*.rs", kind="professional"),
        client_with("user/*.rs", kind="professional", organisation="Organization/surgery"),
    ):
        assert app.get(path).status_code == 403  # no person's role has Groups
        assert app.get(f"QuestionnaireResponse/{unfiled}").status_code == 404
        assert found(app, "QuestionnaireResponse") == set()
    assert found(mary("patient/*.rs"), "Observation") == HERS
    assert client_with("system/*.rs", kind="system").get(path).status_code == 200
