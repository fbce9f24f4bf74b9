"""What is refused when a SearchParameter is written, with where and why; and who may write one."""

from typing import TYPE_CHECKING, Any

import pytest

from tests.client import Client, expect, outcome
from tests.conftest import _token
from tests.given_parameters import search_parameter

if TYPE_CHECKING:
    from ehr.record import Record

_CODE = "http://hl7.org/fhir/SearchParameter/clinical-code"
_VALUE = "http://hl7.org/fhir/SearchParameter/Observation-value-quantity"


def _composite(*parts: tuple[str, str]) -> dict[str, Any]:
    components = [{"definition": of, "expression": below} for of, below in parts]
    return search_parameter(
        "x",
        "composite",
        base=["Observation"],
        expression="Observation.component",
        component=components,
    )


REFUSED = [
    pytest.param(search_parameter("gender"), "code", "individual-gender", id="standard code"),
    pytest.param(search_parameter("x") | {"code": "_x"}, "code", "R4 itself", id="reserved code"),
    pytest.param(search_parameter("x") | {"code": "a.b"}, "code", "letters", id="code syntax"),
    pytest.param(search_parameter("x") | {"url": "x"}, "url", "absolute", id="relative url"),
    pytest.param(search_parameter("x") | {"url": "http://a/b#c"}, "url", "fragment", id="fragment"),
    pytest.param(search_parameter("x", "special"), "type", "can't be added", id="special"),
    pytest.param(search_parameter("x", xpathUsage="phonetic"), "xpathUsage", "normal", id="usage"),
    pytest.param(
        search_parameter("x", expression="Patient.nam"), "expression", "no element nam", id="name"
    ),
    pytest.param(
        search_parameter("x", expression="Patient.name."), "expression", "column 14", id="syntax"
    ),
    pytest.param(
        search_parameter("x", expression="Practitioner.name"), "expression", "`base`", id="base"
    ),
    pytest.param(
        search_parameter("x", "quantity", expression="Patient.name"), "expression",
        "gives HumanName", id="kind"),
    pytest.param(
        search_parameter("x", expression="Patient.birthDate < today()"), "expression",
        "today() depends on the day", id="time"),
    pytest.param(
        search_parameter("x", "string", expression="Patient.link.other.resolve().name"),
        "expression", "another resource", id="resolve"),
    pytest.param(_composite((_CODE, "code")), "component", "two", id="one part"),
    pytest.param(
        _composite((_CODE, "cod"), (_VALUE, "value.as(Quantity)")),
        "component[0].expression", "nothing that `code`", id="part that is not there"),
    pytest.param(
        _composite((_CODE, "code"), ("http://example.org/none", "value")),
        "component[1].definition", "neither R4 nor", id="unknown part"),
    pytest.param(
        _composite((_CODE, "code"), (_VALUE, "value.where($this is Quantity)")),
        "component[1].expression", "write a path", id="part that is no path"),
]  # fmt: skip


@pytest.mark.parametrize(("resource", "element", "text"), REFUSED)
def test_what_cannot_take_effect_is_refused(
    client: Client, resource: dict[str, Any], element: str, text: str
) -> None:
    response = client.put("SearchParameter/x", resource | {"id": "x"})

    assert response.status_code == 422
    (issue,) = outcome(response)
    assert issue["expression"] == [f"SearchParameter.{element}"]
    assert text in issue["diagnostics"]
    assert client.get("SearchParameter/x").status_code == 404


def test_all_that_is_wrong_is_told_at_once(client: Client) -> None:
    wrong = search_parameter("x", "special") | {"code": "name", "url": "x"}

    issues = outcome(client.post("SearchParameter", wrong))

    places = {issue["expression"][0] for issue in issues}
    assert places == {f"SearchParameter.{name}" for name in ("code", "url", "type")}


def test_two_active_ones_may_not_share_code_and_base(client: Client) -> None:
    client.update(search_parameter("eye"))
    other = search_parameter("other", base=["Practitioner", "Patient"]) | {"code": "eye"}
    other["expression"] = "Practitioner.gender | Patient.gender"

    refused = client.put("SearchParameter/other", other)

    assert refused.status_code == 422
    assert "SearchParameter/eye" in outcome(refused)[0]["diagnostics"]
    client.update(search_parameter("eye", status="retired"))
    expect(client.put("SearchParameter/other", other), 201)
    back = client.put("SearchParameter/eye", search_parameter("eye"))
    assert back.status_code == 422


def test_one_url_is_defined_once(client: Client) -> None:
    client.update(search_parameter("eye"))
    again = search_parameter("eye", base=["Practitioner"], expression="Practitioner.gender")

    refused = client.put("SearchParameter/again", again | {"id": "again"})

    assert refused.status_code == 422
    assert outcome(refused)[0]["expression"] == ["SearchParameter.url"]


def test_a_patch_is_judged_by_what_it_makes(client: Client) -> None:
    client.update(search_parameter("eye", status="draft", expression="Patient.nothing"))
    change = [{"op": "replace", "path": "/status", "value": "active"}]

    assert client.patch("SearchParameter/eye", change).status_code == 422
    assert client.read("SearchParameter/eye")["status"] == "draft"


def test_a_transaction_says_which_entry_is_wrong_and_keeps_none(client: Client) -> None:
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"SearchParameter/{one['id']}"}}
        for one in (search_parameter("eye"), search_parameter("hair", expression="Patient.hair"))
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    refused = client.post("", bundle)

    assert refused.status_code == 422
    assert outcome(refused)[0]["expression"] == ["Bundle.entry[1].resource.expression"]
    assert client.get("SearchParameter/eye").status_code == 404


def test_a_transaction_may_bring_a_composite_with_its_parts(client: Client) -> None:
    part = search_parameter("eye")
    whole = search_parameter(
        "eyes",
        "composite",
        expression="Patient",
        component=[
            {"definition": part["url"], "expression": "gender"},
            {"definition": "http://hl7.org/fhir/SearchParameter/individual-gender",
             "expression": "gender"},
        ],
    )  # fmt: skip
    entries = [
        {"resource": one, "request": {"method": "PUT", "url": f"SearchParameter/{one['id']}"}}
        for one in (whole, part)
    ]

    expect(
        client.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries}), 200
    )


def test_operators_may_define_but_not_touch_the_record(record: "Record", client: Client) -> None:
    from ehr.app import create_app

    operator = Client(create_app(record).test_client(), _token(record, "operator"))

    operator.update(search_parameter("eye"))
    change = [{"op": "replace", "path": "/status", "value": "retired"}]
    expect(operator.patch("SearchParameter/eye", change), 200)
    assert operator.delete("SearchParameter/eye").status_code == 204
    assert operator.post("Patient", {"resourceType": "Patient"}).status_code == 403
    assert operator.post("ValueSet", {"resourceType": "ValueSet"}).status_code == 403


@pytest.mark.parametrize("name", ["reindex", "reindex-status"])
def test_only_operators_may_reindex(client: Client, name: str) -> None:
    response = client.post(f"${name}")

    assert response.status_code == 403
    assert "`ehr token create --operator`" in outcome(response)[0]["diagnostics"]
    stranger = Client(client.flask, None)
    assert stranger.post(f"${name}").status_code == 401


def test_a_mirror_keeps_what_cannot_take_effect(record: "Record") -> None:
    from dataclasses import replace

    from ehr.app import create_app

    mirror = replace(record, settings=replace(record.settings, references="none"))
    client = Client(create_app(mirror).test_client(), _token(record, "system"))

    client.update(search_parameter("eye", expression="Patient.nothing"))

    assert client.get("Patient?eye=blue").status_code == 400
