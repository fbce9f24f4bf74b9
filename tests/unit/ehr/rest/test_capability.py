"""The CapabilityStatement: valid, complete, and the same each time."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from ehr.settings import Settings
from fhir_profiles import definitions, json_format, xml_format
from fhir_profiles.validator import validate

MODES = ("full", "normative", "terminology")


def statement(server: Any, query: str = "") -> dict[str, Any]:
    answer = server.ask("GET", f"/metadata{query}", token=None)
    assert answer.status == 200
    return dict(json_format.parse(answer.body))


def resources(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["type"]: each for each in found["rest"][0]["resource"]}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_valid(server: Any, mode: str) -> None:
    assert validate(statement(server, f"?mode={mode}")) == []


def test_all_types_with_all_interactions(server: Any) -> None:
    found = resources(statement(server))

    assert tuple(found) == definitions.resource_types()
    codes = {each["code"] for each in found["Patient"]["interaction"]}
    assert {"read", "vread", "update", "patch", "delete", "create", "search-type"} <= codes


def test_search_parameters_are_those_that_are_indexed(server: Any) -> None:
    patient = resources(statement(server))["Patient"]
    names = {each["name"] for each in patient["searchParam"]}

    assert {"_id", "_lastUpdated", "birthdate", "general-practitioner"} <= names
    assert {"_text", "_content", "_filter", "_has", "_list"} <= names
    assert "_query" not in names
    assert "near" in {
        each["name"] for each in resources(statement(server))["Location"]["searchParam"]
    }
    assert "Patient:general-practitioner" in patient["searchInclude"]
    assert "Observation:subject" in patient["searchRevInclude"]


def test_what_may_be_asked_of_any_type_is_told_for_the_system(server: Any) -> None:
    names = {each["name"]: each["type"] for each in statement(server)["rest"][0]["searchParam"]}

    assert names.items() >= {"_filter": "special", "_list": "string", "_type": "token"}.items()


def test_operations_are_those_that_are_routed(server: Any) -> None:
    found = statement(server)

    names = {each["name"] for each in resources(found)["Patient"]["operation"]}
    assert {"everything", "validate", "meta", "meta-add", "meta-delete"} <= names
    assert "everything" not in {
        each["name"] for each in resources(found)["Observation"]["operation"]
    }
    of_system = {each["name"] for each in found["rest"][0]["operation"]}
    assert of_system == {"meta", "reindex", "reindex-status"}


def test_what_says_who_did_what_is_only_added_to(server: Any) -> None:
    from ehr.interactions.audit_events.parameters import PARAMETERS

    evidence = resources(statement(server))["AuditEvent"]

    offered = {each["code"] for each in evidence["interaction"]}
    assert offered.isdisjoint({"update", "patch", "delete"})
    assert offered >= {"create", "read", "vread", "search-type"}
    assert {each["name"] for each in evidence["searchParam"]} == set(PARAMETERS)
    assert "searchInclude" not in evidence


def test_settings_show(fake: Callable[..., Any]) -> None:
    settings = Settings(update_create=False, conditional_delete="multiple", references="all")
    found = statement(fake(settings=settings))
    patient = resources(found)["Patient"]

    assert patient["updateCreate"] is False
    assert patient["conditionalDelete"] == "multiple"
    assert "enforced" in patient["referencePolicy"]


def test_normative_types_only(server: Any) -> None:
    found = resources(statement(server, "?mode=normative"))

    assert len(found) == 11
    assert "CarePlan" not in found


def test_terminology(server: Any) -> None:
    found = statement(server, "?mode=terminology")

    assert found["resourceType"] == "TerminologyCapabilities"


def test_unknown_mode_is_refused(server: Any) -> None:
    answer = server.ask("GET", "/metadata?mode=some", token=None)

    assert answer.status == 400
    assert "normative" in json.loads(answer.body)["issue"][0]["diagnostics"]


def test_the_base_is_filled_in(server: Any) -> None:
    answer = server.ask("GET", "/metadata", token=None, headers={"Host": "record.example"})

    found = json.loads(answer.body)
    assert found["implementation"]["url"] == "http://record.example/fhir"
    assert b"base.invalid" not in answer.body


def test_deterministic_and_known_by_its_tag(server: Any) -> None:
    first = server.ask("GET", "/metadata", token=None)
    again = server.ask(
        "GET", "/metadata", token=None, headers={"If-None-Match": first.headers["ETag"]}
    )

    assert (again.status, again.body) == (304, b"")
    assert server.ask("GET", "/metadata", token=None).body == first.body


def test_xml_and_summary(server: Any) -> None:
    xml = server.ask("GET", "/metadata?_format=xml", token=None)
    summary = statement(server, "?_summary=true")

    assert xml_format.parse(xml.body) == statement(server)
    assert summary["meta"]["tag"][0]["code"] == "SUBSETTED"
